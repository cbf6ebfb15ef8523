/**
 * TransportID: the name of an initiator port, in the form its transport gives it (SPC-4, TransportID identifiers).
 *
 *     byte  0        FORMAT CODE (7..6) | reserved | PROTOCOL IDENTIFIER (3..0)
 *
 *     protocol             24 bytes, format 00b, all else reserved          text
 *     0h Fibre Channel      8..15  N_Port_Name                              fc.<16 hex>
 *     1h parallel SCSI      2..3   SCSI address, 6..7 relative target port  spi.<address>.<port>, decimal
 *     3h IEEE 1394 (SBP)    8..15  EUI-64                                   sbp.<16 hex>
 *     4h SRP                8..23  initiator port identifier                srp.<32 hex>
 *     6h SAS                4..11  SAS address                              naa.<16 hex>
 *     Ah SCSI over PCIe     2..3   routing id                               sop.<4 hex>
 *
 *     5h iSCSI, 4 + m bytes: 2..3 ADDITIONAL LENGTH m (at least 20, a multiple of 4), 4.. text with at least one NUL, NUL-padded
 *       format 00b  name of the initiator device                            <name>
 *       format 01b  name, ",i,0x", ISID as 12 hexadecimal digits            <name>,i,0x<ISID>
 *
 * An iSCSI name that does not begin with `iqn.` or `eui.` is written `iscsi.<name>`, since `naa.` alone means SAS; with an ISID
 * `naa.` is understood too.
 */

import { aCount, aNumber, someBytes, check, optional, aString, wrongValue } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { ERROR_VALUE_LENGTH_MAX, printable } from "../base/limits.js";
import { QomError } from "../base/errors.js";
import type { QomErrorKind } from "../base/errors.js";
import { pastedPortName, portNameHint } from "./pasted-names.js";
import { fromHex, readU16, toHex, writeU16 } from "./bytes.js";

/** The transports that have a TransportID. */
export type TransportProtocol = "fc" | "spi" | "sbp" | "srp" | "iscsi" | "sas" | "sop";

/** The transports by PROTOCOL IDENTIFIER; null where none or one without TransportIDs has the number. */
const PROTOCOLS: readonly (TransportProtocol | null)[] = ["fc", "spi", null, "sbp", "srp", "iscsi", "sas", null, null, null, "sop"];

/** PROTOCOL IDENTIFIER of a transport (SPC-4). */
function protocolIdentifier(protocol: TransportProtocol): number {
  return PROTOCOLS.indexOf(protocol);
}

/** Every TransportID has at least this many bytes, and all but iSCSI's exactly this many. */
export const TRANSPORT_ID_LENGTH_MIN = 24;

/** iSCSI names are at most 223 bytes of UTF-8 (RFC 7143, iSCSI name properties). */
const ISCSI_NAME_BYTES_MAX = 223;

/** Longest TransportID: header, longest iSCSI name, `,i,0x`, 12 digits, NUL, padded to a multiple of 4. */
export const TRANSPORT_ID_LENGTH_MAX = 248;

/** Why bytes are no TransportID. */
export interface TransportIdProblem {
  /** One line for people. */
  readonly message: string;
  /** Offset of the field at fault in the bytes given. */
  readonly offset: number;
}

/** What {@link TransportId.decode} makes of bytes: an id and the bytes it took, or what is wrong. */
export type TransportIdDecoding =
  | { readonly id: TransportId; readonly length: number; readonly problem?: never }
  | { readonly problem: TransportIdProblem; readonly id?: never; readonly length?: never };

/** Transports whose id is one name of fixed size: its place in the 24 bytes and the prefix of its text. */
const NAMED = Object.freeze({
  fc: { prefix: "fc.", offset: 8, size: 8 },
  sbp: { prefix: "sbp.", offset: 8, size: 8 },
  srp: { prefix: "srp.", offset: 8, size: 16 },
  sas: { prefix: "naa.", offset: 4, size: 8 },
  sop: { prefix: "sop.", offset: 2, size: 2 },
} as const);

type NamedProtocol = keyof typeof NAMED;

const ISCSI_PREFIX = "iscsi.";
const SPI_PREFIX = "spi.";
const ISID_SEPARATOR = ",i,0x";
const ISID_DIGITS = 12;
const ADDITIONAL_LENGTH_MIN = 20;
const FORMAT_PORT_NAME = 1;
const UTF8_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF8_ENCODER = new TextEncoder();
/** A character of a JavaScript string, that is, a UTF-16 unit, takes at most this many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const U16_MAX = 0xffff;

/**
 * What no iSCSI name contains: ASCII up to the comma and white space (RFC 3722, prohibited output), control and format characters,
 * halves of a surrogate pair (they have no UTF-8). The rest of that profile is not enforced, since names with underscores are in use.
 */
