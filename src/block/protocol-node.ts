/** Nodes at the end of a chain: they access the medium, and have the link to the PR manager. */
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

/** `locking` of nodes that have a file: locks where they are available, locks or an error, no locks (QEMU: OnOffAuto). */
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

  /** Checks that the manager accepts the unit; called once the unit is known. */
  protected admitUnit(): void {
    const { unit } = this;
    if (!(unit instanceof NoScsi)) this.prManager?.admit(unit);
  }
}
