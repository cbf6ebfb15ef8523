/** Monitors as objects: each monitor of a machine is one (QEMU 11: qapi/qom.json, MonitorQMPProperties and MonitorHMPProperties). */
import { QomError } from "../base/errors.js";
import type { MonitorMode } from "../chardev/spec.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import { QomObject } from "../qom/object.js";
import { qom } from "../qom/property-type.js";
import type { AttachedMonitor } from "./monitors.js";

/** Where monitors are put to work. */
export interface MonitorDesk {
  /** See {@link Monitors.attach}. */
  attach(monitor: AttachedMonitor): Promise<(closing: boolean) => Promise<void>>;
  /** Deletes the object with that id. */
  remove(id: string): void;
}

/** Injection token of {@link MonitorDesk}. */
export const MonitorDesk: unique symbol = Symbol("MonitorDesk");

/** The types of the two kinds. */
export const MONITOR_TYPES: Readonly<Record<MonitorMode, string>> = Object.freeze({ control: "monitor-qmp", readline: "monitor-hmp" });

/** What any monitor has. */
@qomType({ name: "monitor", description: "a monitor", abstract: true, interfaces: [USER_CREATABLE] })
export abstract class MonitorObject extends QomObject {
  @qomProperty(qom.string(), { description: "id of the -chardev that the monitor talks through", required: true })
  accessor chardev!: string;

  readonly #desk: MonitorDesk;
  #detach: ((closing: boolean) => Promise<void>) | undefined;

  constructor(@inject(MonitorDesk) desk: MonitorDesk) {
    super();
    this.#desk = desk;
  }

  /** What the monitor is like. */
  protected abstract get manner(): Pick<AttachedMonitor, "mode" | "pretty" | "edits">;

  /** Whether the monitor, and its device, go with its last client. */
  protected get leavesWithClient(): boolean {
    return false;
  }

  override async complete(): Promise<void> {
    const { chardev, id, manner } = this;
    const left = (): void => {
      if (this.leavesWithClient) this.#desk.remove(id ?? "");
    };
    this.#detach = await this.#desk.attach({ ...manner, id: id ?? "", chardev, left });
  }

  override async finalize(): Promise<void> {
    await this.#detach?.(this.leavesWithClient);
  }
}

/** A monitor that speaks QMP. */
@qomType({ name: MONITOR_TYPES.control, description: "a QMP monitor" })
export class MonitorQmp extends MonitorObject {
  @qomProperty(qom.bool(), { description: "indented output", default: false })
  accessor pretty!: boolean;

  @qomProperty(qom.enumeration("MonitorQMPCloseAction", ["none", "delete"]), {
    name: "close-action",
    description: "what happens when the last client has gone: `delete` removes the monitor and its character device",
    default: "none",
  })
  accessor closeAction!: "none" | "delete";

  protected override get manner(): Pick<AttachedMonitor, "mode" | "pretty" | "edits"> {
    return { mode: "control", pretty: this.pretty, edits: false };
  }

  protected override get leavesWithClient(): boolean {
    return this.closeAction === "delete";
  }
}

/** A monitor for people. */
@qomType({ name: MONITOR_TYPES.readline, description: "a monitor for people" })
export class MonitorHmp extends MonitorObject {
  @qomProperty(qom.bool(), { description: "lines can be edited on a terminal", default: true })
  accessor readline!: boolean;

  protected override get manner(): Pick<AttachedMonitor, "mode" | "pretty" | "edits"> {
    return { mode: "readline", pretty: false, edits: this.readline };
  }
}

/**
 * Refuses to delete what QEMU does not delete: the monitor that the command came through, and one for people.
 * @param monitor id of the monitor that the command came through, if it came through one
 * @throws QomError `in-use`, `unsupported`
 */
export function requireDeletable(object: QomObject, monitor: string | null): void {
  const context = { object: object.id ?? "" };
  if (object instanceof MonitorHmp)
    throw new QomError("unsupported", `${object.describe()} is a monitor for people and stays`, { context });
  if (!(object instanceof MonitorObject) || object.id !== monitor) return;
  throw new QomError("in-use", `${object.describe()} is the monitor that this command came through`, { context });
}
