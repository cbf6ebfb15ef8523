import type { ReservationStore } from "../reservation/store.js";

/** Keeps nothing: each unit has its reservations in its own memory, until the process ends. */
export const memoryStore: ReservationStore = Object.freeze({
  durable: false,
  load: () => null,
  commit: () => "done",
  close: () => Promise.resolve(),
} satisfies ReservationStore);
