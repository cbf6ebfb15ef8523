/** A process that takes the lock of a folder, says so or why not in one line, and holds it until its standard input ends. */
import { writeSync } from "node:fs";
import { describeError } from "#src/base/errors.js";
import { FolderLock } from "#src/stores/folder/lock.js";

const [folder = ""] = process.argv.slice(2);
try {
  const lock = FolderLock.acquire(folder, "lasting");
  writeSync(1, "has it\n");
  process.stdin.resume().once("end", () => lock.release());
} catch (error) {
  writeSync(1, `${describeError(error)}\n`);
}
