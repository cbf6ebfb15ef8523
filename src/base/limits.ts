/**
 * Named limits of inputs, each with its reason. A limit that belongs to one format alone stands in the file of that format.
 */

/** Longest single option string of a command line. Linux takes arguments up to 128 KiB (MAX_ARG_STRLEN); JSON by -blockdev from a program may be longer. */
export const OPTION_TEXT_LENGTH_MAX = 16 * 1024 * 1024;

/** Longest piece of a user's value repeated in an error message: enough to recognise it, short enough for one line. */
export const ERROR_VALUE_LENGTH_MAX = 128;

/** sockaddr_un.sun_path on Linux holds 108 bytes, the terminating NUL included (unix(7)). */
export const UNIX_SOCKET_PATH_BYTES_MAX = 107;

/** Longest file of patterns of trace points, the `events` of -trace and --trace: all names there are, many times over. */
export const TRACE_EVENTS_BYTES_MAX = 1024 * 1024;

/** `value` as it may stand in an error message: control characters escaped, cut to {@link ERROR_VALUE_LENGTH_MAX}. */
export function printable(value: string): string {
  const cut = value.length > ERROR_VALUE_LENGTH_MAX ? `${value.slice(0, ERROR_VALUE_LENGTH_MAX)}…` : value;
  return escaped(cut);
}

/** `value` with its control characters and line ends escaped, whole. */
export function escaped(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
