/** Runs of our program that end before it serves, all in one process: see repeated-program.ts. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ending } from "./helper-process.js";
import type { ProgramEnd, ProgramRun } from "./repeated-program.js";

const PROGRAM = fileURLToPath(new URL("./repeated-program.js", import.meta.url));

/** A process that runs the program as often as it is told, one run after the other; for the tests of this `describe`. */
export class RepeatedRuns {
  #child: ChildProcess | null = null;

  constructor() {
    after(async () => {
      const child = this.#child;
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    });
  }

  /** Runs it to its end. */
  async run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ending & ProgramEnd> {
    const child = (this.#child ??= fork(PROGRAM, { stdio: ["ignore", "inherit", "inherit", "ipc"] }).setMaxListeners(0));
    const gone = once(child, "disconnect").then(() => Promise.reject(new Error(`the program ended the process: ${args.join(" ")}`)));
    child.send({ args, environment } satisfies ProgramRun);
    const [end] = (await Promise.race([once(child, "message"), gone])) as [ProgramEnd]; // what it answers
    return { ...end, signal: null };
  }
}
