/**
 * The host adapter whose bus SCSI devices sit on, whatever its own bus is (adapters.ts) (virtio 1.2, 5.6; QEMU: hw/scsi/virtio-scsi.c). It takes what a
 * guest's driver puts into its virtqueues; rings, interrupts and PCI are the emulator's. How to use it: docs/virtio-scsi.md.
 */
import { present } from "../../base/assert.js";
import { aBigint, aCount, aFunction, aNumber, anObject, someBytes, check, having, isBytes, problemOf } from "../../base/check.js";
import type { Kind } from "../../base/check.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { tellAll } from "../../base/listeners.js";
import type { OptionMap } from "../../options/value.js";
import { VIRTIO_SCSI_INERT } from "../../qemu/devices.js";
import { inert, inertValue } from "../../qemu/inert.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { qom } from "../../qom/property-type.js";
import { aSenseCode, Sense } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import {
  CDB_SIZE_DEFAULT,
  CDB_SIZE_MAX,
  encodeConfig,
  parseConfig,
  SENSE_SIZE_DEFAULT,
  SENSE_SIZE_MAX,
  TransportResetReason,
  VirtioScsiEvent,
  VirtioScsiFeature,
  VirtioScsiQueue,
} from "../../scsi/virtio-scsi.js";
import { BusFront } from "../bus/bus-front.js";
import { Device } from "../device.js";
import type { AddressLimits, ScsiAddress, ScsiBus } from "../bus/scsi-bus.js";
import type { ScsiDevice } from "../disk/scsi-device.js";
import type { VirtioChain } from "./chain.js";
import { VirtioScsiCommands } from "./commands.js";
import type { FieldSizes, UsedLength, VirtioScsiContext } from "./context.js";
import { VirtioScsiControl } from "./control.js";
import { VirtioScsiEvents } from "./events.js";

/** Addresses of a virtio-scsi bus (QEMU: VIRTIO_SCSI_MAX_CHANNEL, _TARGET, _LUN). */
const ADDRESS_LIMITS: AddressLimits = Object.freeze({ channel: 0, target: 255, lun: 16383 });

/** Request queues: QEMU's virtio devices have 1024 queues at most, and two of these are for control and events. */
const NUM_QUEUES_MAX = 1022;
/** What QEMU takes for "as many as there are processors"; which this library does not know. */
const NUM_QUEUES_AUTOMATIC = 0xffff_ffff;
/** Two descriptors of a chain are not for data (QEMU: virtio_scsi_common_realize). */
const DESCRIPTORS_BESIDE_DATA = 2;
/** Most descriptors of a queue in QEMU (VIRTQUEUE_MAX_SIZE). */
const VIRTQUEUE_SIZE_MAX = 1024;

const A_CHAIN: Kind = {
  expects: "a chain, { readable, writable }, each an array of Uint8Array",
  holds: (value) => {
    const { readable, writable } = value as VirtioChain; // what cannot be asked for members throws, which is a no
    return areSegments(readable) && areSegments(writable);
  },
};
const A_DEVICE = having("a SCSI device", { describe: aFunction, execute: aFunction, address: anObject });

/** See the module text. */
@qomType({ name: "virtio-scsi-common", description: "virtio SCSI host adapter", abstract: true })
@inert(VIRTIO_SCSI_INERT)
export class VirtioScsi extends Device {
  /** What the bus of the adapter itself is called in messages, and the names that it has on QEMU's boards; here any of them will do. */
  protected readonly ownBus: { readonly noun: string; readonly names: RegExp } = { noun: "bus", names: /^$/ };

  @qomProperty(qom.uint32(), { name: "num_queues", description: `number of request queues, 1 to ${NUM_QUEUES_MAX}`, default: 1 })
  accessor numQueues!: number;

  @qomProperty(qom.uint32(), { name: "virtqueue_size", description: "descriptors of a queue", default: 256 })
  accessor virtqueueSize!: number;

  @qomProperty(qom.uint32(), { name: "max_sectors", description: "hint to drivers: longest transfer in 512 bytes", default: 0xffff })
  accessor maxSectors!: number;

