/** What objects may know of the machine they belong to. */
import type { Fabric } from "./fabric.js";
import type { LogicalUnit } from "../unit/logical-unit.js";

/** Name and storage network of a machine, and whom to tell. */
export interface MachineContext {
  /** `-name`, else m0, m1, … in order of creation on the fabric; part of default initiator names. */
  readonly name: string;
  readonly fabric: Fabric;
  /** Takes note that the machine has initiators on `fabric`, its own or another one. */
  joins(fabric: Fabric): void;
  /** Takes note of a unit that came into being for this machine: if the machine cannot be made, it is taken back. */
  unitCreated(fabric: Fabric, unit: LogicalUnit): void;
  /** Tells the machine's user, in one line, what goes on and is not as it should be; the same line twice is told once. */
  warn(line: string): void;
}

/** Injection token of {@link MachineContext}. */
export const MachineContext: unique symbol = Symbol("MachineContext");
