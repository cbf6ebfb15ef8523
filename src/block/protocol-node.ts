/** Nodes at the end of a chain: they access the medium, and have the link to the PR manager. */
import { isErrnoError } from "../base/errors.js";
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

/** Errors of the system for who may not write. */
const NO_WRITING: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

/** Name of the type {@link ProtocolNode}. */
export const PROTOCOL_NODE_TYPE = "protocol-node";

/** `locking` of nodes that have a file: locks where they are available, locks or an error, no locks (QEMU: OnOffAuto). */
export const LOCKING = qom.enumeration("OnOffAuto", LOCKINGS);

/** See the module text. */
@qomType({ name: PROTOCOL_NODE_TYPE, description: "a node that talks to a medium", abstract: true })
export abstract class ProtocolNode extends BlockNode implements ProtocolAccess {
  @qomProperty(qom.link<PrManager>(PR_MANAGER_LINK), { description: "id of the PR manager that runs PERSISTENT RESERVE commands" })
  accessor prManager: PrManager | undefined;

  #openedReadOnly = false;

  override get protocol(): ProtocolAccess {
    return this;
  }

  override get isReadOnly(): boolean {
    return this.readOnly || this.#openedReadOnly;
  }

  /**
   * Opens with the access that the node asks for; without write access where `auto-read-only` allows it and the host allows no other.
   * @param open throws a QomError that has the error of the system as its cause
   */
  protected async openWith<T>(open: (readOnly: boolean) => Promise<T>): Promise<T> {
    try {
      return await open(this.readOnly);
    } catch (error) {
      const { cause } = error as { readonly cause?: unknown }; // anything but null may be asked for a member
      if (this.readOnly || !this.autoReadOnly || !isErrnoError(cause) || !NO_WRITING.has(cause.code)) throw error;
      this.#openedReadOnly = true;
      return open(true);
    }
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
