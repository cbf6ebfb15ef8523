/** `-object scsi-fabric,id=san0,state=DIR`: a simulated storage network beside the machine's own. */

import { assert } from "../../base/assert.js";
import { aFunction, check } from "../../base/check.js";
import { Clock } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import type { WarningListener } from "../../base/warnings.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { inject } from "../../qom/inject.js";
import { USER_CREATABLE } from "../../qom/interfaces.js";
import { QomObject } from "../../qom/object.js";
import { qom } from "../../qom/property-type.js";
import type { LinkTarget } from "../../qom/property-type.js";
import { Fabric } from "./fabric.js";
import type { ReservationListener } from "./fabric-options.js";
import type { FolderUse } from "../../stores/folder/holder.js";

/** How a link to a storage network is looked up: one id below /objects, like that to a PR manager. */
export const FABRIC_LINK: LinkTarget = Object.freeze({ typeName: "scsi-fabric", noun: "SCSI fabric", lookup: "objects" });

/** Injection token of {@link FabricUse}. */
export const FabricUse: unique symbol = Symbol("FabricUse");

/** For how long a program makes its storage networks. */
export interface FabricUse {
  /** What a process that wants the same folder is told. */
  readonly use: FolderUse;
}

/** See the module text. The network ends with the object. */
@qomType({ name: "scsi-fabric", description: "a simulated storage network", interfaces: [USER_CREATABLE] })
export class ScsiFabric extends QomObject {
  @qomProperty(qom.string(), {
    description: "folder that keeps reservations made with APTPL, used by one process at a time; without it they end with the object",
  })
  accessor state: string | undefined;

  @qomProperty(qom.bool(), {
    description: "off: its disks refuse APTPL, as disks do whose reservations end with a power failure",
    default: true,
  })
  accessor aptpl!: boolean;

  readonly #clock: Clock;
  readonly #use: FolderUse;
  readonly #reservationListeners: ReservationListener[] = [];
  readonly #warningListeners: WarningListener[] = [];
  #fabric: Fabric | undefined;

  constructor(@inject(Clock) clock: Clock, @inject(FabricUse) { use }: FabricUse) {
    super();
    this.#clock = clock;
    this.#use = use;
  }

  /** The network. */
  get fabric(): Fabric {
    assert(this.#fabric !== undefined, "a completed scsi-fabric has a fabric");
    return this.#fabric;
  }

  /** As {@link Fabric.onReservationChange}, for as long as the object lives; it may be called before there is a network. */
  onReservationChange(listener: ReservationListener): void {
    check("ScsiFabric.onReservationChange", "listener", listener, aFunction);
    if (this.#fabric === undefined) this.#reservationListeners.push(listener);
    else this.#fabric.onReservationChange(listener);
  }

  /** As {@link Fabric.onWarning}; it may be called before there is a network. */
  onWarning(listener: WarningListener): void {
    check("ScsiFabric.onWarning", "listener", listener, aFunction);
    if (this.#fabric === undefined) this.#warningListeners.push(listener);
    else this.#fabric.onWarning(listener);
  }

  override async complete(): Promise<void> {
    this.#fabric = await this.#open();
    for (const listener of this.#reservationListeners) this.#fabric.onReservationChange(listener);
    for (const listener of this.#warningListeners) this.#fabric.onWarning(listener);
  }

  async #open(): Promise<Fabric> {
    const clock = this.#clock;
    const behaviour = { persistThroughPowerLoss: this.aptpl };
    if (this.state === undefined) return new Fabric({ clock, behaviour });
    if (!this.aptpl) {
      throw new QomError("conflict", "aptpl=off leaves nothing to keep in the folder that 'state' names", {
        context: { option: "aptpl", value: "off" },
      });
    }
    try {
      return await Fabric.open({ stateDir: this.state, use: this.#use, clock, behaviour });
    } catch (error) {
      throw error instanceof QomError ? error.within({ option: "state", value: this.state }) : error;
    }
  }

  override async finalize(): Promise<void> {
    await this.fabric.close();
  }
}
