/** SCSI buses and the addresses on them (QEMU: hw/scsi/scsi-bus.c). */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ResetScope } from "../../scsi/unit.js";

/** Where a device sits. */
export interface ScsiAddress {
  readonly channel: number;
  readonly target: number;
  readonly lun: number;
}

/** What a device asks for; what it leaves out is chosen. */
export interface WantedAddress {
  readonly channel: number;
  readonly target: number | undefined;
  readonly lun: number | undefined;
}

/** Largest channel, target and LUN of a bus. */
export type AddressLimits = ScsiAddress;

/** A device as the bus and its host adapter see it. */
export interface BusDevice {
  /** Block size as far as the device has told it; until then a guess by its type. */
  readonly blockSizeBytes: number;
  describe(): string;
  /** Whether the device counts the data of this command in blocks and moves them itself (QEMU: scsi_block_is_passthrough). */
  countsBlocks(cdb: Uint8Array): boolean;
  /** Runs a command; see ScsiDevice. */
  execute(command: ScsiCommand): Promise<ScsiResult>;
  /**
   * The same for a host adapter, without a promise when the result is there at once; it may throw what the promise would reject with.
   * @param own controller of the command's signal, which no other command has until this one has ended: the device may fire it too
   */
  answer(command: ScsiCommand, own?: AbortController | null): ScsiAnswer;
  /** Carries out a task management function; see ScsiDevice. */
  reset(scope: ResetScope): Promise<void>;
}

/** Whoever is told, by a bus, of devices that guests can or cannot reach any more: its host adapter. */
export interface BusListener<T extends BusDevice> {
  plugged(device: T, address: ScsiAddress): void;
  unplugged(device: T, address: ScsiAddress): void;
}

/** A place that is taken. A guest reaches the device when it is complete. */
interface Place<T extends BusDevice> {
  readonly address: ScsiAddress;
  readonly device: T;
  complete: boolean;
}

/** One bus. Devices are kept in order of target and LUN. */
export class ScsiBus<T extends BusDevice = BusDevice> {
  readonly name: string;
  readonly limits: AddressLimits;
  /** By address as a number, in order of arrival. */
  readonly #places = new Map<number, Place<T>>();
  #listener: BusListener<T> | null = null;

  constructor(name: string, limits: AddressLimits) {
    this.name = name;
    this.limits = limits;
  }

  /** Devices in order of channel, target and LUN. */
  get devices(): readonly T[] {
    const order = (a: ScsiAddress, b: ScsiAddress): number => a.channel - b.channel || a.target - b.target || a.lun - b.lun;
    return [...this.#places.values()].toSorted((a, b) => order(a.address, b.address)).map(({ device }) => device);
  }

  /** Makes `listener` the one that is told. */
  listen(listener: BusListener<T>): void {
    this.#listener = listener;
  }

  /** The complete device at that target and LUN. */
  at(target: number, lun: number): T | undefined {
    if (target > this.limits.target || lun > this.limits.lun) return undefined;
    const place = this.#places.get(this.#key(0, target, lun));
    return place?.complete === true ? place.device : undefined;
  }

  /** The complete devices of a target, the youngest first. */
  ofTarget(target: number): readonly { readonly device: T; readonly lun: number }[] {
    const places = [...this.#places.values()].filter(({ address, complete }) => complete && address.target === target);
    return places.toReversed().map(({ device, address }) => ({ device, lun: address.lun }));
  }

  /**
   * Puts a device on the bus. What it leaves open is chosen as QEMU does: LUN 0 of the lowest free target; a LUN alone goes to the
   * lowest target where it is free; a target alone gets its lowest free LUN.
   * @throws QomError `invalid-value` (out of range), `in-use` (occupied, naming by whom), `limit` (bus full)
   */
  add(device: T, wanted: WantedAddress): ScsiAddress {
    this.#requireInRange(wanted);
    const address = this.#choose(wanted);
    const occupant = this.#places.get(this.#keyOf(address));
    if (occupant !== undefined) {
      throw new QomError(
        "in-use",
        `target ${address.target}, LUN ${address.lun} on bus '${this.name}' is taken by ${occupant.device.describe()}`,
        {
          context: { option: "lun", value: String(address.lun) },
        },
      );
    }
    this.#places.set(this.#keyOf(address), { address, device, complete: false });
    return address;
  }

  /** Lets guests reach the device, if it sits on this bus. */
  plug(device: unknown): void {
    for (const place of this.#places.values()) {
      if (place.device !== device || place.complete) continue;
      place.complete = true;
      this.#listener?.plugged(place.device, place.address);
    }
  }

  /** Frees a place. */
  remove(address: ScsiAddress): void {
    const place = this.#places.get(this.#keyOf(address));
    this.#places.delete(this.#keyOf(address));
    if (place?.complete === true) this.#listener?.unplugged(place.device, address);
  }

  #choose({ channel, target, lun }: WantedAddress): ScsiAddress {
    const free = (candidate: ScsiAddress): boolean => !this.#places.has(this.#keyOf(candidate));
    if (target === undefined) {
      for (let at = 0; at <= this.limits.target; at += 1) {
        const candidate = { channel, target: at, lun: lun ?? 0 };
        if (free(candidate)) return candidate;
      }
      throw new QomError("limit", `bus '${this.name}' has no free target for LUN ${lun ?? 0}`);
    }
    if (lun !== undefined) return { channel, target, lun };
    for (let at = 0; at <= this.limits.lun; at += 1) {
      const candidate = { channel, target, lun: at };
      if (free(candidate)) return candidate;
    }
    throw new QomError("limit", `target ${target} on bus '${this.name}' has no free LUN`);
  }

  /** A number for each address within the limits: making a text of one costs more than finding it. */
  #key(channel: number, target: number, lun: number): number {
    return (channel * (this.limits.target + 1) + target) * (this.limits.lun + 1) + lun;
  }

