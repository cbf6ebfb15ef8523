/** What objects can learn about the machine that they belong to. */
import type { Fabric } from "./fabric.js";
import type { LogicalUnit } from "../unit/logical-unit.js";

/** Name and storage network of a machine, and what it wants to be told. */
export interface MachineContext {
  /** `-name`, else m0, m1, … in order of creation on the fabric; part of default initiator names. */
  readonly name: string;
  readonly fabric: Fabric;
  /** Registers that the machine has initiators on `fabric`, its own or another one. */
  joins(fabric: Fabric): void;
  /** Registers a unit that was created for this machine: if the machine cannot be made, the unit is discarded. */
  unitCreated(fabric: Fabric, unit: LogicalUnit): void;
  /** Gives the machine's user a warning, one line; the same line is given once. */
  warn(line: string): void;
}

/** Injection token of {@link MachineContext}. */
export const MachineContext: unique symbol = Symbol("MachineContext");
