/**
 * Runs `qom-pr` many times in one process. Takes a list of command lines as JSON on standard input and answers with a list of {@link Ended}
 * when nothing keeps the process alive any more, so that none of the runs has left anything behind that would.
 */
import { main } from "#src/cli/main.js";
import type { Ended } from "../../cli/support/programs.js";

type Write = typeof process.stdout.write;

/** Takes what is written to `stream` until it is told to stop. */
function caught(stream: NodeJS.WriteStream): { readonly text: () => string; readonly stop: () => void } {
  const write: Write = stream.write.bind(stream);
  let text = "";
  stream.write = (chunk: string | Uint8Array): boolean => {
    text += String(chunk);
    return true;
  };
  return { text: () => text, stop: () => (stream.write = write) };
}

/** What `main` has set; the compiler takes it for what was assigned last. */
function exitStatus(): number {
  return Number(process.exitCode ?? 0);
}

async function runOne(argv: readonly string[]): Promise<Ended> {
  const [out, error] = [caught(process.stdout), caught(process.stderr)];
  process.exitCode = undefined;
  try {
    await main(argv);
    return { code: exitStatus(), stdout: out.text(), stderr: error.text() };
  } finally {
    process.exitCode = undefined;
    for (const each of [out, error]) each.stop();
  }
}

process.setMaxListeners(0); // each run adds what a process has once
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
let input = "";
for await (const text of process.stdin.setEncoding("utf8")) input += String(text);
const results: Ended[] = [];
for (const argv of JSON.parse(input) as string[][]) results.push(await runOne(argv)); // what the test wrote
process.once("beforeExit", () => process.stdout.write(JSON.stringify(results)));
