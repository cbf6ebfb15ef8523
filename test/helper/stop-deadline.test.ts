/** How long a helper that was told to stop waits for its threads. */

import { expect } from "chai";
import { CLOSE_GRACE_MS, STOP_GRACE_MS, StopDeadline } from "#src/helper/stop-deadline.js";
import { ManualClock } from "../support/manual-clock.js";

const STEP_MS = 100;

describe("the end of qom-pr-helper", () => {
  /** How long it waited, in milliseconds; null when the threads ended. */
  async function waited(isOver: (elapsedMs: number) => boolean, endsAfterMs = Infinity): Promise<number | null> {
    const clock = new ManualClock();
    let elapsedMs = 0;
    const deadline = new StopDeadline({ clock, isOver: () => isOver(elapsedMs) });
    const reached: number[] = [];
    void deadline.reached.then(() => reached.push(elapsedMs));
    deadline.start();
    deadline.start();
    for (; elapsedMs <= 2 * STOP_GRACE_MS; elapsedMs += STEP_MS) {
      await Promise.resolve();
      if (reached.length > 0) return elapsedMs;
      if (elapsedMs >= endsAfterMs) deadline.cancel();
      clock.advance(STEP_MS);
    }
    return null;
  }

  it("waits for requests in execution, and not for ever", async () => {
    expect(await waited(() => false)).to.be.within(STOP_GRACE_MS, STOP_GRACE_MS + 2 * STEP_MS);
  });

  it("waits a moment for threads that only close a descriptor, from when no other is left", async () => {
    expect(await waited(() => true)).to.be.within(CLOSE_GRACE_MS, CLOSE_GRACE_MS + 2 * STEP_MS);
    expect(await waited((elapsedMs) => elapsedMs >= 5000)).to.be.within(5000 + CLOSE_GRACE_MS, 5000 + CLOSE_GRACE_MS + 3 * STEP_MS);
  });

  it("is over when the threads have ended", async () => {
    expect(await waited(() => false, 3000)).to.equal(null);
  });
});
