/**
 * A disk as devices, block nodes and PR managers see it. There are two kinds: a device of this host
 * (host/host-unit.ts) and a path to a unit of the simulated storage network (target/unit/simulated-unit.ts).
 */

import { oneOf } from "../base/check.js";
import type { Kind } from "../base/check.js";
import type { Account } from "./account.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "./command.js";
import type { Nexus } from "./nexus.js";
import type { SenseCode } from "./sense.js";

/** A manager's view of a disk. */
export interface ScsiUnit {
  /** Descriptor to lend to a helper; null for a unit without one. The device keeps it open; a borrower duplicates it or passes it on. */
  readonly fd: number | null;
  /** Opened read-only: PERSISTENT RESERVE OUT is refused. */
  readonly readOnly: boolean;
  /** Text that is the same for all paths to one logical unit: the name of a simulated unit, or as host/identity.ts says. */
  readonly identity: string;
  /** The I_T nexus by which the device reaches its unit; null if only the operating system knows it. */
  readonly nexus: Nexus | null;
  /** The account that is charged for what a manager keeps because of commands for this unit. Default: none. */
  readonly account?: Account;
  /**
   * True for a unit that keeps and enforces its reservations itself, in this process, so that managers keep none for it. Default: false.
   */
  readonly keepsReservations?: boolean;
  /**
   * Sends a command on the privileged path: by `ioctl(SG_IO)` to a real disk, directly to a simulated one. The command is not checked
   * again: it is the manager's own, or the one that the manager was given.
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

/** A disk as its block node and the device on that see it. */
export interface DiskUnit extends ScsiUnit {
  /** Limits of the host between the device and the unit; null if there is none, so that the unit checks every command itself. */
  readonly hostTraits: HostTraits | null;
  /** Whether commands without a deadline need one: false for a unit that always answers, unless a test holds it. */
  readonly needsDeadline: boolean;
  /**
   * Sends a command on the path of an unprivileged program. The command has been checked. The unit has to keep its deadline. Once its
   * signal fires, the device waits only for a moment, and `into` must not be changed any more.
   */
  execute(command: ScsiCommand): ScsiAnswer;
  /** Carries out a task management function. A device of this host does nothing. */
  reset(scope: ResetScope): Promise<void>;
  /** The size, if it is known without a command, which could consume a unit attention; null otherwise. */
  geometry(): Geometry | null;
  /** The same unit, read-only. */
  asReadOnly(): DiskUnit;
  /** Unit attentions that it has for the device and has not reported, in the order of reporting. Absent where nobody can tell. */
  pendingAttentions?(): readonly SenseCode[];
}

/** What the operating system reports about the node of a real device. */
export interface HostTraits {
  /** A node of the sg driver (/dev/sgN), which has no blocks. */
  readonly genericNode: boolean;
  /** Maximum bytes of data of one command; null if not known. */
  readonly transferBytesMax: number | null;
}

/** Size of a medium. */
export interface Geometry {
  readonly blockSizeBytes: number;
  /** Number of logical blocks. */
  readonly blocks: number;
}

/** The scope of a reset: SAM-5 7.7 LOGICAL UNIT RESET, 7.6 I_T NEXUS RESET, and the hard reset of a target. */
export type ResetScope = (typeof RESET_SCOPES)[number];

const RESET_SCOPES = ["logical-unit", "i-t-nexus", "target"] as const;

/** A {@link ResetScope}. */
export const aResetScope: Kind = oneOf(RESET_SCOPES);

/** Deadline of a command to a disk of the host that has none (QEMU: DEFAULT_IO_TIMEOUT, 30 s). */
export const IO_TIMEOUT_MS_DEFAULT = 30_000;

/** Longest deadline: that of SG_IO has 32 bits of milliseconds. */
export const TIMEOUT_MS_MAX = 0xffff_ffff;

/**
 * Maximum data of one command to a disk of the host: 65535 sectors of 512 bytes, the largest transfer that QEMU's virtio-scsi announces.
 */
export const HOST_TRANSFER_BYTES_MAX = 65535 * 512;
