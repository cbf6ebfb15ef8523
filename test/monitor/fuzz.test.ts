/**
 * Random and mutated messages: every well-formed command is answered once, with its id; nothing crashes, and memory stays where it was.
 *
 * One session of a machine takes them all. Behind each batch stands a command with an id of its own; what was well-formed before it must
 * have been answered by then.
 */
import { PassThrough } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import { Machine } from "qom-pr";
import { machineArguments } from "../support/machine.js";
import { memoryInUse } from "../support/memory.js";
import { withoutStacks } from "../support/stacks.js";

const MESSAGES = process.env["SOAK"] === "1" ? 200_000 : 10_000;
const BATCH = 100;
/** More brackets than any message can have left open. */
const RESYNCHRONISE = `\n${"]}".repeat(20)}\n`;
const MEBIBYTE = 0x10_0000;

/** Words that reach deeper than random ones. */
const NAMES = [
  "id",
  "path",
  "typename",
  "property",
  "value",
  "qom-type",
  "driver",
  "node-name",
  "options",
  "device",
  "cdb",
  "enable",
  "paths",
];
const VALUES = [
  "pr0",
  "x",
  "disk0",
  "hd",
  "/objects",
  "/objects/pr0",
  "type",
  "pr-manager-memory",
  "raw",
  "sim-lun",
  "scsi-block",
  "00",
  "5e",
  "",
];

/** A message with id `id`, whose command exists as a rule. */
function command(commands: readonly string[]): fc.Arbitrary<{ readonly execute: string; readonly arguments?: object }> {
  const value = fc.oneof(
    fc.constantFrom(...VALUES),
    fc.jsonValue({ maxDepth: 2 }),
    fc.integer(),
    fc.constantFrom(...VALUES).map((each) => [each]),
  );
  return fc
    .record(
      {
        // The machine is to be there for the next message.
        execute: fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom(...commands.filter((name) => name !== "quit")) },
          { weight: 1, arbitrary: fc.string() },
        ),
        arguments: fc.dictionary(
          fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() }),
          value,
          { maxKeys: 4 },
        ),
      },
      { requiredKeys: ["execute"] },
    )
    .filter(({ execute }) => execute !== "quit");
}

describe("QMP with random messages", () => {
  withoutStacks();

  it(`answers every command among ${MESSAGES} messages`, async function () {
    this.timeout(1_800_000);
    const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
    console.log(`    seed ${seed}`);
    const [input, output] = [new PassThrough(), new PassThrough()];
    const machine = await Machine.create([...machineArguments("blockdev", "pr-manager-memory,id=pr0"), "-qmp", "stdio"], {
      stdio: { input, output },
    });
    const answers = new Map<unknown, number>();
    let rest = "";
    let wake = (): void => undefined;
    output.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { id } = JSON.parse(line) as { id?: unknown }; // what is sent is an object, or the test fails
        answers.set(id, (answers.get(id) ?? 0) + 1);
      }
      wake();
    });
    input.write('{"execute": "qmp_capabilities"}');
    const commands = (await machine.qmp.execute("query-commands")) as readonly { name: string }[]; // the shape is its schema
    const messages = fc.sample(command(commands.map(({ name }) => name)), { seed, numRuns: 2000 });
    const edits = fc.sample(
      fc.record({ at: fc.nat(), kind: fc.constantFrom("drop", "insert", "cut", "none", "none"), text: fc.string({ maxLength: 5 }) }),
      { seed, numRuns: 1999 },
    );
    let memoryBefore = 0;
    for (let sent = 0; sent < MESSAGES; sent += BATCH) {
      const wellFormed: number[] = [];
      const parts: string[] = [];
      for (let index = sent; index < sent + BATCH; index += 1) {
        const text = JSON.stringify({ ...messages[index % messages.length], id: idOf(index) });
        const { at, kind, text: inserted } = edits[index % edits.length] ?? { at: 0, kind: "none", text: "" };
        // Integers of more than 64 bits are refused by the reader, before anybody looks for an id.
        if (kind === "none" && !hasHugeInteger(text)) wellFormed.push(index);
        parts.push(mutated(text, at % text.length, kind, inserted));
      }
      // A broken message may swallow what follows on its line: brackets and a line feed bring the reader back.
      input.write(`${parts.join(RESYNCHRONISE)}${RESYNCHRONISE}${JSON.stringify({ execute: "query-name", id: `end ${sent}` })}\n`);
      while (!answers.has(`end ${sent}`)) await new Promise<void>((resolve) => (wake = resolve));
      for (const index of wellFormed) expect(answers.get(idOf(index)), `message ${index}: ${parts[index - sent] ?? ""}`).to.equal(1);
      answers.clear();
      if (sent === MESSAGES / 5) memoryBefore = memoryInUse();
    }
    const grown = memoryInUse() - memoryBefore;
    console.log(`    memory in use ${(grown / MEBIBYTE).toFixed(1)} MiB more after four fifths of them`);
    expect(grown).to.be.below(16 * MEBIBYTE);
    await machine.close();
  });
});

/** Whether an integer in the text has more than 64 bits. One in a string counts too, which leaves out a message now and then. */
function hasHugeInteger(text: string): boolean {
  const integers = [...text.matchAll(/[[:,](-?\d+)(?=[\],}])/g)].map(([, digits = "0"]) => BigInt(digits));
  return integers.some((integer) => integer < -(2n ** 63n) || integer >= 2n ** 64n);
}

/** An id that no single edit of another message's makes. */
function idOf(index: number): string {
  return `${index} ${index * 7919}`;
}

function mutated(text: string, at: number, kind: string, inserted: string): string {
  if (kind === "drop") return text.slice(0, at) + text.slice(at + 1);
  if (kind === "insert") return text.slice(0, at) + inserted + text.slice(at);
  return kind === "cut" ? text.slice(0, at) : text;
}
