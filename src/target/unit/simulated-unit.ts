/** A path to a logical unit of the simulated storage network, as a disk. */

import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { Nexus } from "../../scsi/nexus.js";
import { routeOf } from "../../scsi/routing.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import type { DiskUnit, Geometry, ResetScope } from "../../scsi/unit.js";
import type { LogicalUnit } from "./logical-unit.js";
import { FULL_ACCESS, READ_ONLY_ACCESS } from "./path-access.js";
import type { PathAccess } from "./path-access.js";

/** See the module text. A manager may use a modified copy (`{ ...unit, … }`): everything that managers see is an own member. */
export class SimulatedUnit implements DiskUnit {
  readonly fd: number | null;
  readonly readOnly: boolean;
  readonly identity: string;
  readonly nexus: Nexus;
  readonly keepsReservations = true;
  readonly hostTraits = null;
  readonly needsDeadline = false;
  readonly logicalUnit: LogicalUnit;
  readonly sgio: (command: ScsiCommand) => Promise<ScsiResult>;
  readonly #path: PathAccess;

  constructor(logicalUnit: LogicalUnit, nexus: Nexus, readOnly: boolean) {
    this.fd = logicalUnit.fd;
    this.readOnly = readOnly;
    this.identity = logicalUnit.wwn;
    this.nexus = nexus;
    this.logicalUnit = logicalUnit;
    this.#path = readOnly ? READ_ONLY_ACCESS : FULL_ACCESS;
    // async although nothing is awaited: what is thrown inside becomes a rejection
    this.sgio = async (command) => logicalUnit.executeChecked(nexus, command, this.#path);
  }

  /**
   * Like the operating system, this path refuses the two PERSISTENT RESERVE commands, with which an unprivileged program could disturb
   * others. There the error is EPERM, which becomes 0B/00/06. For a read-only node the unit is write-protected.
   */
  execute(command: ScsiCommand): ScsiAnswer {
    if (routeOf(command.cdb[0]) === "manager") return senseResult(Sense.IO_ERROR);
    return this.logicalUnit.executeChecked(this.nexus, command, this.#path);
  }

  reset(scope: ResetScope): Promise<void> {
    return this.logicalUnit.reset(scope, this.nexus);
  }

  geometry(): Geometry {
    const { blockSizeBytes, sizeBytes } = this.logicalUnit;
    return { blockSizeBytes, blocks: Math.floor(sizeBytes / blockSizeBytes) };
  }

  pendingAttentions(): readonly SenseCode[] {
    return this.logicalUnit.attentionsOf(this.nexus);
  }

  asReadOnly(): SimulatedUnit {
    return new SimulatedUnit(this.logicalUnit, this.nexus, true);
  }
}
