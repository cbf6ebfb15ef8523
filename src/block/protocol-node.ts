/** Nodes at the end of the chain: they have the descriptor, and the link to the PR manager lives here. */
import { LOCKINGS } from "../base/image-access.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { qom } from "../qom/property-type.js";
import { PR_MANAGER_LINK } from "../pr-manager/pr-manager.js";
import type { PrManager } from "../pr-manager/pr-manager.js";
import { routeOf } from "../scsi/routing.js";
import type { Route } from "../scsi/routing.js";
import type { ScsiAnswer, ScsiCommand } from "../scsi/command.js";
import type { DiskUnit } from "../scsi/unit.js";
import { BlockNode, NoScsi } from "./node.js";
import type { MediumInfo, ProtocolAccess } from "./node.js";

/** Name of the type {@link ProtocolNode}. */
export const PROTOCOL_NODE_TYPE = "protocol-node";

/** `locking` of nodes that have a file: locks where the system has them, locks or a refusal, no locks (QEMU: OnOffAuto). */
export const LOCKING = qom.enumeration("OnOffAuto", LOCKINGS);

/** See the module text. */
@qomType({ name: PROTOCOL_NODE_TYPE, description: "a node that talks to a medium", abstract: true })
export abstract class ProtocolNode extends BlockNode implements ProtocolAccess {
  @qomProperty(qom.link<PrManager>(PR_MANAGER_LINK), { description: "id of the PR manager that runs PERSISTENT RESERVE commands" })
  accessor prManager: PrManager | undefined;

  override get protocol(): ProtocolAccess {
    return this;
  }

  abstract get unit(): DiskUnit | NoScsi;

  medium(): Promise<MediumInfo> {
    return Promise.resolve({ name: "", sizeBytes: 0 });
  }

  routeOf(opcode: number | undefined): Route {
    return this.prManager === undefined ? "device" : routeOf(opcode);
  }

  execute(unit: DiskUnit, command: ScsiCommand): ScsiAnswer {
    const manager = this.prManager;
    return manager !== undefined && routeOf(command.cdb[0]) === "manager" ? manager.executeChecked(unit, command) : unit.execute(command);
  }

  /** Checks, once the unit is known, that the manager can work with it. */
  protected admitUnit(): void {
    const { unit } = this;
    if (!(unit instanceof NoScsi)) this.prManager?.admit(unit);
  }
}