  #keyOf({ channel, target, lun }: ScsiAddress): number {
    return this.#key(channel, target, lun);
  }

  #requireInRange(wanted: WantedAddress): void {
    const { limits } = this;
    const check = (option: string, value: number | undefined, max: number): void => {
      if (value === undefined || value <= max) return;
      throw new QomError("invalid-value", `${option} ${value} is out of range: bus '${this.name}' takes 0 to ${max}`, {
        context: { option, value: String(value) },
      });
    };
    check("channel", wanted.channel, limits.channel);
    check("scsi-id", wanted.target, limits.target);
    check("lun", wanted.lun, limits.lun);
  }
}

/** The SCSI buses of a machine. */
export class ScsiBuses<T extends BusDevice = BusDevice> {
  readonly #buses: ScsiBus<T>[] = [];
  #unnamed = 0;

  /** In order of creation. */
  get all(): readonly ScsiBus<T>[] {
    return this.#buses;
  }

  /** Makes a bus, named `<id>.0` after its HBA, or `scsi.0`, `scsi.1`, … for an HBA without id. */
  create(hbaId: string | null, limits: AddressLimits): ScsiBus<T> {
    const bus = new ScsiBus<T>(hbaId === null ? `scsi.${this.#unnamed}` : `${hbaId}.0`, limits);
    if (hbaId === null) this.#unnamed += 1;
    this.#buses.push(bus);
    return bus;
  }

  /** Lets guests reach a device that is complete, if it sits on a SCSI bus. */
  plug(device: unknown): void {
    for (const bus of this.#buses) bus.plug(device);
  }

  remove(bus: ScsiBus<T>): void {
    const at = this.#buses.indexOf(bus);
    if (at >= 0) this.#buses.splice(at, 1);
  }

  /**
   * The bus of that name, or the most recently created one, as in QEMU.
   * @throws QomError `not-found`
   */
  find(name: string | undefined): ScsiBus<T> {
    const found = name === undefined ? this.#buses.at(-1) : this.#buses.find((bus) => bus.name === name);
    if (found !== undefined) return found;
    const known = this.#buses.map((bus) => `'${bus.name}'`).join(", ");
    const message =
      name === undefined ? "there is no SCSI bus: a -device virtio-scsi must come first" : `no SCSI bus named '${printable(name)}'`;
    throw new QomError("not-found", message, {
      context: { option: "bus", ...(name === undefined ? {} : { value: name }) },
      ...(name === undefined || known === "" ? {} : { hint: `there is ${known}` }),
    });
  }
}
