/**
 * The one error class for everything a user of the library can do wrong.
 *
 * A `QomError` has a stable {@link QomErrorKind} for control flow, a one-line message that names the option or property and the
 * offending value, the place it happened (`context`), and the error below it (`cause`). {@link describeError} walks the chain for a
 * terminal and says nothing twice. SCSI failures are results and never errors.
 */

import { inspect, types } from "node:util";
import { describeErrno } from "./errno-text.js";
import { printable } from "./limits.js";

/** Error classes of QMP (QEMU's qapi/error.json, QapiErrorClass). */
export type QmpErrorClass = "GenericError" | "CommandNotFound" | "DeviceNotFound" | "DeviceNotActive" | "KVMMissingCap";

/**
 * What went wrong, as a value a program may test.
 *
 * | kind | meaning |
 * |---|---|
 * | `syntax` | a text does not follow its grammar (option string, JSON, TransportID) |
 * | `limit` | an input exceeds a named limit |
 * | `invalid-value` | well-formed, but the value is not one this option takes |
 * | `missing` | a required option or property was not given |
 * | `unknown-name` | an option, property, argument or command of that name does not exist |
 * | `unknown-type` | no type of that name |
 * | `abstract-type` | the type exists and cannot be instantiated |
 * | `wrong-type` | an object was found, and it is of another type than needed |
 * | `bad-id` | an id breaks the id grammar |
 * | `duplicate` | a name or id is taken |
 * | `not-found` | no object, device, node, unit or path of that name |
 * | `ambiguous` | a partial path matches more than one object |
 * | `in-use` | the object is held by another one or by a command in flight |
 * | `read-only` | the property cannot be written (any more) |
 * | `conflict` | the value contradicts one given elsewhere |
 * | `type-definition` | a class's decorators or registration are wrong (a mistake of the programmer of that class) |
 * | `connection` | a peer (socket, helper) cannot be reached or breaks its protocol |
 * | `io` | the operating system refused (open, stat, ioctl); the cause has the errno |
 * | `unsupported` | this platform or build cannot do it |
 * | `closed` | the machine, device or object is closed |
 */
export type QomErrorKind =
  | "syntax"
  | "limit"
  | "invalid-value"
  | "missing"
  | "unknown-name"
  | "unknown-type"
  | "abstract-type"
  | "wrong-type"
  | "bad-id"
  | "duplicate"
  | "not-found"
  | "ambiguous"
  | "in-use"
  | "read-only"
  | "conflict"
  | "type-definition"
  | "connection"
  | "io"
  | "unsupported"
  | "closed";

/** The same as values. */
const KINDS: Readonly<Record<QomErrorKind, true>> = Object.freeze({
  syntax: true,
  limit: true,
  "invalid-value": true,
  missing: true,
  "unknown-name": true,
  "unknown-type": true,
  "abstract-type": true,
  "wrong-type": true,
  "bad-id": true,
  duplicate: true,
  "not-found": true,
  ambiguous: true,
  "in-use": true,
  "read-only": true,
  conflict: true,
  "type-definition": true,
  connection: true,
  io: true,
  unsupported: true,
  closed: true,
});

/** False also for a Proxy that is revoked. */
function isObject(value: unknown): boolean {
  try {
    return typeof value === "object" && value !== null && typeof Array.isArray(value) === "boolean";
  } catch {
    return false;
  }
}

/** Where it happened; every member is optional and none is repeated in the message by machine. */
export interface QomErrorContext {
  /** The command-line option without its dash: `object`, `device`, `drive`, `blockdev`. */
  readonly argument?: string;
  /** Name of the option key or property. */
  readonly option?: string;
  /** The offending value as text, cut to a printable length. */
  readonly value?: string;
  /** Id or path of the object concerned. */
  readonly object?: string;
  /** Zero-based offset into the text that was parsed, for a caret line. */
  readonly position?: number;
  /** The text that was parsed. */
  readonly text?: string;
  /** Of `in-use`: how long the holder keeps what it holds, for one command or for as long as it serves; missing when that is unknown. */
  readonly heldFor?: "moment" | "lasting";
}

