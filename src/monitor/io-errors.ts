/** The event BLOCK_IO_ERROR: an error of a device's disk that `rerror` or `werror` has decided on. */
import type { Clock, Timer } from "../base/clock.js";
import type { BlockGraph } from "../block/graph.js";
import type { DeviceError } from "../devices/device.js";
import type { EventData } from "./event-schemas.js";
import type { EventHub } from "./events.js";

/** A device has one event in that time, and the latest of the others at its end (QEMU 11: monitor_qapi_event_conf); none that stops is held back. */
const INTERVAL_MS = 1000;

/** What is held back of one device's events. */
interface Pause {
  latest: EventData<"BLOCK_IO_ERROR"> | null;
  timer: Timer;
}

/** See the file text. */
export class IoErrorEvents {
  readonly #events: EventHub;
  readonly #graph: BlockGraph;
  readonly #clock: Clock;
  /** By path of the device. */
  readonly #pauses = new Map<string, Pause>();

  constructor(events: EventHub, graph: BlockGraph, clock: Clock) {
    this.#events = events;
    this.#graph = graph;
    this.#clock = clock;
  }

  /** Tells of an error, or remembers it. */
  readonly tell = ({ device, operation, action, error }: DeviceError): void => {
    if (!this.#events.heard) return;
    const path = device.canonicalPath ?? "";
    const { drive, ioStatus } = device;
    const data = {
      "qom-path": path,
      device: this.#graph.isDrive(drive) ? drive : "",
      "node-name": drive,
      operation,
      action,
      ...(ioStatus === null ? {} : { nospace: error.noSpace }),
      reason: error.reason,
    };
    const pause = this.#pauses.get(path);
    if (action === "stop") this.#events.emit("BLOCK_IO_ERROR", data);
    else if (pause === undefined) this.#emit(path, data);
    else pause.latest = data;
  };

  /** Tells of nothing more. */
  close(): void {
    for (const { timer } of this.#pauses.values()) timer.cancel();
    this.#pauses.clear();
  }

  #emit(path: string, data: EventData<"BLOCK_IO_ERROR">): void {
    this.#events.emit("BLOCK_IO_ERROR", data);
    const over = (): void => {
      const latest = this.#pauses.get(path)?.latest ?? null;
      this.#pauses.delete(path);
      if (latest !== null) this.#emit(path, latest);
    };
    this.#pauses.set(path, { latest: null, timer: this.#clock.after(INTERVAL_MS, over, { background: true }) });
  }
}
