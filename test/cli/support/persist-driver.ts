/**
 * Runs `persist` many times in one process, which is what tests of its output need and a user does not. Takes a list of
 * {@link DriverRun} as JSON on standard input and answers with a list of {@link Ended}. Started with canned-disk.c loaded.
 */
import { runPersist } from "#src/cli/persist/persist.js";
import type { Ended } from "./programs.js";

/** One run. */
export interface DriverRun {
  readonly argv: readonly string[];
  /** CANNED_DISK_FOLDER of the run; the stand-in asks for it at every command. */
  readonly folder: string;
}

async function runOne({ argv, folder }: DriverRun): Promise<Ended> {
  process.env["CANNED_DISK_FOLDER"] = folder;
  let [stdout, stderr] = ["", ""];
  const output = { out: (text: string) => void (stdout += text), error: (text: string) => void (stderr += text) };
  const code = await runPersist(argv, { output, variables: {} });
  return { code, stdout, stderr };
}

let input = "";
for await (const text of process.stdin.setEncoding("utf8")) input += String(text);
const results: Ended[] = [];
for (const each of JSON.parse(input) as DriverRun[]) results.push(await runOne(each)); // what the test wrote
process.stdout.write(JSON.stringify(results));
