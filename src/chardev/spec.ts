/**
 * Character devices: what a monitor talks through, and the options that say so.
 *
 * | option | text |
 * |---|---|
 * | `-chardev` | `socket,id=ID,path=PATH` or `socket,id=ID,host=HOST,port=PORT`, with `server=on\|off`, `wait=on\|off`; `socket,id=ID,fd=N`; `stdio,id=ID` |
 * | `-qmp`, `-qmp-pretty` | `unix:PATH[,server=on][,wait=off]`, `tcp:HOST:PORT[,…]`, `stdio`, `chardev:ID` |
 * | `-mon` | `[chardev=]ID[,mode=control\|readline][,pretty=on\|off]` |
 *
 * `server` and `nowait` stand for `server=on` and `wait=off`. What else QEMU's character devices take has no effect here, or asks for another
 * protocol, which there is not. Interface followed: QEMU 7.2 (chardev/char.c, monitor/monitor.c).
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { requireWellFormedId } from "../options/id.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { parseBool, parseInteger } from "../options/scalars.js";
import { takeText } from "../options/take.js";
import type { OptionMap, PlainValue } from "../options/value.js";

/** Where a socket is. */
export type SocketAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** Descriptor of a socket that was open when the program was started. */
  | { readonly kind: "fd"; readonly fd: number };

/** A character device, as its options say it. */
export type ChardevSpec =
  | { readonly kind: "stdio" }
  | {
      readonly kind: "socket";
      readonly address: SocketAddress;
      /** Others connect to it. */
      readonly server: boolean;
      /** Of a server: the machine is not made before somebody has connected. */
      readonly wait: boolean;
      /** Of one that connects: where nobody listens, the device has no client. */
      readonly optional?: boolean;
    };

/** The kinds of monitor: QMP, and the one for people. */
export type MonitorMode = "control" | "readline";

/** A monitor, as its options say it. */
export interface MonitorSpec {
  /** Of its object, if one is given. */
  readonly id?: string;
  /** Id of a -chardev, or a device that the monitor alone has. */
  readonly chardev: string | ChardevSpec;
  readonly mode: MonitorMode;
  /** Of QMP: indented output. */
  readonly pretty: boolean;
}

const PORT_MAX = 65_535n;
/** Descriptors are ints, and no system allows so many. */
const FD_MAX = 0x7fff_ffffn;
/** QEMU tries again so many seconds, or milliseconds, after a connection was lost. Here the first time counts. */
const RECONNECTING = ["reconnect", "reconnect-ms"] as const;

/** What QEMU takes for either kind, without effect here. */
const COMMON_INERT: InertMembers = { bools: ["mux", "logappend"], numbers: [], texts: ["logfile"] };

/** What QEMU takes for a socket, without effect here: which addresses a name may have, and further ports if one is taken. */
const SOCKET_INERT: InertMembers = { bools: ["ipv4", "ipv6", "tight"], numbers: ["to"], texts: [] };

/** Another protocol over the socket, or an address that is not a file. `tls-creds` is one too, by being there. */
const OTHER_PROTOCOLS = ["telnet", "tn3270", "websocket", "abstract"] as const;

/** Names of members by the kind of their value. */
interface InertMembers {
  readonly bools: readonly string[];
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}

/** Whether the values of a character device ask for a protocol of QEMU's that there is not here. */
export function asksForOtherProtocol(values: OptionMap): boolean {
  const isOn = (name: string): boolean => {
    const value = values.get(name);
    return typeof value === "string" && parseBool(value) === true;
  };
  return values.has("tls-creds") || OTHER_PROTOCOLS.some(isOn);
}

/** An address as it is written in options and messages: `unix:PATH`, `tcp:HOST:PORT`. */
export function formatAddress(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return `unix:${address.path}`;
    case "tcp":
      return `tcp:${address.host}:${address.port}`;
    case "fd":
      return `fd:${address.fd}`;
  }
}

/**
 * The text of `-chardev`.
 * @throws QomError `missing`, `unknown-name`, `invalid-value`, `bad-id`, `conflict`
 */
export function parseChardev(text: string): { readonly id: string; readonly spec: ChardevSpec } {
  const values = new Map(parseQemuOpts(text, { impliedKey: "backend" }).values);
  const id = takeText(values, "id");
  if (id === undefined) throw missing("id");
  const backend = takeText(values, "backend");
  if (backend === undefined) throw missing("backend");
  if (backend === "stdio") return { id, spec: stdio(values) };
  if (backend === "socket") return { id, spec: socket(values) };
  throw new QomError("invalid-value", `'${printable(backend)}' is not a character device here: use 'socket' or 'stdio'`, {
    context: { option: "backend", value: printable(backend) },
  });
}

/**
 * The text of `-qmp`, `-qmp-pretty` and `-monitor`, which is a character device in a shorter form.
 * @throws QomError as {@link parseChardev}
 */
export function parseMonitorDevice(text: string): string | ChardevSpec {
  const [kind = ""] = text.split(/[:,]/, 1);
  const rest = text.slice(kind.length + 1);
  switch (kind) {
    case "stdio":
      return stdio(new Map(parseQemuOpts(rest).values));
    case "chardev":
      requireWellFormedId(rest, { option: "chardev", value: rest });
      return rest;
    case "unix":
      return socket(new Map(parseQemuOpts(rest, { impliedKey: "path" }).values));
    case "tcp": {
      const { values } = parseQemuOpts(rest, { impliedKey: "address" });
      return socket(splitHostAndPort(new Map(values), text));
    }
    default:
      throw new QomError("invalid-value", `'${printable(text)}' is not a character device of a monitor`, {
        context: { value: printable(text) },
        hint: "unix:PATH, tcp:HOST:PORT, stdio or chardev:ID",
      });
  }
}