const FORBIDDEN_IN_NAME = /[ -,\s\u3002\p{Cc}\p{Cf}\p{Cs}]/u;

/** A {@link TransportId}. */
export const aTransportId: Kind = { expects: "a TransportId", holds: (value) => value instanceof TransportId };

/** The name of an initiator port. Immutable. */
export class TransportId {
  readonly protocol: TransportProtocol;

  /**
   * Equal for the same initiator port and only then: the text in lower case. iSCSI names compare without regard to case
   * (RFC 3722 folds it), ISIDs as numbers.
   */
  readonly key: string;

  /** False for an iSCSI id without ISID: it is the name of an initiator device, which may have several ports. */
  readonly namesPort: boolean;

  readonly #text: string;
  readonly #wire: Uint8Array;
  /** Keys of the nexuses of this port, by relative target port identifier; made when the first is asked for. */
  #nexusKeys: Map<number, string> | null = null;

  private constructor(protocol: TransportProtocol, text: string, wire: Uint8Array) {
    check("new TransportId (use TransportId.parse)", "text", text, aString);
    this.protocol = protocol;
    this.#text = text;
    this.#wire = wire;
    this.key = text.toLowerCase();
    this.namesPort = protocol !== "iscsi" || wireFormat(wire) === FORMAT_PORT_NAME;
  }

  /**
   * A TransportID from what a user wrote, which may be a name as other programs print it (pasted-names.ts), or from the bytes of exactly one.
   * @throws QomError `syntax` or `limit`, naming the text
   */
  static parse(input: string | Uint8Array): TransportId {
    if (typeof input === "string") return TransportId.#fromText(pastedPortName(input));
    if (!someBytes.holds(input)) throw wrongValue("TransportId.parse", "input", input, "a string or a Uint8Array");
    const decoded = TransportId.decode(input);
    if (decoded.problem !== undefined) throw bytesError(input, decoded.problem.message);
    if (decoded.length !== input.length) throw bytesError(input, `${input.length - decoded.length} bytes follow the TransportID`);
    return decoded.id;
  }

  /**
   * Reads one TransportID at `offset` of bytes from outside. Nothing at or beyond `end` is looked at. Whatever the bytes say, it throws nothing.
   * @throws QomError `invalid-value` for arguments of another kind
   */
  static decode(bytes: Uint8Array, offset = 0, end?: number): TransportIdDecoding {
    check("TransportId.decode", "bytes", bytes, someBytes);
    check("TransportId.decode", "offset", offset, aCount);
    check("TransportId.decode", "end", end, optional(aNumber));
    return TransportId.#decode(bytes, offset, end === undefined ? bytes.length : Math.min(end, bytes.length));
  }

