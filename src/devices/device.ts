/** Devices: what `-device` makes (QEMU: include/hw/qdev-core.h). */
import type { OptionMap } from "../options/value.js";
import type { BlockGraph } from "../block/graph.js";
import { qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { QomObject } from "../qom/object.js";
import type { ScsiBuses } from "./bus/scsi-bus.js";
import type { RunState } from "./run-state.js";

/** What is done about an error of a disk (QAPI: BlockErrorAction). */
export type ErrorAction = "report" | "ignore" | "stop";

/** An error that a policy decides on: what the system calls it, which is all that QEMU tells of it. */
export interface BlockError {
  readonly reason: string;
  readonly noSpace: boolean;
}

/** An error of a device's disk, and what is done about it. */
export interface DeviceError {
  readonly device: Device & { readonly drive: string; readonly ioStatus: string | null };
  readonly operation: "read" | "write";
  readonly action: ErrorAction;
  readonly error: BlockError;
}

/** What devices of one machine find around them. */
export interface DeviceHost {
  readonly graph: BlockGraph;
  readonly buses: ScsiBuses;
  /** Whether the machine runs. */
  readonly runState: RunState;
  /** Told of each error of a disk that a policy has decided on. */
  readonly ioError: (failure: DeviceError) => void;
  /** Names of buses that devices left out of the machine would have: an adapter may say that it sits on one. */
  readonly foreignBuses?: ReadonlySet<string>;
}

/** Injection token of {@link DeviceHost}. */
export const DeviceHost: unique symbol = Symbol("DeviceHost");

/** See the module text. */
@qomType({ name: "device", description: "a device", abstract: true })
export abstract class Device extends QomObject {
  protected readonly host: DeviceHost;
  #bus: string | undefined;

  constructor(@inject(DeviceHost) host: DeviceHost) {
    super();
    this.host = host;
  }

  /** Called before `complete` with the value of `bus=`, if one was given. */
  prepare(bus: string | undefined): void {
    this.#bus = bus;
  }

  /** Name of the bus that the user asked for. */
  protected get busName(): string | undefined {
    return this.#bus;
  }

  /** Options, beside the properties, that say where the device sits. */
  get placement(): OptionMap {
    return new Map(this.#bus === undefined ? [] : [["bus", this.#bus]]);
  }

  override describe(): string {
    return `device '${this.id ?? this.typeName}'`;
  }

  /** Waits for what is under way, at most `graceMs`, and ends the rest; called before the device is finalized. */
  drain(graceMs: number): Promise<void> {
    void graceMs;
    return Promise.resolve();
  }
}
