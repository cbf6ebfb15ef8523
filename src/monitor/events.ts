/** Events of a machine: each goes to all listeners. */
import { tellAll } from "../base/listeners.js";
import type { EventData, EventName } from "./event-schemas.js";

/** An event of QMP (QEMU: docs/interop/qmp-spec.txt, 2.5). */
export type QmpEvent = { readonly [Name in EventName]: QmpEventOf<Name> }[EventName];

/** An event of that name. */
interface QmpEventOf<Name extends EventName> {
  readonly event: Name;
  /** Of the host's clock. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
  readonly data: EventData<Name>;
}

/** Called for each event, which it must not hold up. */
export type EventListener = (event: QmpEvent) => void;

/** See the file text. An event costs nothing while nobody listens. */
export class EventHub {
  readonly #listeners = new Set<EventListener>();

  /** Calls `listener` for every event from now on; the returned function ends that. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** True while somebody listens. Ask before making the data of an event that comes often. */
  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells all listeners. */
  emit<Name extends EventName>(event: Name, data: EventData<Name>): void {
    if (!this.heard) return;
    // The compiler does not see that name and data of one type parameter belong together.
    const told = { event, timestamp: timestamp(), data } as QmpEvent;
    tellAll(this.#listeners, told);
  }
}

function timestamp(): QmpEvent["timestamp"] {
  const nowMs = performance.timeOrigin + performance.now();
  const seconds = Math.floor(nowMs / 1000);
  return { seconds, microseconds: Math.floor((nowMs - seconds * 1000) * 1000) };
}
