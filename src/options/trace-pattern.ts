/** What is said of a pattern that selects no trace point; both programs have them. */
import { printable } from "../base/limits.js";
import { didYouMean } from "./nearest.js";

/** One phrase for a warning. `names` are those of all points. */
export function noTracePoint(pattern: string, names: readonly string[]): string {
  if (/[*?]/.test(pattern)) return `no trace point fits '${printable(pattern)}' ('help' lists them)`;
  return `there is no trace point '${printable(pattern)}' (${didYouMean(pattern, names) ?? "'help' lists them"})`;
}
