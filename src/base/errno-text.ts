/** What the system's error numbers are called, and what they mean. */
import { getSystemErrorMap } from "node:util";

/** Those that node has no name for, since none of its own calls answers with them (include/uapi/asm-generic/errno*.h). */
const OTHER_NAMES: ReadonlyMap<number, readonly [name: string, text: string]> = new Map([
  [33, ["EDOM", "numerical argument out of domain"]],
  [52, ["EBADE", "invalid exchange"]],
  [123, ["ENOMEDIUM", "no medium found"]],
]);

/** Name and text of a positive error number; undefined for one that nobody knows. */
export function describeErrno(errno: number): readonly [name: string, text: string] | undefined {
  return getSystemErrorMap().get(-errno) ?? OTHER_NAMES.get(errno);
}