/**
 * The text of `-mon`.
 * @throws QomError `missing`, `unknown-name`, `invalid-value`
 */
export function parseMon(text: string): MonitorSpec {
  const values = new Map(parseQemuOpts(text, { impliedKey: "chardev" }).values);
  const id = takeText(values, "id");
  if (id !== undefined) requireWellFormedId(id, { option: "id", value: id });
  const chardev = takeText(values, "chardev");
  if (chardev === undefined) throw missing("chardev");
  const mode = takeText(values, "mode") ?? "readline";
  if (mode !== "control" && mode !== "readline") {
    throw new QomError("invalid-value", `option 'mode' is 'control' or 'readline', not '${printable(mode)}'`, {
      context: { option: "mode", value: printable(mode) },
    });
  }
  const pretty = takeBool(values, "pretty");
  if (pretty === true && mode === "readline") {
    throw new QomError("conflict", "option 'pretty' needs mode=control", { context: { option: "pretty" } });
  }
  requireNoOthers(values);
  return { ...(id === undefined ? {} : { id }), chardev, mode, pretty: pretty ?? false };
}

function splitHostAndPort(values: Map<string, PlainValue>, text: string): Map<string, PlainValue> {
  const address = takeText(values, "address") ?? "";
  const colon = address.lastIndexOf(":");
  if (colon < 0)
    throw new QomError("invalid-value", `'${printable(text)}' has no port: write tcp:HOST:PORT`, { context: { option: "port" } });
  // An address of IPv6 stands in brackets.
  return values.set("host", address.slice(0, colon).replace(/^\[(.*)\]$/, "$1")).set("port", address.slice(colon + 1));
}

function stdio(values: Map<string, PlainValue>): ChardevSpec {
  // Whether Ctrl-C is a signal is the terminal's business here.
  takeBool(values, "signal");
  takeInert(values, COMMON_INERT);
  requireNoOthers(values);
  return { kind: "stdio" };
}

function socket(values: Map<string, PlainValue>): ChardevSpec {
  const fd = takeText(values, "fd");
  const [path, host, port] = ["path", "host", "port"].map((name) => takeText(values, name));
  if (fd !== undefined && (path ?? host ?? port) !== undefined) {
    throw new QomError("conflict", "a socket has either 'fd', or an address", { context: { option: "fd", value: printable(fd) } });
  }
  const address = fd === undefined ? socketAddress(path, host, port) : { kind: "fd" as const, fd: Number(numberOf("fd", fd, FD_MAX)) };
  const server = takeBool(values, "server") ?? false;
  const wait = takeBool(values, "wait");
  if (wait !== undefined && !server) {
    throw new QomError("conflict", "option 'wait' needs server=on", { context: { option: "wait" } });
  }
  // Answers are never held back to be sent together with others, so both spellings are the same.
  takeBool(values, "nodelay");
  takeBool(values, "delay");
  const again = RECONNECTING.map((name) => [name, takeText(values, name)] as const);
  const optional = again.some(([name, text]) => text !== undefined && numberOf(name, text, FD_MAX) > 0n);
  if (server && again.some(([, text]) => text !== undefined))
    throw new QomError("conflict", "option 'reconnect' is for a socket that connects", { context: { option: "reconnect" } });
  takeInert(values, COMMON_INERT);
  takeInert(values, SOCKET_INERT);
  for (const name of OTHER_PROTOCOLS) {
    if (takeBool(values, name) === true) throw unsupported(name);
  }
  requireNoOthers(values);
  return { kind: "socket", address, server, wait: wait ?? server, optional };
}

function socketAddress(path: string | undefined, host: string | undefined, port: string | undefined): SocketAddress {
  if (path !== undefined) {
    if (host === undefined && port === undefined) return { kind: "unix", path };
    throw new QomError("conflict", "a socket has either 'path', or 'host' and 'port'", {
      context: { option: "path", value: printable(path) },
    });
  }
  if (port === undefined) throw new QomError("missing", "a socket needs 'path', or 'host' and 'port'", { context: { option: "path" } });
  return { kind: "tcp", host: host ?? "", port: Number(numberOf("port", port, PORT_MAX)) };
}

function numberOf(option: string, text: string, max: bigint): bigint {
  const number = parseInteger(text);
  if (number !== undefined && number >= 0n && number <= max) return number;
  throw new QomError("invalid-value", `option '${option}' expects a number from 0 to ${max}, not '${printable(text)}'`, {
    context: { option, value: printable(text) },
  });
}

function takeBool(values: Map<string, PlainValue>, name: string): boolean | undefined {
  const text = takeText(values, name);
  if (text === undefined) return undefined;
  const value = parseBool(text);
  if (value !== undefined) return value;
  throw new QomError("invalid-value", `option '${name}' expects 'on' or 'off', not '${printable(text)}'`, {
    context: { option: name, value: printable(text) },
  });
}

function missing(option: string): QomError {
  return new QomError("missing", `the option '${option}' is required`, { context: { option } });
}

/** Refuses what is not of the kind, and forgets the rest. */
function takeInert(values: Map<string, PlainValue>, { bools, numbers, texts }: InertMembers): void {
  for (const name of bools) takeBool(values, name);
  for (const name of texts) takeText(values, name);
  for (const name of numbers) {
    const text = takeText(values, name);
    if (text !== undefined) numberOf(name, text, PORT_MAX);
  }
}

function unsupported(option: string): QomError {
  return new QomError("unknown-name", `option '${printable(option)}' is not supported here`, { context: { option: printable(option) } });
}

function requireNoOthers(values: ReadonlyMap<string, PlainValue>): void {
  const [name] = values.keys();
  if (name !== undefined) throw unsupported(name);
}
