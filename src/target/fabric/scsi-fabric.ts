/** `-object scsi-fabric,id=san0,store=s0` or `…,state=DIR`: a simulated storage network in addition to the machine's own. */

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
import { STORE_LINK } from "../../stores/reservation-store.js";
import type { ReservationStoreObject } from "../../stores/reservation-store.js";
import { StoreUse } from "../../stores/store-use.js";

/** How a link to a storage network is looked up: by its id below /objects, like a link to a PR manager. */
export const FABRIC_LINK: LinkTarget = Object.freeze({ typeName: "scsi-fabric", noun: "SCSI fabric", lookup: "objects" });

/** See the module text. The network is closed when the object is deleted. */
@qomType({ name: "scsi-fabric", description: "a simulated storage network", interfaces: [USER_CREATABLE] })
export class ScsiFabric extends QomObject {
  @qomProperty(qom.string(), {
    description: "folder that keeps reservations made with APTPL, used by one process at a time; without it they end with the object",
  })
  accessor state: string | undefined;

  @qomProperty(qom.link<ReservationStoreObject>(STORE_LINK), {
    description: "id of the reservation store that keeps reservations; 'state' is short for a reservation-folder of its own",
  })
  accessor store: ReservationStoreObject | undefined;

  @qomProperty(qom.bool(), {
    description: "off: its disks refuse APTPL, like disks whose reservations end with a power failure",
    default: true,
  })
  accessor aptpl!: boolean;

  readonly #clock: Clock;
  readonly #use: FolderUse;
  readonly #reservationListeners: ReservationListener[] = [];
  readonly #warningListeners: WarningListener[] = [];
  #fabric: Fabric | undefined;
  #releaseStore = (): void => {};

  constructor(@inject(Clock) clock: Clock, @inject(StoreUse) { use }: StoreUse) {
    super();
    this.#clock = clock;
    this.#use = use;
  }

  /** The network. */
  get fabric(): Fabric {
    assert(this.#fabric !== undefined, "a completed scsi-fabric has a fabric");
    return this.#fabric;
  }

  /** Like {@link Fabric.onReservationChange}, for the life of the object; may be called before the object is completed. */
  onReservationChange(listener: ReservationListener): void {
    check("ScsiFabric.onReservationChange", "listener", listener, aFunction);
    if (this.#fabric === undefined) this.#reservationListeners.push(listener);
    else this.#fabric.onReservationChange(listener);
  }

  /** Like {@link Fabric.onWarning}; may be called before the object is completed. */
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
    const { state, store } = this;
    if (state !== undefined && store !== undefined) {
      throw new QomError("conflict", "'state' and 'store' both set where reservations are kept", {
        context: { option: "state", value: state },
      });
    }
    if (!this.aptpl && (state !== undefined || (store !== undefined && store.watch === undefined))) {
      const what = state === undefined ? `the store that 'store' names` : `the folder that 'state' names`;
      throw new QomError("conflict", `aptpl=off leaves nothing to keep in ${what}`, { context: { option: "aptpl", value: "off" } });
    }
    if (store !== undefined) {
      this.#releaseStore = store.usedBy(this.describe());
      return new Fabric({ store, clock, behaviour });
    }
    if (state === undefined) return new Fabric({ clock, behaviour });
    try {
      return await Fabric.open({ stateDir: state, use: this.#use, clock, behaviour });
    } catch (error) {
      throw error instanceof QomError ? error.within({ option: "state", value: state }) : error;
    }
  }

  override async finalize(): Promise<void> {
    try {
      await this.fabric.close();
    } finally {
      this.#releaseStore();
    }
  }
}
