/** A TransportID as sg_persist prints it in READ FULL STATUS. */
import { present } from "../../base/assert.js";
import { readU16, toHex } from "../../scsi/bytes.js";
import { hexLines } from "../../scsi/hex-dump.js";
import type { ReportedRegistrant } from "../../scsi/reserve-in-data.js";
import type { TransportId, TransportProtocol } from "../../scsi/transport-id.js";

const MARGIN = "        ";

/** Bytes of a name stand further left than the line above them. */
const HEX_MARGIN = { kind: "text", text: "      " } as const;

/** What is said of each transport, from the encoded id (drawn in scsi/transport-id.ts). */
const LINES: Readonly<Record<TransportProtocol, (wire: Uint8Array, id: TransportId) => readonly string[]>> = {
  fc: (wire) => [`${MARGIN}FCP-2 World Wide Name:`, ...hexLines(wire.subarray(8, 16), HEX_MARGIN)],
  spi: (wire) => [
    `${MARGIN}Parallel SCSI initiator SCSI address: 0x${readU16(wire, 2).toString(16)}`,
    `${MARGIN}relative port number (of corresponding target): 0x${readU16(wire, 6).toString(16)}`,
  ],
  sbp: (wire) => [`${MARGIN}IEEE 1394 EUI-64 name:`, ...hexLines(wire.subarray(8, 16), HEX_MARGIN)],
  srp: (wire) => [`${MARGIN}RDMA initiator port identifier:`, ...hexLines(wire.subarray(8, 24), HEX_MARGIN)],
  iscsi: (_wire, id) => [`${MARGIN}iSCSI ${id.namesPort ? "world wide unique port id" : "name"}: ${id.format().replace(/^iscsi\./, "")}`],
  sas: (wire) => [`${MARGIN}SAS address: 0x${toHex(wire.subarray(4, 12))}`],
  sop: (wire) => [`${MARGIN}SOP Routing ID: 0x${readU16(wire, 2).toString(16)}`],
};

/** The lines below a registrant that say who it is; none where the device sent nothing. */
export function transportIdLines({ initiator, malformedInitiator }: ReportedRegistrant): readonly string[] {
  const title = "      Transport Id of initiator:";
  if (initiator !== null) return [title, ...LINES[initiator.protocol](initiator.encode(), initiator)];
  const { bytes, message } = present(malformedInitiator, "an initiator that cannot be read is given as bytes");
  return bytes.length === 0 ? [] : [title, `${MARGIN}malformed: ${message}`, ...hexLines(bytes, HEX_MARGIN)];
}
