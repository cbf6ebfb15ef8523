/** The devices of a machine: creation, lookup, deletion (QEMU: softmmu/qdev-monitor.c). */
import { assert } from "../../base/assert.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { requireWellFormedId } from "../../options/id.js";
import { thoseThere } from "../../options/nearest.js";
import { takeText } from "../../options/take.js";
import type { OptionMap } from "../../options/value.js";
import { requireUnheld } from "../../qom/factory.js";
import type { ObjectFactory } from "../../qom/factory.js";
import type { ValueForm } from "../../qom/property-type.js";
import type { CompositionTree } from "../../qom/tree.js";
import { typeHint } from "../../qom/type-registry.js";
import type { RegisteredType } from "../../qom/type-registry.js";
import { Device } from "../device.js";

const PERIPHERAL = "/machine/peripheral";
const PERIPHERAL_ANONYMOUS = "/machine/peripheral-anon";
/** The type that all devices descend from. */
export const DEVICE_TYPE = "device";

/** The id that a device was made with; null for one that was made without, or is gone. */
export function givenId(device: Device): string | null {
  return device.canonicalPath === `${PERIPHERAL}/${device.id ?? ""}` ? device.id : null;
}

/** See the module text. */
export class DeviceSet {
  readonly #tree: CompositionTree;
  readonly #factory: ObjectFactory;
  /** In order of creation. */
  readonly #devices = new Set<Device>();
  readonly #pending = new Set<string>();
  readonly #plugged: (device: Device) => void;
  /** Devices whose end has begun. */
  readonly #ending = new Set<Device>();

  /** @param plugged told of each device when it is complete and has its place in the tree */
  constructor(tree: CompositionTree, factory: ObjectFactory, plugged: (device: Device) => void) {
    this.#tree = tree;
    this.#factory = factory;
    this.#plugged = plugged;
  }

  /** In order of creation. */
  get all(): readonly Device[] {
    return [...this.#devices];
  }

  /**
   * Makes a device: `-device`, device_add.
   * @param given `driver`, `id`, `bus` and the device's properties
   * @throws QomError; nothing is left of the device then
   */
  async create(given: OptionMap, form: ValueForm): Promise<Device> {
    const { type, id, bus, values } = this.#takeHead(given);
    if (id !== undefined) this.#requireFree(id);
    if (id !== undefined) this.#pending.add(id);
    try {
      const device = await this.#factory.create({ type, id: id ?? null, values, form }, this.#tree.resolveLink, {
        prepare: (object) => {
          assert(object instanceof Device, "every device type is a Device");
          object.prepare(bus);
        },
        attach: (object) =>
          this.#tree.attach(this.#tree.resolve(id === undefined ? PERIPHERAL_ANONYMOUS : PERIPHERAL), id ?? "device[*]", object),
      });
      assert(device instanceof Device, "every device type is a Device");
      this.#devices.add(device);
      this.#plugged(device);
      return device;
    } finally {
      if (id !== undefined) this.#pending.delete(id);
    }
  }

  /** Refuses what {@link create} would refuse whatever else there is in the machine. @throws QomError as {@link create} */
  check(given: OptionMap, form: ValueForm): void {
    const { type, id, values } = this.#takeHead(given);
    if (id !== undefined) requireWellFormedId(id, { option: "id", value: id });
    this.#factory.check(type, { values, form });
  }

  /** The device with that id, or at that path. @throws QomError `not-found` (DeviceNotFound) */
  find(idOrPath: string): Device {
    const path = idOrPath.startsWith("/") ? idOrPath : `${PERIPHERAL}/${idOrPath}`;
    let found: unknown;
    try {
      found = this.#tree.resolve(path);
    } catch (error) {
      if (!(error instanceof QomError) || error.kind !== "not-found") throw error;
    }
    if (found instanceof Device) return found;
    throw new QomError("not-found", `no device '${printable(idOrPath)}'`, {
      context: { value: idOrPath },
      qmpClass: "DeviceNotFound",
      hint: thoseThere(
        idOrPath,
        this.all.flatMap((device) => givenId(device) ?? []),
      ),
    });
  }

  /** Whether {@link delete} of the device has begun and not ended. */
  isEnding(device: Device): boolean {
    return this.#ending.has(device);
  }

  /**
   * Ends a device: commands in flight get `graceMs` to finish.
   * @throws QomError `in-use`
   */
  async delete(device: Device, graceMs: number): Promise<void> {
    if (this.#ending.has(device)) throw new QomError("in-use", `${device.describe()} is being unplugged already`);
    requireUnheld(device);
    this.#ending.add(device);
    try {
      await device.drain(graceMs);
      await this.#end(device);
    } finally {
      this.#ending.delete(device);
    }
  }

  /** Ends all devices, the youngest first; their commands drain at the same time. */
  async closeAll(graceMs: number): Promise<void> {
    await Promise.all(this.all.map((device) => device.drain(graceMs)));
    await runAll(this.all.toReversed().map((device) => () => this.#end(device)));
  }

  async #end(device: Device): Promise<void> {
    // A device whose unplugging was under way when the machine ended is ended once.
    if (!this.#devices.has(device)) return;
    this.#tree.detach(device);
    this.#devices.delete(device);
    await this.#factory.destroy(device);
  }

  /** Takes out of a device's options what are no properties of it; the rest are `values`. */
  #takeHead(given: OptionMap): {
    readonly type: RegisteredType;
    readonly id: string | undefined;
    readonly bus: string | undefined;
    readonly values: OptionMap;
  } {
    const values = new Map(given);
    const driver = takeText(values, "driver");
    if (driver === undefined) throw new QomError("missing", "the option 'driver' is required", { context: { option: "driver" } });
    const id = takeText(values, "id");
    const bus = takeText(values, "bus");
    return { type: this.#driver(driver), id, bus, values };
  }

  #driver(name: string): RegisteredType {
    const { registry } = this.#factory;
    const context = { option: "driver", value: name };
    const type = registry.find(name);
    if (type === undefined || !registry.isA(type.name, DEVICE_TYPE)) {
      throw new QomError("unknown-type", `'${printable(name)}' is not a device type`, {
        context,
        hint: typeHint(name, registry.list({ implements: DEVICE_TYPE }), "device types"),
      });
    }
    if (type.abstract) throw new QomError("abstract-type", `device type '${type.name}' is abstract and cannot be created`, { context });
    return type;
  }

  #requireFree(id: string): void {
    requireWellFormedId(id, { option: "id", value: id });
    if (this.#pending.has(id) || this.#tree.isTaken(this.#tree.resolve(PERIPHERAL), id))
      throw new QomError("duplicate", `a device with id '${id}' exists already`, { context: { option: "id", value: id } });
  }
}
