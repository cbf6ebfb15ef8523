/** What objects may know of the machine they belong to. */
import type { Fabric } from "../target/fabric.js";
import type { LogicalUnit } from "../target/logical-unit.js";

/** Name and storage network of a machine, and whom to tell. */
export interface MachineContext {
  /** `-name`, else m0, m1, … in order of creation on the fabric; part of default initiator names. */
  readonly name: string;
  readonly fabric: Fabric;
  /** Takes note of a unit that came into being for this machine: if the machine cannot be made, it is taken back. */
  unitCreated(fabric: Fabric, unit: LogicalUnit): void;
  /** Tells the machine's user, in one line, what goes on and is not as it should be; the same line twice is told once. */
  warn(line: string): void;
}

/** Injection token of {@link MachineContext}. */
export const MachineContext: unique symbol = Symbol("MachineContext");

/**
 * The initiator name of a path that was given none. iSCSI names know neither upper case nor most punctuation (RFC 3722), and two
 * nodes must not become one nexus: such a character is written as `:` and two hexadecimal digits.
 */
export function defaultInitiator(context: MachineContext, node: string): string {
  const escape = (character: string): string => `:${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return `iqn.2026-11.org.qom-pr:${context.name.replaceAll(/[^a-z0-9.-]/g, escape)}:${node.replaceAll(/[^a-z0-9.-]/g, escape)}`;
}
