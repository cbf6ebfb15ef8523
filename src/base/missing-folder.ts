/** The folder that a file is to be in: that it is missing is a mistake of its own, which the system does not tell from a missing file. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { isErrnoError, QomError } from "./errors.js";
import { printable } from "./limits.js";

/** Says that the folder of `path` does not exist; undefined when it does, or when that cannot be seen. */
export function missingFolder(path: string): string | undefined {
  const folder = dirname(path);
  try {
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return undefined;
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return undefined;
  }
  return `the folder '${printable(folder)}' does not exist`;
}

/**
 * Refuses a path at which nothing can be made, since its folder is missing.
 * @param purpose names what is to be made: `socket`
 * @throws QomError `io`
 */
export function requireFolder(path: string, purpose: string): void {
  const missing = missingFolder(path);
  if (missing !== undefined) throw new QomError("io", `cannot make the ${purpose}: ${missing}`, { context: { value: printable(path) } });
}
