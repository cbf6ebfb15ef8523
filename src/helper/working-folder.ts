/** The folder that the program was started in, which may be gone: deleted, or its file system unmounted. */

import { resolve } from "node:path";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/**
 * The absolute path that `path` is, seen from where the program was started.
 * @param option names it in the message
 * @throws QomError `io` when it is relative and the folder is gone
 */
export function absolutePath(option: string, path: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    throw new QomError("io", `option '--${option}': '${printable(path)}' is relative, and the current folder is gone`, { cause });
  }
}

/** Goes to `/` if the folder is gone: node starts no thread without one. */
export function leaveGoneFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir("/");
  }
}
