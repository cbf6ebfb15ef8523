/** The device behind a descriptor that came with a request, as a PR manager sees it. */

import { HostUnit } from "../../host/host-unit.js";
import type { HostFile } from "../../host/host-unit.js";
import type { HostOutcome } from "../../host/outcome.js";
import type { SgIoExecutor } from "../../native/sg-io/sg-io.js";
import type { FileTypeReader } from "../../native/file/type.js";
import type { Account } from "../../scsi/account.js";
import { DATA_SIZE_MAX } from "../../scsi/pr-helper.js";
import { routeOf } from "../../scsi/routing.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { Nexus } from "../../scsi/nexus.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { SG_IO_TIMEOUT_MS } from "../workers/request-runner.js";

/** What is known of a descriptor and its sender, and what it takes to find out the rest. */
export interface ReceivedUnitParts {
  readonly readOnly: boolean;
  readonly nexus: Nexus;
  readonly account: Account;
  readonly fileTypes: FileTypeReader;
  readonly sgIo: SgIoExecutor;
  /** Told, each time, when a name may become another file's. */
  readonly warn: (line: string) => void;
}

/**
 * Makes a unit of the open file `fd`, which the caller keeps open until the command is over. Gives the answer to every command where there
 * is no unit, or where it cannot be identified at the moment.
 */
export async function receivedUnit(fd: number, { fileTypes, ...parts }: ReceivedUnitParts): Promise<HostUnit | HostOutcome> {
  const file = fileOf(fd, fileTypes);
  // As SG_IO on anything that is not a device.
  if (file === null) return { result: senseResult(Sense.IO_ERROR) };
  return HostUnit.open(fd, { ...parts, file, timeoutMs: SG_IO_TIMEOUT_MS, roomBytes: DATA_SIZE_MAX, refusal });
}

/** Null for what is neither a device nor a regular file. */
function fileOf(fd: number, fileTypes: FileTypeReader): HostFile | null {
  const { kind, ...number } = fileTypes.read(fd);
  if (kind === "block" || kind === "character") return { kind, ...number };
  const place = kind === "file" ? fileTypes.placeOf(fd) : null;
  return place === null ? null : { kind: "file", place };
}

/** A manager may send only the two commands, whoever wrote it. */
function refusal(cdb: Uint8Array): ScsiResult | null {
  return routeOf(cdb[0]) === "manager" ? null : senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
}
