/**
 * A TransportID as sg_persist prints it in READ FULL STATUS, from its bytes (drawn in scsi/transport-id.ts) and whatever they are: devices
 * report formats and protocols that no standard gives a TransportID, names with a NUL in them, and ids that are too short.
 */
import { present } from "../../base/assert.js";
import { escaped } from "../../base/limits.js";
import { readU16, toHex } from "../../scsi/bytes.js";
import { hexLines, hexTextLines } from "../../scsi/hex-dump.js";
import type { ReportedRegistrant } from "../../scsi/reserve-in-data.js";
import { TRANSPORT_ID_LENGTH_MIN } from "../../scsi/transport-id.js";

const MARGIN = "        ";

/** Bytes of a name stand further left than the line above them. */
const HEX_MARGIN = "      ";

/** FORMAT CODE of an iSCSI id whose name is followed by an ISID; greater ones are reserved. */
const ISCSI_FORMAT_PORT_NAME = 1;

/** Makes the lines from the bytes and the FORMAT CODE in them. */
type Print = (wire: Uint8Array, format: number) => readonly string[];

/** A line, the complaint about a format that the protocol does not have, and the rest. */
function named(title: string, rest: (wire: Uint8Array) => readonly string[]): Print {
  return (wire, format) => [`${MARGIN}${title}`, ...(format === 0 ? [] : [`${MARGIN}${unexpected(format)}`]), ...rest(wire)];
}

/** A protocol that no standard gives a TransportID: all bytes, as many as a TransportID has at least. */
function undefinedId(title: string): Print {
  return (wire, format) => [`${MARGIN}${title}:`, `${MARGIN}TPID format: ${format}`, ...hex(wire.subarray(0, TRANSPORT_ID_LENGTH_MIN))];
}

function unexpected(format: number): string {
  return `[Unexpected TPID format: ${format}]`;
}

function hex(bytes: Uint8Array): readonly string[] {
  return hexLines(bytes, { kind: "text", text: HEX_MARGIN });
}

/** By PROTOCOL IDENTIFIER; the names are sg3_utils'. */
const PRINTERS: Readonly<Record<number, Print>> = {
  0x0: named("FCP-2 World Wide Name:", (wire) => hex(wire.subarray(8, 16))),
  0x1: (wire, format) =>
    named(`Parallel SCSI initiator SCSI address: 0x${numberAt(wire, 2)}`, () => [
      `${MARGIN}relative port number (of corresponding target): 0x${numberAt(wire, 6)}`,
    ])(wire, format),
  0x2: undefinedId("SSA (transport id not defined)"),
  0x3: named("IEEE 1394 EUI-64 name:", (wire) => hex(wire.subarray(8, 16))),
  0x4: named("RDMA initiator port identifier:", (wire) => hex(wire.subarray(8, 24))),
  0x5: iscsi,
  0x6: (wire, format) => [
    `${MARGIN}SAS address: 0x${BigInt(`0x0${toHex(wire.subarray(4, 12))}`).toString(16)}`,
    ...(format === 0 ? [] : [`${MARGIN}${unexpected(format)}`]),
  ],
  0x7: undefinedId("ADT"),
  0x8: undefinedId("ATAPI"),
  0x9: undefinedId("UAS"),
  0xa: (wire, format) =>
    format === 0
      ? [`${MARGIN}SOP Routing ID: 0x${numberAt(wire, 2)}`]
      : [`${MARGIN}SOP   ${unexpected(format)}`, ...hex(wire.subarray(0, TRANSPORT_ID_LENGTH_MIN))],
  0xb: undefinedId("PCIE"),
  0xf: () => [`${MARGIN}No specified protocol`],
};

function unknown(wire: Uint8Array, format: number): readonly string[] {
  const protocol = `unknown protocol id=0x${protocolOf(wire).toString(16)}`;
  return [`${MARGIN}${protocol}  TPID format=${format}`, ...hex(wire.subarray(0, TRANSPORT_ID_LENGTH_MIN))];
}

function protocolOf(wire: Uint8Array): number {
  return (wire[0] ?? 0) & 0x0f;
}

/** Two bytes as a hexadecimal number; what the device did not send counts as zero. */
function numberAt(wire: Uint8Array, offset: number): string {
  return (wire.length < offset + 2 ? 0 : readU16(wire, offset)).toString(16);
}

function iscsi(wire: Uint8Array, format: number): readonly string[] {
  const end = wire.length < 4 ? wire.length : Math.min(wire.length, 4 + readU16(wire, 2));
  if (format > ISCSI_FORMAT_PORT_NAME) {
    return [`${MARGIN}iSCSI   ${unexpected(format)}`, ...hexTextLines(wire.subarray(0, end), HEX_MARGIN)];
  }
  const field = wire.subarray(4, end);
  const nul = field.indexOf(0);
  const name = escaped(new TextDecoder().decode(nul < 0 ? field : field.subarray(0, nul)));
  return [`${MARGIN}iSCSI ${format === ISCSI_FORMAT_PORT_NAME ? "world wide unique port id" : "name"}: ${name}`];
}

/** The lines below a registrant that say who it is; none where the device sent nothing. */
export function transportIdLines({ initiator, malformedInitiator }: ReportedRegistrant): readonly string[] {
  const wire = initiator?.encode() ?? present(malformedInitiator, "an initiator that cannot be read is given as bytes").bytes;
  if (wire.length === 0) return [];
  const regular = wire.length >= TRANSPORT_ID_LENGTH_MIN && wire.length % 4 === 0;
  const title = regular ? "of initiator:" : `short or not multiple of 4 [length=${wire.length}]:`;
  const print = PRINTERS[protocolOf(wire)] ?? unknown;
  return [`      Transport Id ${title}`, ...print(wire, (wire[0] ?? 0) >> 6)];
}
