/** Options of a fabric: their types, and checks for callers without a type checker. */

import { aBoolean, aFunction, anObject, aNumber, aString, checkMembers, having, oneOf, optional } from "../../base/check.js";
import type { Kind } from "../../base/check.js";
import type { Clock } from "../../base/clock.js";
import type { TargetBehaviour } from "../behaviour.js";
import type { FolderUse } from "../../stores/folder/holder.js";
import type { Medium } from "../medium/medium.js";
import type { LogicalUnit } from "../unit/logical-unit.js";
import type { ReservationStore } from "../../reservation/store.js";
import type { UnitSpec } from "../unit/unit-spec.js";

/** How a fabric is set up; every member has a default. */
export interface FabricOptions {
  /** Clock for deadlines of commands. Default: the real clock. */
  readonly clock?: Clock;
  /** What its units do on points where real targets differ. Default: as the standard says, with every feature on. */
  readonly behaviour?: Partial<TargetBehaviour>;
  /** Where reservations are kept. Default: in memory; those made with APTPL survive {@link Fabric.powerCycle}, but not the process. */
  readonly store?: ReservationStore;
}

/** How a fabric is opened whose reservations survive a power loss. */
export interface DurableFabricOptions extends Omit<FabricOptions, "store"> {
  /** Folder for the reservations, created if it is missing; one process uses it at a time. */
  readonly stateDir: string;
  /** How long the folder will be held, for the error of a process that is refused (`context.heldFor`). Default: lasting. */
  readonly use?: FolderUse;
}

/** How a unit is attached before anything uses its medium, see {@link Fabric.attachPath}. */
export interface PathOptions {
  /** Whether users of the medium may write. */
  readonly writes: boolean;
  /** Called with one line if the file is used without a lock, which says why. */
  readonly warn: (line: string) => void;
  /** Called with the unit if the call creates it, so that the caller can {@link Fabric.discard} it. */
  readonly onCreate: (unit: LogicalUnit) => void;
  /**
   * Medium of a new unit, instead of memory or a file. It is closed with the unit; if the call rejects, it is closed unless a unit has it.
   * If the unit exists, it must have this very medium. Default: as the spec says.
   */
  readonly medium?: Medium;
}

/** Called when registrations or the reservation of a unit have changed, before the command that changed them is answered. */
export type ReservationListener = (unit: LogicalUnit) => void;

const CLOCK = having("a Clock", { nowMs: aFunction, after: aFunction });
const STORE = having("a reservation store", { load: aFunction, commit: aFunction, watch: optional(aFunction) });

const MEDIUM = having("a medium", {
  sizeBytes: aNumber,
  read: aFunction,
  write: aFunction,
  deallocate: aFunction,
  flush: aFunction,
  close: aFunction,
});

const SPEC: Readonly<Record<keyof UnitSpec, Kind>> = {
  wwn: aString,
  sizeBytes: optional(aNumber),
  filename: optional(aString),
  blockSizeBytes: optional(aNumber),
  physicalBlockSizeBytes: optional(aNumber),
  serial: optional(aString),
  writeProtected: optional(aBoolean),
  thinProvisioned: optional(aBoolean),
  locking: optional(aString),
  sharesWrites: optional(aBoolean),
};

const OPTIONS: Readonly<Record<keyof FabricOptions, Kind>> = {
  clock: optional(CLOCK),
  behaviour: optional(anObject),
  store: optional(STORE),
};

const DURABLE_OPTIONS: Readonly<Record<keyof DurableFabricOptions, Kind>> = {
  stateDir: aString,
  use: optional(oneOf(["moment", "lasting"])),
  clock: optional(CLOCK),
  behaviour: optional(anObject),
};

const PATH_OPTIONS: Readonly<Record<keyof PathOptions, Kind>> = {
  writes: aBoolean,
  warn: aFunction,
  onCreate: aFunction,
  medium: optional(MEDIUM),
};

/** @throws QomError `invalid-value` for a member of the wrong kind; members of `behaviour` are checked by behaviour.ts */
export function checkFabricOptions(call: string, options: FabricOptions): void {
  checkMembers(call, "options", options, OPTIONS);
}

/** @throws QomError as {@link checkFabricOptions} */
export function checkDurableOptions(call: string, options: DurableFabricOptions): void {
  checkMembers(call, "options", options, DURABLE_OPTIONS);
}

/** @throws QomError as {@link checkFabricOptions} */
export function checkPathOptions(call: string, options: PathOptions): void {
  checkMembers(call, "options", options, PATH_OPTIONS);
}

/** Checks the kinds of the members of a description; unit-spec.ts checks their values. @throws QomError `invalid-value` */
export function checkSpecKinds(call: string, spec: UnitSpec): void {
  checkMembers(call, "spec", spec, SPEC);
}
