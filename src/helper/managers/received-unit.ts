/** The device behind a descriptor that came with a request, as a PR manager sees it. */

import { resultOfSgIo } from "../../native/sg-io/result.js";
import type { SgIoExecutor } from "../../native/sg-io/sg-io.js";
import type { FileTypeReader } from "../../native/file/type.js";
import { DATA_SIZE_MAX, SENSE_SIZE } from "../../scsi/pr-helper.js";
import { deviceIdentity, fileIdentity } from "../../host/identity.js";
import type { ScsiUnit } from "../../pr-manager/scsi-unit.js";
import { routeOf } from "../../scsi/routing.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { Nexus } from "../../scsi/nexus.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { SG_IO_TIMEOUT_MS } from "../workers/request-runner.js";

/** A unit, or the answer to every command where there is none, or none that can be told from others just now. */
export type ReceivedUnit = { readonly unit: ScsiUnit } | { readonly answer: ScsiResult };

/**
 * Makes a unit of the open file `fd`, which the caller keeps open until the command is over. One disk has the same identity whichever
 * way it is reached, see host-identity.ts.
 * @param parts.warn told, each time, when a name may become another file's
 */
export async function receivedUnit(
  fd: number,
  readOnly: boolean,
  nexus: Nexus,
  { fileTypes, sgIo, warn }: { readonly fileTypes: FileTypeReader; readonly sgIo: SgIoExecutor; readonly warn: (line: string) => void },
): Promise<ReceivedUnit> {
  const found = await identityOf(fd, fileTypes, sgIo, warn);
  if (typeof found !== "string") return { answer: found };
  return { unit: { fd, readOnly, identity: found, nexus, sgio: (command) => run(fd, command, sgIo) } };
}

async function identityOf(
  fd: number,
  fileTypes: FileTypeReader,
  sgIo: SgIoExecutor,
  warn: (line: string) => void,
): Promise<string | ScsiResult> {
  const { kind, ...number } = fileTypes.read(fd);
  if (kind === "block" || kind === "character") {
    return deviceIdentity({ kind, ...number }, SG_IO_TIMEOUT_MS, (request) => sgIo.execute(fd, request));
  }
  const place = kind === "file" ? fileTypes.placeOf(fd) : null;
  // What SG_IO of anything that is no device comes to.
  return place === null ? senseResult(Sense.IO_ERROR) : fileIdentity(place, warn);
}

/** A manager may send the two commands and no other, whoever wrote it. */
async function run(fd: number, { cdb, dataOut, allocationLength = DATA_SIZE_MAX }: ScsiCommand, sgIo: SgIoExecutor): Promise<ScsiResult> {
  if (routeOf(cdb[0]) !== "manager") return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
  const common = { cdb, timeoutMs: SG_IO_TIMEOUT_MS, senseLength: SENSE_SIZE };
  if (dataOut !== undefined) return resultOfSgIo(await sgIo.execute(fd, { ...common, dataOut }), 0);
  return resultOfSgIo(await sgIo.execute(fd, { ...common, dataInLength: DATA_SIZE_MAX }), allocationLength);
}
