import type { ReservationStore } from "../reservation/store.js";

/** Forgets everything with the process: each unit remembers by itself what it needs. */
export const memoryStore: ReservationStore = Object.freeze({
  durable: false,
  load: () => null,
  commit: () => "done",
  close: () => Promise.resolve(),
} satisfies ReservationStore);
