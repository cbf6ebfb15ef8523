/** Where the program writes. */
import { errnoOrMessage, isErrnoError } from "../base/errors.js";

/** What a message of the program begins with. */
const MESSAGE = "qom-pr: ";

/** The two streams of a program. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** From now on messages of the program on stderr begin with what `prefix` gives. */
  readonly beginMessages?: (prefix: () => string) => void;
  /** Bytes for stderr that nobody has taken yet; absent where nothing waits. */
  readonly errorBacklogBytes?: () => number;
}

/** Text that was to be printed has got lost, and nothing else has said how the program went. */
const EXIT_LOST_OUTPUT = 1;

/**
 * The streams of this process. If the disk is full or the reader is gone, the text is lost, but a running machine, or a command that was
 * sent to a disk, goes on. The first failure of stdout is reported on stderr, except that of a pipe without a reader. The exit status is
 * then 1, unless the program has set another one: that of `persist` is the disk's answer.
 */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  let lost = false;
  let prefixOf = (): string => "";
  const written = (failure?: Error | null): void => {
    if (failure === undefined || failure === null || lost) return;
    lost = true;
    const unread = isErrnoError(failure) && failure.code === "EPIPE";
    if (!unread) stderr.write(`qom-pr: cannot write to standard output: ${errnoOrMessage(failure)}\n`);
    process.once("exit", () => (process.exitCode ??= EXIT_LOST_OUTPUT));
  };
  // Without a listener the failure of a stream would be the end of the process.
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  return {
    out: (text) => void stdout.write(text, written),
    error: (text) => void stderr.write(text.startsWith(MESSAGE) ? prefixOf() + text : text),
    beginMessages: (prefix) => void (prefixOf = prefix),
    errorBacklogBytes: () => stderr.writableLength,
  };
}
