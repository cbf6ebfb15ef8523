/** Waiting for what the kernel does in its own time. */

import { setTimeout as pause } from "node:timers/promises";

/** Between two looks; the look decides, not the pause. */
const POLL_INTERVAL_MS = 20;

/** Looks until `look` finds something; mocha's time limit ends it if that never comes. */
export async function eventually<T>(look: () => T | null | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined) return found;
    await pause(POLL_INTERVAL_MS);
  }
}
