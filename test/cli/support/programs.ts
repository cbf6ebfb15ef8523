/** The program as a user runs it, and others to compare it with. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** bin/qom-pr.js. */
export const PROGRAM = fileURLToPath(new URL("../../../../bin/qom-pr.js", import.meta.url));

/** What a program left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  /** Added to the environment. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Sees what the program has printed so far, and may send it a signal. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `qom-pr` to its end. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return runProgram(process.execPath, [PROGRAM, ...argv], options);
}

/** Runs any program to its end. */
export async function runProgram(program: string, argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(program, argv, { env: { ...process.env, ...options.environment } });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    options.onOutput?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined); // a program need not read what it is given
  child.stdin.end(options.stdin ?? "");
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}
