/**
 * The argument of `-T`, in the language of qemu-pr-helper:
 *
 *     [[enable=]PATTERN][,events=FILE][,file=FILE]
 *
 * A pattern is a name with `*` and `?`; a `-` before it switches the points off again. `events` names a file with a pattern in each line,
 * `file` one that the traces are written to.
 */

import { QomError } from "../../base/errors.js";
import { printable, TRACE_EVENTS_BYTES_MAX } from "../../base/limits.js";
import { readBounded } from "../../base/read-bounded.js";
import { parseQemuOpts } from "../../options/qemu-opts.js";
import { TRACE_POINTS } from "./trace-points.js";
import { absolutePath } from "../working-folder.js";

/** What is traced, and where to. */
export interface TraceOptions {
  /** Names of points. */
  readonly points: readonly string[];
  /** Absolute path of the file that is written, null for standard error. */
  readonly file: string | null;
}

/** {@link TraceOptions} while the arguments of several `-T` are applied, in their order. */
export class TraceSelection {
  /** Patterns that no point's name fits. */
  readonly unknown: string[] = [];
  readonly #points = new Set<string>();
  #file: string | null = null;

  /** What is selected. */
  get options(): TraceOptions {
    return { points: [...this.#points], file: this.#file };
  }

  /**
   * Applies one argument.
   * @returns the names of all points, for an argument that asks for them
   * @throws QomError `unknown-name` for a key that does not exist, `io` when the file of `events` cannot be read, `limit` when
   *   it is too long
   */
  apply(text: string): string | undefined {
    const { values } = parseQemuOpts(text, { impliedKey: "enable" });
    for (const [key, value] of values) {
      if (!isKey(key))
        throw new QomError("unknown-name", `option '--trace': there is no parameter '${printable(key)}'`, { hint: "enable, events, file" });
      if (key === "enable" && (value === "help" || value === "?")) return TRACE_POINTS.map((name) => `${name}\n`).join("");
    }
    const [pattern, events, file] = KEYS.map((key) => values.get(key));
    if (typeof pattern === "string") this.#select(pattern);
    if (typeof events === "string") for (const line of linesOf(events)) this.#select(line);
    if (typeof file === "string") this.#file = absolutePath("trace", file);
    return undefined;
  }

  #select(pattern: string): void {
    const off = pattern.startsWith("-");
    const name = off ? pattern.slice(1) : pattern;
    const found = TRACE_POINTS.filter((point) => matches(name, point));
    if (found.length === 0) this.unknown.push(name);
    for (const point of found) {
      if (off) this.#points.delete(point);
      else this.#points.add(point);
    }
  }
}

const KEYS = ["enable", "events", "file"] as const;

function isKey(key: string): boolean {
  return KEYS.some((each) => each === key);
}

/** Patterns of a file; blank lines and lines with `#` at their beginning are none. */
function linesOf(path: string): string[] {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(path, TRACE_EVENTS_BYTES_MAX);
  } catch (cause) {
    throw new QomError("io", `option '--trace': cannot read '${printable(path)}'`, { cause });
  }
  if (bytes === null) throw new QomError("limit", `option '--trace': '${printable(path)}' has more than ${TRACE_EVENTS_BYTES_MAX} bytes`);
  const lines = bytes.toString("utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

/** Whether `text` is what `pattern` says. In time linear in both: a star takes as little as it can, and a later one gives it no more. */
function matches(pattern: string, text: string): boolean {
  let [at, textAt, star, starText] = [0, 0, -1, 0];
  while (textAt < text.length) {
    if (pattern[at] === "*") [star, starText] = [at++, textAt];
    else if (pattern[at] === "?" || pattern[at] === text[textAt]) [at, textAt] = [at + 1, textAt + 1];
    else if (star >= 0) [at, textAt, starText] = [star + 1, starText + 1, starText + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
