/** The event queue of a virtio-scsi device: buffers that wait for an event, and events that find none (virtio 1.2, 5.6.6.3). */
import { encodeEvent, EVENT_LENGTH, VirtioScsiEvent } from "../../scsi/virtio-scsi.js";
import type { EventRecord } from "../../scsi/virtio-scsi.js";
import { lengthOf, writeTo } from "./chain.js";
import type { VirtioChain } from "./chain.js";
import type { UsedLength, VirtioScsiContext } from "./context.js";
import { atUnit, eventTrace } from "./trace.js";

/** What a buffer learns that comes after an event was lost. */
const NOTHING_BUT_MISSED: EventRecord = Object.freeze({ event: VirtioScsiEvent.NONE, reason: 0, address: null });

interface Waiting {
  readonly chain: VirtioChain;
  readonly resolve: (used: UsedLength) => void;
}

/** See the module text. */
export class VirtioScsiEvents {
  readonly #context: VirtioScsiContext;
  #waiting: Waiting[] = [];
  /** An event was lost; the next buffer says so. */
  #missed = false;

  constructor(context: VirtioScsiContext) {
    this.#context = context;
  }

  /** Takes a buffer, which is used by an event to come, or at once when one was lost. */
  submit(chain: VirtioChain): Promise<UsedLength> {
    const used = new Promise<UsedLength>((resolve) => this.#waiting.push({ chain, resolve }));
    if (this.#missed) this.push(NOTHING_BUT_MISSED);
    return used;
  }

  /** Tells the driver; without a buffer the event is lost, and only that is told later. */
  push(event: EventRecord): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#missed = true;
      return;
    }
    const { chain, resolve } = waiting;
    const room = lengthOf(chain.writable);
    if (room < EVENT_LENGTH) {
      resolve(this.#context.fail(`an event buffer has ${room} bytes instead of ${EVENT_LENGTH}`));
      return;
    }
    if (eventTrace.enabled) eventTrace.publish({ ...atUnit(event.address), event: event.event, reason: event.reason });
    writeTo(chain.writable, 0, encodeEvent(event, this.#missed));
    this.#missed = false;
    resolve(EVENT_LENGTH);
  }

  /** Gives the buffers back unused, and forgets what was lost. */
  reset(): void {
    this.#missed = false;
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
  }
}
