/** The device behind a descriptor that came with a request, as a PR manager sees it. */

import { resultOfSgIo } from "../native/sg-io-result.js";
import type { SgIoExecutor, SgIoOutcome } from "../native/sg-io.js";
import { deviceName } from "../native/device-number.js";
import { Errno } from "../native/errno.js";
import type { FileTypeReader } from "../native/file-type-server.js";
import { DATA_SIZE_MAX, SENSE_SIZE } from "../backends/helper-socket/protocol.js";
import type { ScsiUnit } from "../pr-manager/scsi-unit.js";
import { routeOf } from "../pr-manager/routing.js";
import { ScsiStatus } from "../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import { inquiryCdb } from "../scsi/inquiry.js";
import type { Nexus } from "../scsi/nexus.js";
import { parseSense, Sense, senseResult } from "../scsi/sense.js";
import { VpdPage } from "../scsi/vpd.js";
import { logicalUnitName, parseDeviceIdentification } from "../scsi/vpd-identification.js";
import { SG_IO_TIMEOUT_MS } from "./request-runner.js";

/** Room for page 83h: all that fits one byte of length, and far more than one designator. */
const IDENTIFICATION_LENGTH = 252;

const ILLEGAL_REQUEST = 0x05;

/** A unit, or the answer to every command where there is none, or none that can be told from others just now. */
export type ReceivedUnit = { readonly unit: ScsiUnit } | { readonly answer: ScsiResult };

/**
 * Makes a unit of the open file `fd`, which the caller keeps open until the command is over. One disk has the same identity whichever
 * way it is reached: the name of its logical unit (VPD page 83h), else the device number; a file its device and inode.
 */
export async function receivedUnit(
  fd: number,
  readOnly: boolean,
  nexus: Nexus,
  { fileTypes, sgIo }: { readonly fileTypes: FileTypeReader; readonly sgIo: SgIoExecutor },
): Promise<ReceivedUnit> {
  const found = await identityOf(fd, fileTypes, sgIo);
  if (typeof found !== "string") return { answer: found };
  return { unit: { fd, readOnly, identity: found, nexus, sgio: (command) => run(fd, command, sgIo) } };
}

async function identityOf(fd: number, fileTypes: FileTypeReader, sgIo: SgIoExecutor): Promise<string | ScsiResult> {
  const file = fileTypes.read(fd);
  if (file.kind === "file") return `file ${fileTypes.identityOf(fd)}`;
  // What SG_IO of anything that is no device comes to.
  if (file.kind === "other") return senseResult(Sense.IO_ERROR);
  const byNumber = `${file.kind} device ${deviceName(file)}`;
  const cdb = inquiryCdb(IDENTIFICATION_LENGTH, VpdPage.DEVICE_IDENTIFICATION);
  const outcome = await sgIo.execute(fd, {
    cdb,
    dataInLength: IDENTIFICATION_LENGTH,
    timeoutMs: SG_IO_TIMEOUT_MS,
    senseLength: SENSE_SIZE,
  });
  if (hasNoIdentification(outcome)) return byNumber;
  const result = resultOfSgIo(outcome, IDENTIFICATION_LENGTH);
  // Under another name for one command, a disk would have no reservations for that long.
  if (result.status !== ScsiStatus.GOOD) return result;
  const name = logicalUnitName(parseDeviceIdentification(result.dataIn) ?? []);
  return name === null ? byNumber : `unit ${name}`;
}

/** Whether the device never says who it is: it is no SCSI device, or does not know the page. */
function hasNoIdentification(outcome: SgIoOutcome): boolean {
  if (outcome.errno !== undefined) return NOT_SCSI.includes(outcome.errno);
  return outcome.hostStatus === 0 && outcome.status === ScsiStatus.CHECK_CONDITION && parseSense(outcome.sense)?.key === ILLEGAL_REQUEST;
}

const NOT_SCSI: readonly number[] = [Errno.ENOTTY, Errno.EINVAL, Errno.EPERM, Errno.ENOTSUP];

/** A manager may send the two commands and no other, whoever wrote it. */
async function run(fd: number, { cdb, dataOut, allocationLength = DATA_SIZE_MAX }: ScsiCommand, sgIo: SgIoExecutor): Promise<ScsiResult> {
  if (routeOf(cdb[0]) !== "manager") return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
  const common = { cdb, timeoutMs: SG_IO_TIMEOUT_MS, senseLength: SENSE_SIZE };
  if (dataOut !== undefined) return resultOfSgIo(await sgIo.execute(fd, { ...common, dataOut }), 0);
  return resultOfSgIo(await sgIo.execute(fd, { ...common, dataInLength: DATA_SIZE_MAX }), allocationLength);
}
