/** A process that executes the stream of a seed on the unit of a folder, and writes a line for each answer, until it is killed. */
import { DurableUnit } from "./durable-unit.js";
import { reservationStream } from "./reservation-stream.js";

const [stateDir = "", seed = "0"] = process.argv.slice(2);
const disk = await DurableUnit.open(stateDir);
const next = reservationStream(Number(seed));
for (;;) {
  // one after the other: at most one command is in flight when the process is killed
  const answer = await disk.send(next((nexus) => disk.keyOf(nexus)));
  // what was written is with the reader, however this process ends
  await new Promise<void>((resolve) => process.stdout.write(`${answer}\n`, () => resolve()));
}
