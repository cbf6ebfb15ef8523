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
import { PatternSelection, patternsOf } from "../../options/trace-selection.js";
import { HELPER_TRACE_POINTS } from "./trace-points.js";
import { absolutePath } from "../working-folder.js";

/** What is traced, and where to. */
export interface HelperTraceOptions {
  /** Names of points. */
  readonly points: readonly string[];
  /** Absolute path of the file that is written, null for standard error. */
  readonly file: string | null;
}

/** {@link HelperTraceOptions} while the arguments of several `-T` are applied, in their order. */
export class TraceSelection {
  readonly #points = new PatternSelection(HELPER_TRACE_POINTS);
  #file: string | null = null;

  /** Patterns that no point's name fits. */
  get unknown(): readonly string[] {
    return this.#points.unknown;
  }

  /** What is selected. */
  get options(): HelperTraceOptions {
    return { points: this.#points.selected, file: this.#file };
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
      if (key === "enable" && (value === "help" || value === "?")) return HELPER_TRACE_POINTS.map((name) => `${name}\n`).join("");
    }
    const [pattern, events, file] = KEYS.map((key) => values.get(key));
    if (typeof pattern === "string") this.#points.apply(pattern);
    if (typeof events === "string") for (const line of linesOf(events)) this.#points.apply(line);
    if (typeof file === "string") this.#file = absolutePath("trace", file);
    return undefined;
  }
}

const KEYS = ["enable", "events", "file"] as const;

function isKey(key: string): boolean {
  return KEYS.some((each) => each === key);
}

function linesOf(path: string): readonly string[] {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(path, TRACE_EVENTS_BYTES_MAX);
  } catch (cause) {
    throw new QomError("io", `option '--trace': cannot read '${printable(path)}'`, { cause });
  }
  if (bytes === null) throw new QomError("limit", `option '--trace': '${printable(path)}' has more than ${TRACE_EVENTS_BYTES_MAX} bytes`);
  return patternsOf(bytes.toString("utf8"));
}
