/** Events of what belongs to a machine: the state of PR managers, commands that they run, reservations of simulated units. */
import { PrManager } from "../pr-manager/pr-manager.js";
import type { ExecuteListener } from "../pr-manager/pr-manager.js";
import { isComplete } from "../qom/object.js";
import type { QomObject } from "../qom/object.js";
import { serviceActionOf } from "../scsi/cdb.js";
import type { Fabric } from "../target/fabric/fabric.js";
import type { LogicalUnit } from "../target/unit/logical-unit.js";
import { ScsiFabric } from "../target/fabric/scsi-fabric.js";
import type { EventHub } from "./events.js";
import { reservationMember } from "./reservations.js";

/** See the file text. */
export class MachineEvents {
  readonly #events: EventHub;
  readonly #release: readonly (() => void)[];
  readonly #warn: (line: string) => void;
  /** By manager: how to end listening to its commands; undefined while nobody asked for them. */
  readonly #managers = new Map<PrManager, (() => void) | undefined>();
  #tracing = false;

  /**
   * @param fabric the machine's own network
   * @param warn called with each warning of a network, one line
   */
  constructor(events: EventHub, fabric: Fabric, warn: (line: string) => void) {
    this.#events = events;
    this.#warn = warn;
    this.#release = [fabric.onReservationChange((unit) => this.#tellReservations(unit, null)), fabric.onWarning(warn)];
  }

  /** Listens to an object that is being made, from before it is complete. */
  watch(object: QomObject): void {
    if (object instanceof ScsiFabric) {
      object.onReservationChange((unit) => this.#tellReservations(unit, object.id));
      object.onWarning((line) => this.#warn(`'${object.id ?? ""}': ${line}`));
    }
    if (object instanceof PrManager) this.#watchManager(object);
  }

  /** Makes commands that managers run events, or no longer. */
  trace(enable: boolean): void {
    this.#tracing = enable;
    for (const manager of [...this.#managers.keys()]) this.#trace(manager);
  }

  /** Ends listening to what may outlive the machine. */
  close(): void {
    for (const release of this.#release) release();
  }

  /** A manager that is being made has its events, and one that is being deleted has none, as in QEMU. */
  #watchManager(manager: PrManager): void {
    manager.onConnectionChange((connected) => {
      if (isGone(manager)) return;
      this.#events.emit("PR_MANAGER_STATUS_CHANGED", { id: manager.id ?? "", connected });
    });
    for (const known of this.#managers.keys()) if (isGone(known)) this.#managers.delete(known);
    this.#managers.set(manager, undefined);
    this.#trace(manager);
  }

  #trace(manager: PrManager): void {
    const end = this.#managers.get(manager);
    if (this.#tracing === (end !== undefined)) return;
    end?.();
    const tell: ExecuteListener = (unit, { cdb }, { status }) => {
      if (!this.#events.heard) return;
      const command = { opcode: cdb[0] ?? 0, "service-action": serviceActionOf(cdb) };
      this.#events.emit("X_PR_TRACE", { id: manager.id ?? "", unit: unit.identity, ...command, status });
    };
    this.#managers.set(manager, this.#tracing ? manager.onExecute(tell) : undefined);
  }

  /** Says how many registrants there are and not which: there may be thousands, and x-query-reservations lists them. */
  #tellReservations(unit: LogicalUnit, fabricId: string | null): void {
    if (!this.#events.heard) return;
    const { generation, registrantCount, reservation } = unit.reservationSummary;
    this.#events.emit("X_RESERVATION_CHANGED", {
      ...(fabricId === null ? {} : { fabric: fabricId }),
      unit: unit.wwn,
      generation,
      registrants: registrantCount,
      ...reservationMember(reservation),
    });
  }
}

/** Whether an object has left the tree. */
function isGone(object: QomObject): boolean {
  return isComplete(object) && object.canonicalPath === null;
}