  static #decode(bytes: Uint8Array, offset: number, end: number): TransportIdDecoding {
    if (end - offset < TRANSPORT_ID_LENGTH_MIN) {
      return {
        problem: { message: `a TransportID has at least ${TRANSPORT_ID_LENGTH_MIN} bytes, not ${Math.max(0, end - offset)}`, offset },
      };
    }
    const format = (bytes[offset] ?? 0) >> 6;
    const identifier = (bytes[offset] ?? 0) & 0x0f;
    const protocol = PROTOCOLS[identifier] ?? null;
    if (protocol === null) {
      return { problem: { message: `protocol identifier ${identifier.toString(16)}h has no TransportID`, offset } };
    }
    if (protocol === "iscsi") return TransportId.#decodeIscsi(bytes, offset, end, format);
    if (format !== 0) return { problem: { message: `format code ${format} of protocol ${protocol} is reserved`, offset } };
    const wire = bytes.subarray(offset, offset + TRANSPORT_ID_LENGTH_MIN);
    const id =
      protocol === "spi"
        ? TransportId.#spi(readU16(wire, 2), readU16(wire, 6))
        : TransportId.#named(protocol, wire.slice(NAMED[protocol].offset, NAMED[protocol].offset + NAMED[protocol].size));
    return { id, length: TRANSPORT_ID_LENGTH_MIN };
  }

  /** Equal for two iSCSI ids of one initiator device, with ISID or without, and only then; for other transports the same as {@link key}. */
  get deviceKey(): string {
    return this.protocol === "iscsi" && this.namesPort ? this.key.slice(0, -(ISID_SEPARATOR.length + ISID_DIGITS)) : this.key;
  }

  /** The text that {@link parse} takes; `iqn.…,i,0x…`, `naa.…` and so on. */
  format(): string {
    return this.#text;
  }

  /** The same as {@link format}, for messages. */
  toString(): string {
    return this.#text;
  }

  /** Length in bytes of the encoded id: a multiple of 4, at most {@link TRANSPORT_ID_LENGTH_MAX}. */
  get encodedLength(): number {
    return this.#wire.length;
  }

  /** The bytes on the wire; a copy. */
  encode(): Uint8Array {
    return this.#wire.slice();
  }

  /** Writes the bytes on the wire at `offset` of `target`, as many as fit. */
  encodeInto(target: Uint8Array, offset: number): void {
    check("TransportId.encodeInto", "target", target, someBytes);
    check("TransportId.encodeInto", "offset", offset, aCount);
    const room = target.length - offset;
    if (room > 0) target.set(room < this.#wire.length ? this.#wire.subarray(0, room) : this.#wire, offset);
  }

  /** True when `other` names the same initiator port. */
  equals(other: TransportId): boolean {
    check("TransportId.equals", "other", other, aTransportId);
    return this === other || this.key === other.key;
  }

  /** Comparison key of the nexus between this port and a target port; remembered. */
  keyAt(targetPort: number): string {
    if (typeof targetPort !== "number") check("TransportId.keyAt", "targetPort", targetPort, aNumber);
    this.#nexusKeys ??= new Map();
    let key = this.#nexusKeys.get(targetPort);
    if (key === undefined) {
      key = `${this.key}@${targetPort}`;
      this.#nexusKeys.set(targetPort, key);
    }
    return key;
  }

  static #fromText(text: string): TransportId {
    const lower = text.toLowerCase();
    if (lower.startsWith(SPI_PREFIX)) return TransportId.#spiFromText(text);
    if (lower.startsWith(ISCSI_PREFIX)) return TransportId.#iscsiFromText(text, text.slice(ISCSI_PREFIX.length));
    if (/^(?:iqn\.|eui\.|naa\..*,i,0x)/.test(lower)) return TransportId.#iscsiFromText(text, text);
    for (const protocol of namedProtocols()) {
      const { prefix, size } = NAMED[protocol];
      if (!lower.startsWith(prefix)) continue;
      const name = fromHex(text.slice(prefix.length));
      if (name?.length !== size) throw textError("syntax", text, `'${prefix}' is followed by exactly ${2 * size} hexadecimal digits`);
      return TransportId.#named(protocol, name);
    }
    throw textError("syntax", text, "known forms are iqn.…, eui.…, iscsi.…, naa.…, fc.…, srp.…, sbp.…, spi.… and sop.…");
  }

  static #named(protocol: NamedProtocol, name: Uint8Array): TransportId {
    const wire = new Uint8Array(TRANSPORT_ID_LENGTH_MIN);
    wire[0] = protocolIdentifier(protocol);
    wire.set(name, NAMED[protocol].offset);
    return new TransportId(protocol, NAMED[protocol].prefix + toHex(name), wire);
  }

  static #spi(address: number, relativeTargetPort: number): TransportId {
    const wire = new Uint8Array(TRANSPORT_ID_LENGTH_MIN);
    wire[0] = protocolIdentifier("spi");
    writeU16(wire, 2, address);
    writeU16(wire, 6, relativeTargetPort);
    return new TransportId("spi", `${SPI_PREFIX}${address}.${relativeTargetPort}`, wire);
  }

  static #spiFromText(text: string): TransportId {
    const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text.slice(SPI_PREFIX.length));
    const address = Number(match?.[1] ?? Number.NaN);
    const port = Number(match?.[2] ?? Number.NaN);
    if (!(address <= U16_MAX && port <= U16_MAX)) {
      throw textError("syntax", text, `'${SPI_PREFIX}' is followed by SCSI address and relative target port, each 0 to ${U16_MAX}`);
    }
    return TransportId.#spi(address, port);
  }

  static #iscsiFromText(text: string, body: string): TransportId {
    const [name, digits] = splitIsid(body);
    if (digits !== null && !/^[0-9a-f]{1,12}$/i.test(digits)) {
      throw textError("syntax", text, `the ISID after '${ISID_SEPARATOR}' has 1 to ${ISID_DIGITS} hexadecimal digits`);
    }
    const problem = iscsiNameProblem(name);
    if (problem !== null) throw textError(problem.kind, text, problem.message);
    return TransportId.#iscsi(name, digits);
  }

  static #iscsi(name: string, isidDigits: string | null): TransportId {
    const isid = isidDigits === null ? "" : ISID_SEPARATOR + isidDigits.toLowerCase().padStart(ISID_DIGITS, "0");
    const utf8 = UTF8_ENCODER.encode(name + isid);
    const additionalLength = Math.max(ADDITIONAL_LENGTH_MIN, Math.ceil((utf8.length + 1) / 4) * 4);
    const wire = new Uint8Array(4 + additionalLength);
    wire[0] = protocolIdentifier("iscsi") | (isidDigits === null ? 0 : FORMAT_PORT_NAME << 6);
    writeU16(wire, 2, additionalLength);
    wire.set(utf8, 4);
    const prefix = /^(?:iqn|eui)\./i.test(name) ? "" : ISCSI_PREFIX;
    return new TransportId("iscsi", prefix + name + isid, wire);
  }

  static #decodeIscsi(bytes: Uint8Array, offset: number, end: number, format: number): TransportIdDecoding {
    if (format > FORMAT_PORT_NAME) return { problem: { message: `format code ${format} of protocol iscsi is reserved`, offset } };
    const additionalLength = readU16(bytes, offset + 2);
    const length = 4 + additionalLength;
    if (additionalLength < ADDITIONAL_LENGTH_MIN || additionalLength % 4 !== 0) {
      return { problem: { message: `additional length ${additionalLength} is not a multiple of 4 from 20`, offset: offset + 2 } };
    }
    if (offset + length > end) {
      return { problem: { message: `additional length ${additionalLength} reaches beyond the data`, offset: offset + 2 } };
    }
    const field = bytes.subarray(offset + 4, offset + length);
    const nul = field.indexOf(0);
    const malformed = (message: string): TransportIdDecoding => ({ problem: { message, offset: offset + 4 } });
    if (nul < 0) return malformed("the iSCSI name is not terminated by NUL");
    const body = utf8Text(field.subarray(0, nul));
    if (body === null) return malformed("the iSCSI name is not UTF-8");
    const [name, digits] = splitIsid(body);
    if (format === FORMAT_PORT_NAME && !(digits !== null && /^[0-9a-f]{12}$/i.test(digits))) {
      return malformed(`'${ISID_SEPARATOR}' and ${ISID_DIGITS} hexadecimal digits do not follow the iSCSI name`);
    }
    const problem = iscsiNameProblem(format === FORMAT_PORT_NAME ? name : body);
    if (problem !== null) return malformed(problem.message);
    return { id: TransportId.#iscsi(name, digits), length };
  }
}

