/**
 * A disk: what devices, block nodes and PR managers can do with one, whoever it is. There are two: a device of this host
 * (host/host-unit.ts) and a path to a unit of the simulated storage network (target/unit/simulated-unit.ts).
 */

import { oneOf } from "../base/check.js";
import type { Kind } from "../base/check.js";
import type { Account } from "./account.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "./command.js";
import type { Nexus } from "./nexus.js";

/** A manager's view of a disk. */
export interface ScsiUnit {
  /** Descriptor to be lent to a helper; null for a unit without one. It stays the device's: whoever gets it duplicates or passes it. */
  readonly fd: number | null;
  /** Opened for reading alone: PERSISTENT RESERVE OUT is refused. */
  readonly readOnly: boolean;
  /** The same text for every path to the same logical unit: the name of a simulated one; of one of this host see host/identity.ts. */
  readonly identity: string;
  /** The I_T nexus by which the device reaches its unit; null where only the operating system knows it. */
  readonly nexus: Nexus | null;
  /** In whose name commands for it come; left out where users are not told apart. What they make a manager keep counts to that one. */
  readonly account?: Account;
  /** True for a unit that keeps its reservations in this process and enforces them: no manager keeps others for it. Default false. */
  readonly keepsReservations?: boolean;
  /**
   * Sends a command by the privileged path: `ioctl(SG_IO)` of a real disk, straight to the unit of a simulated one. The command is not
   * checked again: it is what the manager was given, or one that the manager answers for.
   */
  sgio(command: ScsiCommand): Promise<ScsiResult>;
}

/** A {@link ScsiUnit}. */
export const aScsiUnit: Kind = {
  expects: "a ScsiUnit, { fd, readOnly, identity, nexus, sgio }",
  holds: (value) => {
    if (typeof value !== "object" || value === null) return false;
    const { identity, readOnly, sgio } = value as Partial<Record<keyof ScsiUnit, unknown>>; // any object may be asked for any member
    return typeof identity === "string" && typeof readOnly === "boolean" && typeof sgio === "function";
  },
};

/** A disk as the block node that opened it and the device before that see it. */
export interface DiskUnit extends ScsiUnit {
  /** What the host on the way to the unit allows; null where there is none on the way, and the unit judges every command itself. */
  readonly hostTraits: HostTraits | null;
  /** Whether a command that comes without a deadline needs one: false for a unit that answers, or is held on purpose. */
  readonly needsDeadline: boolean;
  /**
   * Sends a command by the path of an unprivileged program. The command has been checked. Its deadline is the unit's to keep. Once its signal
   * has fired, the device waits for a moment only, and `into` must not change any more.
   */
  execute(command: ScsiCommand): ScsiAnswer;
  /** Carries out a task management function, as far as the unit can be told: on a device of this host there is nothing to do. */
  reset(scope: ResetScope): Promise<void>;
  /** What is known without a command, which might consume a unit attention; null for a unit that has to be asked. */
  geometry(): Geometry | null;
  /** The same unit for who must not write to it. */
  asReadOnly(): DiskUnit;
}

/** What the operating system says of a real device's node. */
export interface HostTraits {
  /** A node of the sg driver (/dev/sgN), which has no blocks. */
  readonly genericNode: boolean;
  /** Most bytes of data that one command can have; null when nobody says. */
  readonly transferBytesMax: number | null;
}

/** Size of a medium. */
export interface Geometry {
  readonly blockSizeBytes: number;
  /** Number of logical blocks. */
  readonly blocks: number;
}

/** What a reset is for: SAM-5 7.7 LOGICAL UNIT RESET, 7.6 I_T NEXUS RESET, and the hard reset of a target. */
export type ResetScope = (typeof RESET_SCOPES)[number];

const RESET_SCOPES = ["logical-unit", "i-t-nexus", "target"] as const;

/** A {@link ResetScope}. */
export const aResetScope: Kind = oneOf(RESET_SCOPES);

/** Deadline of a command to a disk of the host that came without one (QEMU: DEFAULT_IO_TIMEOUT, 30 s). */
export const IO_TIMEOUT_MS_DEFAULT = 30_000;

/** Longest deadline: that of SG_IO has 32 bits of milliseconds. */
export const TIMEOUT_MS_MAX = 0xffff_ffff;

/** Most data of one command to a disk of the host: 65535 sectors of 512 bytes, the largest transfer QEMU's virtio-scsi announces. */
export const HOST_TRANSFER_BYTES_MAX = 65535 * 512;
