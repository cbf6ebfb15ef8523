/**
 * What a disk or file of this host is called where its reservations are kept: the same text whichever path and whichever program reaches
 * it, since an initiator that is fenced by one of them must be fenced by all. Saved reservations are found by it.
 *
 *     unit naa.5000000000000001    a disk that says which logical unit it is (VPD page 83h)
 *     block device 8:0             one that never does: major and minor number
 *     file 8:1:1234                a regular file: major and minor number of its file system, and inode
 */
import { deviceName, type DeviceNumber } from "../native/device-number.js";
import { Errno } from "../native/errno.js";
import { resultOfSgIo } from "../native/sg-io-result.js";
import type { SgIoOutcome, SgIoRequest } from "../native/sg-io.js";
import { ScsiStatus, type ScsiResult } from "../scsi/command.js";
import { inquiryCdb } from "../scsi/inquiry.js";
import { parseSense } from "../scsi/sense.js";
import { logicalUnitName, parseDeviceIdentification } from "../scsi/vpd-identification.js";
import { VpdPage } from "../scsi/vpd.js";

/** Room for page 83h: all that fits one byte of length, and far more than one designator (QEMU: scsi_generic_read_device_inquiry asks for 250). */
const IDENTIFICATION_LENGTH = 252;

/** Sense data that tells ILLEGAL REQUEST fits, and so does what a failure comes with. */
const SENSE_LENGTH = 96;

const ILLEGAL_REQUEST = 0x05;

/** A device of this host. */
export interface HostDevice extends DeviceNumber {
  readonly kind: "block" | "character";
}

/** Sends the INQUIRY to the open device. */
type Send = (request: SgIoRequest) => Promise<SgIoOutcome>;

/** Name of a regular file: the file's, however it was opened. */
export function fileIdentity(fileSystem: DeviceNumber, inode: bigint): string {
  return `file ${deviceName(fileSystem)}:${inode}`;
}

/** Name of a device that is not asked, or does not say, which logical unit it is. */
export function numberIdentity(device: HostDevice): string {
  return `${device.kind} device ${deviceName(device)}`;
}

/**
 * Name of a device, for which it is sent an INQUIRY.
 * @param timeoutMs deadline of the INQUIRY
 * @returns the name; or the result of the INQUIRY where it failed this time: under another name for one command, a disk would have no
 *   reservations for that long
 */
export async function deviceIdentity(device: HostDevice, timeoutMs: number, send: Send): Promise<string | ScsiResult> {
  const cdb = inquiryCdb(IDENTIFICATION_LENGTH, VpdPage.DEVICE_IDENTIFICATION);
  const outcome = await send({ cdb, dataInLength: IDENTIFICATION_LENGTH, timeoutMs, senseLength: SENSE_LENGTH });
  if (neverSays(outcome)) return numberIdentity(device);
  const result = resultOfSgIo(outcome, IDENTIFICATION_LENGTH);
  if (result.status !== ScsiStatus.GOOD) return result;
  const name = logicalUnitName(parseDeviceIdentification(result.dataIn) ?? []);
  return name === null ? numberIdentity(device) : `unit ${name}`;
}

/** Whether the device has no name at any time: it is no SCSI device, or does not know the page. */
function neverSays(outcome: SgIoOutcome): boolean {
  if (outcome.errno !== undefined) return NOT_SCSI.includes(outcome.errno);
  return outcome.hostStatus === 0 && outcome.status === ScsiStatus.CHECK_CONDITION && parseSense(outcome.sense)?.key === ILLEGAL_REQUEST;
}

const NOT_SCSI: readonly number[] = [Errno.ENOTTY, Errno.EINVAL, Errno.EPERM, Errno.ENOTSUP];