function wireFormat(wire: Uint8Array): number {
  return (wire[0] ?? 0) >> 6;
}

function namedProtocols(): readonly NamedProtocol[] {
  return Object.keys(NAMED) as NamedProtocol[]; // the table has no other keys
}

/** Name and ISID digits of the text of an iSCSI id; null without a separator, which may be of any case as names are. */
function splitIsid(body: string): readonly [name: string, digits: string | null] {
  const at = body.search(/,i,0x/i);
  return at < 0 ? [body, null] : [body.slice(0, at), body.slice(at + ISID_SEPARATOR.length)];
}

function iscsiNameProblem(name: string): { readonly kind: QomErrorKind; readonly message: string } | null {
  if (/^(?:iqn\.|eui\.|)$/i.test(name)) return { kind: "syntax", message: "the iSCSI name is empty" };
  const forbidden = FORBIDDEN_IN_NAME.exec(name);
  if (forbidden !== null) return { kind: "syntax", message: `the character '${printable(forbidden[0])}' is not allowed in an iSCSI name` };
  // most names are short enough whatever their characters are, which saves encoding them
  if (name.length * UTF8_BYTES_PER_UNIT_MAX <= ISCSI_NAME_BYTES_MAX) return null;
  const sizeBytes = UTF8_ENCODER.encode(name).length;
  if (sizeBytes <= ISCSI_NAME_BYTES_MAX) return null;
  return { kind: "limit", message: `the iSCSI name has ${sizeBytes} bytes, and at most ${ISCSI_NAME_BYTES_MAX} are allowed` };
}

function utf8Text(bytes: Uint8Array): string | null {
  try {
    return UTF8_DECODER.decode(bytes);
  } catch {
    return null;
  }
}

function textError(kind: QomErrorKind, text: string, reason: string): QomError {
  const hint = portNameHint(text);
  return new QomError(kind, `invalid TransportID '${printable(text)}': ${reason}`, {
    context: { value: printable(text) },
    ...(hint === undefined ? {} : { hint }),
  });
}

function bytesError(bytes: Uint8Array, reason: string): QomError {
  return textError("syntax", toHex(bytes.subarray(0, ERROR_VALUE_LENGTH_MAX)), reason);
}
