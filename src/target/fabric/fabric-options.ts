/** What a fabric is given: types, and the kinds of arguments that a caller without a type checker may get wrong. */

import { aBoolean, aFunction, anObject, aNumber, aString, checkMembers, having, oneOf, optional } from "../../base/check.js";
import type { Kind } from "../../base/check.js";
import type { Clock } from "../../base/clock.js";
import type { TargetBehaviour } from "../behaviour.js";
import type { FolderUse } from "../../stores/folder/holder.js";
import type { Medium } from "../medium/medium.js";
import type { LogicalUnit } from "../unit/logical-unit.js";
import type { ReservationStore } from "../../reservation/store.js";
import type { UnitSpec } from "../unit/unit-spec.js";

/** How a fabric is set up; everything has a default. */
export interface FabricOptions {
  /** Time of command deadlines. Default the real clock. */
  readonly clock?: Clock;
  /** What its units do where targets differ. Default: what the standard says, every feature on. */
  readonly behaviour?: Partial<TargetBehaviour>;
  /** Where reservations are kept. Default: in memory, where those made with APTPL survive {@link Fabric.powerCycle} and not the process. */
  readonly store?: ReservationStore;
}

/** How a fabric is opened whose reservations survive power loss. */
export interface DurableFabricOptions extends Omit<FabricOptions, "store"> {
  /** Folder of the reservations, made when it is missing; one process uses it at a time. */
  readonly stateDir: string;
  /** How long the folder will be held: another process that wants it is told so (`context.heldFor` of the error). Default: lasting. */
  readonly use?: FolderUse;
}

/** How a unit is attached whose users come later, see {@link Fabric.attachPath}. */
export interface PathOptions {
  /** Whether its users may write. */
  readonly writes: boolean;
  /** Told, in one line, why the file is used without a lock. */
  readonly warn: (line: string) => void;
  /** Told of the unit if the call creates it, for who may have to {@link Fabric.discard} it. */
  readonly onCreate: (unit: LogicalUnit) => void;
  /**
   * Where a new unit has its blocks, in place of memory or a file. It is closed with the unit, or by a call that rejects, unless it is the
   * medium of some unit then. A unit that exists has this very medium, or the call is refused. Default: as the spec says.
   */
  readonly medium?: Medium;
}

/** Told that registrations or the reservation of a unit have changed: before the command that did it is answered. */
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

/** @throws QomError `invalid-value` for a member of another kind; what behaviour.ts says of `behaviour` is not asked */
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

/** Whether the members of a description are of their kind; what they say is checked by unit-spec.ts. @throws QomError `invalid-value` */
export function checkSpecKinds(call: string, spec: UnitSpec): void {
  checkMembers(call, "spec", spec, SPEC);
}
