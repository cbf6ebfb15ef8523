/** What a PR manager sees of a device. */
import type { Account } from "../reservation/account.js";
import type { Nexus } from "../scsi/nexus.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import type { LogicalUnit } from "../target/unit/logical-unit.js";

/** A manager's view of a device. */
export interface ScsiUnit {
  /** Descriptor to be lent to a helper; null for a unit without one. It stays the device's: whoever gets it duplicates or passes it. */
  readonly fd: number | null;
  /** Opened for reading alone: PERSISTENT RESERVE OUT is refused. */
  readonly readOnly: boolean;
  /** The same text for every path to the same logical unit: the name of a simulated one; of one of this host see host-identity.ts. */
  readonly identity: string;
  /** The I_T nexus by which the device reaches its unit; null where only the operating system knows it. */
  readonly nexus: Nexus | null;
  /** In whose name commands for it come; left out where users are not told apart. What they make a manager keep counts to that one. */
  readonly account?: Account;
  /** Sends a command by the privileged path: `ioctl(SG_IO)` of a real disk, straight to the unit of a simulated one. */
  sgio(command: ScsiCommand): Promise<ScsiResult>;
}

/** A unit of the simulated storage network. */
export interface SimulatedScsiUnit extends ScsiUnit {
  readonly nexus: Nexus;
  readonly logicalUnit: LogicalUnit;
}

/** Whether a unit is simulated, so that its reservations are those of its fabric. */
export function isSimulated(unit: ScsiUnit): unit is SimulatedScsiUnit {
  return "logicalUnit" in unit && unit.nexus !== null;
}
