/**
 * Entry point of the program qom-pr-helper. Exit status: 0 after a signal to stop and for -h and -V, 1 for anything that was wrong.
 */

import { describeError, errnoOrMessage, isErrnoError, QomError } from "../../base/errors.js";
import { Log, LogLevel } from "../log.js";
import { STOP_SIGNALS } from "../stop-signals.js";
import { isSystemError } from "../thread-failure.js";

/**
 * Node's meaning of this signal is a debugger on a TCP port of the loopback device, where every user of the machine could tell a process
 * with CAP_SYS_RAWIO what to do. A listener takes that meaning away.
 */
const DEBUGGER_SIGNAL = "SIGUSR1";

async function run(args: readonly string[]): Promise<void> {
  process.on(DEBUGGER_SIGNAL, () => {});
  // Before anything that has to be undone.
  const stop = new AbortController();
  for (const signal of STOP_SIGNALS) process.on(signal, () => stop.abort());

  // Only now, since it takes a while, in which a signal may come.
  const { exitAtOnce, start } = await import("../start/start.js");
  const outcome = await start(args, stop.signal);
  if ("status" in outcome) {
    process.exitCode = outcome.status;
    if (outcome.print !== undefined) print(outcome.print);
    return;
  }
  const { helper } = outcome;
  // Node waits for its threads however it ends, and these wait for events.
  process.once("exit", () => helper.stop());
  stop.signal.addEventListener("abort", () => helper.stop());
  if (stop.signal.aborted) helper.stop();
  try {
    await helper.ended;
  } catch (error) {
    fail(error);
  }
  if (helper.isStuck) exitAtOnce(Number(process.exitCode ?? 0));
}

/** Writes to standard output; where that fails, as on a full disk, the exit status tells, and a line unless a reader just had enough. */
function print(text: string): void {
  process.stdout.on("error", (error: Error) => {
    process.exitCode = 1;
    if (isErrnoError(error) && error.code === "EPIPE") return;
    new Log(LogLevel.FATAL).write(LogLevel.FATAL, `cannot write to standard output: ${errnoOrMessage(error)}`);
  });
  process.stdout.write(text);
}

function fail(error: unknown): void {
  // What the system refuses is not a fault of this program, which would need its stack.
  const inOneLine = error instanceof QomError || isSystemError(error) || !(error instanceof Error);
  const text = inOneLine ? describeError(error) : (error.stack ?? error.message);
  new Log(LogLevel.FATAL).write(LogLevel.FATAL, text);
  process.exitCode = 1;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  fail(error);
}
