/** The INQUIRY before the command: who is asked. */
import { INQUIRY_LENGTH_MIN, inquiryCdb, parseInquiry } from "../../scsi/inquiry.js";
import type { StandardInquiry } from "../../scsi/inquiry.js";
import type { ScsiCommand } from "../../scsi/command.js";

/** Peripheral device types (SPC-5) as sg3_utils names them; a number without a name is printed as such. */
const DEVICE_TYPE_NAMES: Readonly<Record<number, string>> = {
  0x00: "disk",
  0x01: "tape",
  0x02: "printer",
  0x03: "processor",
  0x04: "write once optical disk",
  0x05: "cd/dvd",
  0x06: "scanner",
  0x07: "optical memory device",
  0x08: "medium changer",
  0x09: "communications",
  0x0a: "graphics [0xa]",
  0x0b: "graphics [0xb]",
  0x0c: "storage array controller",
  0x0d: "enclosure services device",
  0x0e: "simplified direct access device",
  0x0f: "optical card reader/writer device",
  0x10: "bridge controller commands",
  0x11: "object based storage",
  0x12: "automation/driver interface",
  0x13: "security manager device",
  0x14: "host managed zoned block",
  0x1e: "well known logical unit",
  0x1f: "unknown or no device type",
};

/** Standard INQUIRY data, as much as every device has. */
export const INQUIRY: ScsiCommand = { cdb: inquiryCdb(INQUIRY_LENGTH_MIN), allocationLength: INQUIRY_LENGTH_MIN };

/** What the INQUIRY data says; texts are empty where it is too short. */
export function readInquiry(data: Uint8Array): StandardInquiry | null {
  return parseInquiry(data);
}

/** Vendor, product and revision, then the type of the device. */
export function inquiryLines(inquiry: StandardInquiry): string[] {
  const { vendor, product, revision, deviceType } = inquiry;
  return [
    `  ${vendor.padEnd(8)}  ${product.padEnd(16)}  ${revision.padEnd(4)}`,
    `  Peripheral device type: ${DEVICE_TYPE_NAMES[deviceType] ?? `0x${deviceType.toString(16)}`}`,
  ];
}