/** Additional members of a {@link QomError}. */
export interface QomErrorOptions {
  readonly context?: QomErrorContext;
  /** One further line that helps: what would be right, what is known. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Defaults to `GenericError`, as in QEMU. */
  readonly qmpClass?: QmpErrorClass;
}

/** A mistake in configuration or use. See the module text. */
export class QomError extends Error {
  override readonly name = "QomError";
  readonly kind: QomErrorKind;
  readonly qmpClass: QmpErrorClass;
  readonly context: QomErrorContext;
  readonly hint: string | undefined;

  constructor(kind: QomErrorKind, message: string, options: QomErrorOptions = {}) {
    if (!(typeof kind === "string" && Object.hasOwn(KINDS, kind) && typeof message === "string" && isObject(options))) {
      throw new QomError("invalid-value", "new QomError: it takes a kind that exists, a message, and an object of options");
    }
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.qmpClass = options.qmpClass ?? "GenericError";
    this.context = options.context ?? {};
    this.hint = options.hint;
  }

  /** The same error with more context; what is already known wins, since it was nearer to the mistake. */
  within(context: QomErrorContext): QomError {
    if (!isObject(context)) throw new QomError("invalid-value", "QomError.within: context is not an object");
    return this.#with({ ...context, ...this.context });
  }

  /** The same error for whoever knows only the option `name`, in which the option that it is about is nested. */
  nestedIn(name: string): QomError {
    if (typeof name !== "string") throw new QomError("invalid-value", "QomError.nestedIn: name is not a string");
    const { option } = this.context;
    return this.#with({ ...this.context, option: option === undefined ? name : `${name}.${option}` });
  }

  #with(context: QomErrorContext): QomError {
    const other = new QomError(this.kind, this.message, {
      context,
      qmpClass: this.qmpClass,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.cause === undefined ? {} : { cause: this.cause }),
    });
    if (this.stack !== undefined) other.stack = this.stack;
    return other;
  }
}

/** The error of a system call as node reports it: `code` is the errno's name. */
export interface ErrnoError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

/** True for errors of any realm: in a context of node:vm, such as Jest's, errors of the system are not instances of its Error. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** True for an error that carries an errno name in `code`. */
export function isErrnoError(error: unknown): error is ErrnoError {
  return isError(error) && "code" in error && typeof error.code === "string";
}

/**
 * Why something failed, in words: what the system's error number means, as in `no space left on device`, or the message where there is
 * none.
 */
export function errnoOrMessage(error: Error): string {
  if (isErrnoError(error) && typeof error.errno === "number") return describeErrno(-error.errno)?.[1] ?? error.message;
  // A name that has several addresses has an error for each, and says nothing itself.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return isError(first) ? errnoOrMessage(first) : error.message;
}

/**
 * One line for a terminal: the message, its hint, and the messages of the causes, outermost first. An error of the system is told in words,
 * and neither these nor its path once more when they are in the line already. Line breaks become blanks, since a user is promised one line.
 */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < CAUSE_DEPTH_MAX; depth += 1) {
    if (!isError(current)) {
      parts.push(typeof current === "string" ? current : inspect(current));
      break;
    }
    const hint = current instanceof QomError && current.hint !== undefined ? ` (${current.hint})` : "";
    if (isErrnoError(current)) parts.push(...reasonAfter(parts, current));
    else parts.push(`${current.message}${hint}`);
    current = current.cause;
  }
  return parts.join(": ").replaceAll(/\s*[\r\n]+\s*/g, " ");
}

/** Why the system refused, with the path that it complains of; of these two what the `parts` before do not say. */
function reasonAfter(parts: readonly string[], error: ErrnoError): readonly string[] {
  const said = (text: string): boolean => parts.some((part) => part.includes(text));
  const reason = errnoOrMessage(error);
  const path = "path" in error && typeof error.path === "string" ? printable(error.path) : undefined;
  const place = path === undefined || said(path) ? "" : `'${path}'`;
  if (said(reason)) return place === "" ? [] : [place];
  return [place === "" ? reason : `${reason} (${place})`];
}

/** A chain of causes is printed this deep: deeper ones come from a cycle or say nothing new. */
const CAUSE_DEPTH_MAX = 8;