  @qomProperty(qom.uint32(), { name: "cmd_per_lun", description: "hint to drivers: commands in flight per unit", default: 128 })
  accessor cmdPerLun!: number;

  @qomProperty(qom.bool(), { description: "report added and removed units to drivers", default: true })
  accessor hotplug!: boolean;

  @qomProperty(qom.bool(), { name: "param_change", description: "report changed parameters to drivers", default: true })
  accessor paramChange!: boolean;

  #bus: ScsiBus | undefined;
  #queues: Queues | undefined;
  readonly #sizes: FieldSizes = { cdbSize: CDB_SIZE_DEFAULT, senseSize: SENSE_SIZE_DEFAULT };
  /** Features that the driver has accepted; null while no driver is there. */
  #accepted: bigint | null = null;
  #needsReset: string | null = null;
  readonly #listeners = new Set<(reason: string) => void>();
  /** What ends the wait of each chain that came while the machine was stopped. */
  readonly #held = new Set<(used: UsedLength) => void>();
  /** Counts resets: a chain of an earlier time is not used any more. */
  #time = 0;
  #closed = false;

  /** The bus, named after the adapter's id. */
  get bus(): ScsiBus {
    return present(this.#bus, "a completed adapter has a bus");
  }

  /** Number of virtqueues: control, event, and the request queues. */
  get queueCount(): number {
    return VirtioScsiQueue.REQUEST + this.numQueues;
  }

  /** Feature bits of the device type, see {@link VirtioScsiFeature}. Those of rings and transport are the emulator's. */
  get features(): bigint {
    return (this.hotplug ? VirtioScsiFeature.HOTPLUG : 0n) | (this.paramChange ? VirtioScsiFeature.CHANGE : 0n);
  }

  /** A driver is there (DRIVER_OK) and has accepted these features; those that were not offered count for nothing. Events begin. */
  start(acceptedFeatures: bigint): void {
    check("VirtioScsi.start", "acceptedFeatures", acceptedFeatures, aBigint);
    this.#accepted = acceptedFeatures & this.features;
  }

  /**
   * Takes a chain that the driver has made available in the queue of that index: 0 control, 1 event, 2 and up requests. What it asks
   * for has begun when this returns. Until the promise settles the chain's memory is the device's: blocks are moved straight to and from
   * it where they lie in one piece. While the machine is stopped, chains wait, except those of the event queue. The promise always settles.
   * It rejects, with a QomError, only for arguments of another kind.
   *
   * @returns the length for the used ring, when the chain is to be put there; null when it is not, because the device needs a reset,
   * was reset meanwhile, or is gone
   */
  submit(queue: number, chain: VirtioChain): Promise<UsedLength> {
    const problem = isSubmission(queue, chain) ? null : submissionProblem(queue, chain);
    if (problem !== null) return Promise.reject(problem);
    const time = this.#time;
    if (!this.#mayUse(time)) return Promise.resolve(null);
    if (this.host.runState.stopped && queue !== VirtioScsiQueue.EVENT) return this.#hold(queue, chain);
    try {
      const taken = this.#take(queue, chain);
      if (taken instanceof Promise) return taken.then((used) => (this.#mayUse(time) ? used : null));
      return Promise.resolve(this.#mayUse(time) ? taken : null);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** A copy of the configuration space, 36 bytes. */
  get config(): Uint8Array {
    return encodeConfig({
      numQueues: this.numQueues,
      segMax: this.virtqueueSize - DESCRIPTORS_BESIDE_DATA,
      maxSectors: this.maxSectors,
      cmdPerLun: this.cmdPerLun,
      senseSize: this.#sizes.senseSize,
      cdbSize: this.#sizes.cdbSize,
      maxChannel: ADDRESS_LIMITS.channel,
      maxTarget: ADDRESS_LIMITS.target,
      maxLun: ADDRESS_LIMITS.lun,
    });
  }

  /**
   * The driver writes into the configuration space. It can choose `sense_size` and `cdb_size`; what it writes elsewhere has no effect. A
   * size that QEMU does not take either, beyond 65,535 or 255, breaks the device.
   */
  writeConfig(offset: number, bytes: Uint8Array): void {
    check("VirtioScsi.writeConfig", "offset", offset, aNumber);
    check("VirtioScsi.writeConfig", "bytes", bytes, someBytes);
    const { config } = this;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + bytes.length > config.length) return;
    config.set(bytes, offset);
    const { cdbSize, senseSize } = parseConfig(config);
    if (cdbSize > CDB_SIZE_MAX || senseSize > SENSE_SIZE_MAX) this.#fail(`a driver asked for sense_size ${senseSize}, cdb_size ${cdbSize}`);
    else Object.assign(this.#sizes, { cdbSize, senseSize });
  }

  /** Why the device needs a reset (DEVICE_NEEDS_RESET): how the driver has broken the rules. Null while all is well. */
  get needsReset(): string | null {
    return this.#needsReset;
  }

  /** Calls `listener` when the device begins to need a reset, to set the status bit and interrupt the driver. The result ends that. */
  onNeedsReset(listener: (reason: string) => void): () => void {
    check("VirtioScsi.onNeedsReset", "listener", listener, aFunction);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * The driver resets the device. Commands in flight are aborted; when the promise resolves, no chain is in use any more. Units have a
   * unit attention (29/00); disks and their reservations are not touched.
   */
  async reset(): Promise<void> {
    const { commands, events, front } = this.#parts();
    this.#time += 1;
    this.#accepted = null;
    this.#needsReset = null;
    this.#dropHeld();
    Object.assign(this.#sizes, { cdbSize: CDB_SIZE_DEFAULT, senseSize: SENSE_SIZE_DEFAULT });
    events.reset();
    front.reset();
    await commands.end("device-reset", () => true);
  }

  /**
   * A parameter of a unit has changed: its capacity (2A/09, the default), or what `sense` says. The unit gets the unit attention, and
   * a driver that accepted `param_change` an event.
   * @throws QomError `not-found` for a device that is not on this bus
   */
  reportChange(device: ScsiDevice, sense: SenseCode = Sense.CAPACITY_DATA_CHANGED): void {
    check("VirtioScsi.reportChange", "device", device, A_DEVICE);
    check("VirtioScsi.reportChange", "sense", sense, aSenseCode);
    const { events, front } = this.#parts();
    const { target, lun } = device.address;
    const unit = front.unitAt({ target, lun });
    if (unit?.device !== device) {
      throw new QomError("not-found", `${device.describe()} is not on bus '${this.bus.name}'`, { context: { object: device.describe() } });
    }
    unit.raise(sense);
    if (!this.#accepts(VirtioScsiFeature.CHANGE)) return;
    events.push({ event: VirtioScsiEvent.PARAMETER_CHANGE, reason: sense.asc | (sense.ascq << 8), address: { target, lun } });
  }

  override complete(): void {
    this.#requireOwnBus();
    requireOneMapping(this);
    if (this.numQueues === NUM_QUEUES_AUTOMATIC) this.numQueues = 1;
    requireWithin("num_queues", this.numQueues, 1, NUM_QUEUES_MAX);
    requireWithin("virtqueue_size", this.virtqueueSize, DESCRIPTORS_BESIDE_DATA + 1, VIRTQUEUE_SIZE_MAX);
    const bus = this.host.buses.create(this.id, ADDRESS_LIMITS);
    this.#bus = bus;
    this.#queues = makeQueues({ front: new BusFront(bus), sizes: this.#sizes, fail: (reason) => this.#fail(reason) }, this.queueCount);
    bus.listen({
      plugged: (_device, address) => this.#unitsChanged(address, TransportResetReason.RESCAN),
      unplugged: (_device, address) => this.#unitsChanged(address, TransportResetReason.REMOVED),
    });
  }

  override finalize(): void {
    this.#closed = true;
    this.#dropHeld();
    this.#parts().events.reset();
    this.host.buses.remove(this.bus);
  }

  override busyWith(): string | null {
    const [first] = this.bus.devices;
    return first === undefined ? null : `${first.describe()} on its bus`;
  }

  /** A bus that some device left out would have is not written: without that device there is none of its name. */
  override get placement(): OptionMap {
    return this.busName !== undefined && this.ownBus.names.test(this.busName) ? super.placement : new Map();
  }

  #requireOwnBus(): void {
    const { busName, ownBus, host } = this;
    if (busName === undefined || ownBus.names.test(busName) || host.foreignBuses?.has(busName) === true) return;
    throw new QomError("not-found", `no ${ownBus.noun} named '${printable(busName)}'`, { context: { option: "bus", value: busName } });
  }

  #parts(): Queues {
    return present(this.#queues, "a completed adapter has queues");
  }

  /** Whether a chain that came at that time may still be put into its used ring. */
  #mayUse(time: number): boolean {
    return time === this.#time && !this.#closed && this.#needsReset === null;
  }

  /** The chain is looked at when the machine runs; a reset and the end of the device end the wait. */
  #hold(queue: number, chain: VirtioChain): Promise<UsedLength> {
    return new Promise((resolve) => {
      const end = (used: UsedLength | Promise<UsedLength>): void => {
        release();
        this.#held.delete(end);
        resolve(used);
      };
      const release = this.host.runState.hold(() => end(this.submit(queue, chain)));
      this.#held.add(end);
    });
  }

  #dropHeld(): void {
    for (const end of this.#held) end(null);
  }

  #take(queue: number, chain: VirtioChain): UsedLength | Promise<UsedLength> {
    const { commands, control, count, events } = this.#parts();
    if (queue === VirtioScsiQueue.CONTROL) return control.submit(chain);
    if (queue === VirtioScsiQueue.EVENT) return events.submit(chain);
    return queue < count ? commands.submit(chain) : this.#fail(`there is no queue ${queue}`);
  }

  #accepts(feature: bigint): boolean {
    return this.#accepted !== null && (this.#accepted & feature) !== 0n;
  }

  #unitsChanged({ target, lun }: ScsiAddress, reason: number): void {
    if (!this.#accepts(VirtioScsiFeature.HOTPLUG)) return;
    const { events, front } = this.#parts();
    events.push({ event: VirtioScsiEvent.TRANSPORT_RESET, reason, address: { target, lun } });
    front.unitsChanged();
  }

  #fail(reason: string): null {
    if (this.#needsReset !== null) return null;
    this.#needsReset = reason;
    tellAll(this.#listeners, reason);
    return null;
  }
}

/** On the way of every command: the kinds are asked without a detour. */
function isSubmission(queue: number, chain: VirtioChain): boolean {
  try {
    return aCount.holds(queue) && A_CHAIN.holds(chain);
  } catch {
    return false;
  }
}

function submissionProblem(queue: number, chain: VirtioChain): QomError | null {
  return problemOf("VirtioScsi.submit", "queue", queue, aCount) ?? problemOf("VirtioScsi.submit", "chain", chain, A_CHAIN);
}

/** Elements that were never assigned are none. */
function areSegments(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let at = 0; at < value.length; at += 1) if (!isBytes(value[at])) return false;
  return true;
}

interface Queues {
  /** Number of the virtqueues. */
  readonly count: number;
  readonly front: BusFront;
  readonly commands: VirtioScsiCommands;
  readonly control: VirtioScsiControl;
  readonly events: VirtioScsiEvents;
}

function makeQueues(context: VirtioScsiContext, count: number): Queues {
  const commands = new VirtioScsiCommands(context);
  return {
    count,
    front: context.front,
    commands,
    control: new VirtioScsiControl(context, commands),
    events: new VirtioScsiEvents(context),
  };
}

/** Threads of the queues are given once (QEMU: virtio_scsi_dataplane_setup). */
function requireOneMapping(adapter: VirtioScsi): void {
  const option = "iothread-vq-mapping";
  if (inertValue(adapter, "iothread") === undefined || inertValue(adapter, option) === undefined) return;
  throw new QomError("conflict", `'iothread' and '${option}' exclude each other`, { context: { option } });
}

function requireWithin(option: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new QomError("invalid-value", `${option} is ${value}: it is ${min} to ${max}`, { context: { option, value: String(value) } });
}
