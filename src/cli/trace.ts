/**
 * `-trace`: prints trace points as QEMU's log backend does, a line for each (QEMU: trace/control.c, docs/devel/tracing.rst).
 *
 *     -trace [enable=]PATTERN[,events=FILE][,file=FILE]      -trace help
 *
 * What a pattern is, is said in options/trace-selection.ts. `events` names a file with a pattern on each line, `file` the one that is written
 * instead of stderr.
 */
import { createReadStream, createWriteStream } from "node:fs";
import type { WriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable, TRACE_EVENTS_BYTES_MAX } from "../base/limits.js";
import { missingFolder } from "../base/missing-folder.js";
import { onTraceLine, traceNames } from "../machine/trace-points.js";
import { didYouMean } from "../options/nearest.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { takeText } from "../options/take.js";
import { noTracePoint, PatternSelection, patternsOf } from "../options/trace-selection.js";
import type { Output } from "./output.js";

/** Lines that wait to be written, in bytes, beyond which further ones are dropped: commands do not wait for the reader. */
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;

/** A pattern, or the path of a file with patterns. */
type PatternSource = { readonly pattern: string } | { readonly events: string };

/** What the texts of `-trace` ask for together. */
export interface TraceSettings {
  readonly help: boolean;
  /** In the order in which they are applied: of one text, QEMU applies the pattern before the file. */
  readonly sources: readonly PatternSource[];
  /** Where lines go; undefined for stderr. The last one given counts. */
  readonly file: string | undefined;
}

/**
 * Reads the texts of `-trace`.
 * @throws QomError `syntax`, `unknown-name`
 */
export function parseTraceOptions(texts: readonly string[]): TraceSettings {
  const sources: PatternSource[] = [];
  let help = false;
  let file: string | undefined;
  for (const text of texts) {
    const parsed = parseQemuOpts(text, { impliedKey: "enable", permitHelp: true });
    const values = new Map(parsed.values);
    const pattern = takeText(values, "enable");
    help ||= parsed.help || pattern === "help" || pattern === "?";
    if (pattern !== undefined) sources.push({ pattern });
    const events = takeText(values, "events");
    if (events !== undefined) sources.push({ events });
    file = takeText(values, "file") ?? file;
    const [unknown] = values.keys();
    if (unknown !== undefined) {
      throw new QomError("unknown-name", `-trace ${printable(text)}: unknown option '${printable(unknown)}'`, {
        context: { argument: "trace", option: unknown },
        hint: didYouMean(unknown, ["enable", "events", "file"]) ?? "options are enable, events, file",
      });
    }
  }
  return { help, sources, file };
}

/** The names of all trace points, one on each line. */
export function traceHelp(): string {
  return `${traceNames().join("\n")}\n`;
}

/** Tracing that goes on. */
export interface Tracing {
  /** Ends it; resolves when everything is written. */
  stop(): Promise<void>;
}

/**
 * Prints from now on what the options ask for. A pattern that fits nothing is warned of.
 * @throws QomError `io` for a file that cannot be read or written, `limit`
 */
export async function startTracing({ sources, file }: TraceSettings, { error, errorBacklogBytes }: Output): Promise<Tracing> {
  const lists = await Promise.all(sources.map(async (source) => ("pattern" in source ? [source.pattern] : readPatterns(source.events))));
  const selection = new PatternSelection(traceNames());
  for (const pattern of lists.flat()) selection.apply(pattern);
  for (const pattern of selection.unknown) error(`qom-pr: warning: -trace: ${noTracePoint(pattern, traceNames())}\n`);
  const stream = file === undefined ? undefined : await openTraceFile(file, error);
  // Listened for from the start: a full disk closes it long before the end.
  const closed = new Promise<void>((resolve) => stream?.once("close", resolve));
  const print =
    stream === undefined
      ? bounded((text) => error(text), errorBacklogBytes ?? ((): number => 0))
      : bounded(
          (text) => void stream.write(text),
          () => stream.writableLength,
        );
  const ends = selection.selected.map((name) => onTraceLine(name, print));
  return {
    stop: async () => {
      for (const end of ends) end();
      if (stream === undefined) return;
      if (!stream.destroyed) stream.end();
      await closed;
    },
  };
}

/** Prints lines as long as they do not pile up, and says how many were left out when it goes on. */
function bounded(write: (text: string) => void, backlogBytes: () => number): (line: string) => void {
  let lost = 0;
  return (line) => {
    if (backlogBytes() > BACKLOG_BYTES_MAX) {
      lost += 1;
      return;
    }
    if (lost > 0) write(`${lost} lines were dropped\n`);
    lost = 0;
    write(`${line}\n`);
  };
}

async function readPatterns(path: string): Promise<readonly string[]> {
  const bytes = await openedFile(path, "read", () => buffer(createReadStream(path, { end: TRACE_EVENTS_BYTES_MAX })));
  if (bytes.length > TRACE_EVENTS_BYTES_MAX)
    throw new QomError("limit", `-trace: '${printable(path)}' has more than ${TRACE_EVENTS_BYTES_MAX} bytes`);
  return patternsOf(bytes.toString("utf8"));
}

async function openTraceFile(path: string, tell: Output["error"]): Promise<WriteStream> {
  const handle = await openedFile(path, "write", () => open(path, "w"));
  const stream = createWriteStream(path, { fd: handle });
  // A full disk ends the trace and not the machine.
  stream.on("error", (failure) => {
    tell(`qom-pr: warning: -trace: cannot write '${printable(path)}': ${errnoOrMessage(failure)}\n`);
  });
  return stream;
}

async function openedFile<T>(path: string, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    throw new QomError("io", `-trace: cannot ${what} '${printable(path)}': ${missingFolder(path) ?? errnoOrMessage(error)}`, {
      context: { argument: "trace", value: path },
    });
  }
}
