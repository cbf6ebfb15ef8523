import type { ReservationStore } from "../reservation/store.js";

/** Forgets everything with the process. */
export const memoryStore: ReservationStore = Object.freeze({
  durable: false,
  load: () => null,
  commit: () => null,
});
