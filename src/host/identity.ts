/**
 * Finds the name under which reservations of a disk or file of this host are kept (base/shadow-name.ts), from its descriptor and without
 * waiting for a file system.
 */
import { readFileSync } from "node:fs";
import { isErrnoError } from "../base/errors.js";
import { deviceName } from "../base/device-number.js";
import type { DeviceNumber } from "../base/device-number.js";
import { Errno } from "../native/errno.js";
import type { FilePlace } from "../native/file/type.js";
import type { SgIoOutcome, SgIoRequest } from "../native/sg-io/sg-io.js";
import { ScsiStatus } from "../scsi/command.js";
import { inquiryCdb } from "../scsi/inquiry.js";
import { parseSense } from "../scsi/sense.js";
import { logicalUnitName, parseDeviceIdentification } from "../scsi/vpd-identification.js";
import { VpdPage } from "../scsi/vpd.js";
import { deviceShadowName, fileShadowName } from "../base/shadow-name.js";
import { hostOutcomeOf } from "./outcome.js";
import type { HostOutcome } from "./outcome.js";

/**
 * Room for page 83h: as much as one byte of length allows, much more than a designator needs (QEMU's scsi_generic_read_device_inquiry:
 * 250).
 */
const IDENTIFICATION_LENGTH = 252;

/** Enough for the sense data of ILLEGAL REQUEST and of failures. */
const SENSE_LENGTH = 96;

const ILLEGAL_REQUEST = 0x05;

/** A device of this host. */
export interface HostDevice extends DeviceNumber {
  readonly kind: "block" | "character";
}

/** Sends the INQUIRY to the open device. */
type Send = (request: SgIoRequest) => Promise<SgIoOutcome>;

/** Called with one line if a name may not be unique. */
type Warn = (line: string) => void;

/**
 * Name of a regular file, however it was opened.
 * @param warn called if a file that is created later may get the same name
 */
export function fileIdentity(place: FilePlace, warn: Warn): string {
  const name = fileShadowName(place);
  if (place.birthNs === null && place.generation === null) {
    const fileSystem = deviceName(place.fileSystem);
    warn(
      `files of file system ${fileSystem} are identified by their inodes alone: a new file can inherit the reservations of a deleted one`,
    );
  }
  return name;
}

/** Name of a device that does not report, or is not asked, which logical unit it is. */
export function numberIdentity(device: HostDevice): string {
  return deviceShadowName({ ...device, diskSequence: diskSequenceOf(device), boot: textOf("/proc/sys/kernel/random/boot_id") });
}

/** Which disk since the kernel was started (Documentation/ABI/stable/sysfs-block, diskseq); of a partition, that of its disk. */
function diskSequenceOf({ kind, ...number }: HostDevice): string | null {
  if (kind !== "block") return null;
  const folder = `/sys/dev/block/${deviceName(number)}`;
  return textOf(`${folder}/diskseq`) ?? textOf(`${folder}/../diskseq`);
}

/** Content of a short file of the kernel, which can be read without waiting; null if there is none. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return null;
  }
}

/**
 * Name of a device, for which it is sent an INQUIRY.
 * @param timeoutMs deadline of the INQUIRY
 * @returns the name; or the outcome of the INQUIRY if it failed this time, since with another name for one command the disk would have no
 *   reservations during that command
 */
export async function deviceIdentity(device: HostDevice, timeoutMs: number, send: Send): Promise<string | HostOutcome> {
  const cdb = inquiryCdb(IDENTIFICATION_LENGTH, VpdPage.DEVICE_IDENTIFICATION);
  const outcome = await send({ cdb, dataInLength: IDENTIFICATION_LENGTH, timeoutMs, senseLength: SENSE_LENGTH });
  if (neverSays(outcome)) return numberIdentity(device);
  const answer = hostOutcomeOf(outcome, IDENTIFICATION_LENGTH);
  if (answer.result.status !== ScsiStatus.GOOD) return answer;
  const name = logicalUnitName(parseDeviceIdentification(answer.result.dataIn) ?? []);
  return name === null ? numberIdentity(device) : `unit ${name}`;
}

/** True if the device never has a name: it is not a SCSI device, or does not support the page. */
function neverSays(outcome: SgIoOutcome): boolean {
  if (outcome.errno !== undefined) return NOT_SCSI.includes(outcome.errno);
  return outcome.hostStatus === 0 && outcome.status === ScsiStatus.CHECK_CONDITION && parseSense(outcome.sense)?.key === ILLEGAL_REQUEST;
}

const NOT_SCSI: readonly number[] = [Errno.ENOTTY, Errno.EINVAL, Errno.EPERM, Errno.ENOTSUP];
