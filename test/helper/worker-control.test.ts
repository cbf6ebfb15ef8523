/** What the main thread knows of descriptors that workers are closing. */

import { expect } from "chai";
import { allocateWorkerControl, WorkerControl } from "#src/helper/shared/worker-control.js";

const [THREAD, OTHER_THREAD] = [1, 2];
const HIGHEST_USER = 0xffff_fffe;

describe("closes that take long", () => {
  let control: WorkerControl;
  beforeEach(() => (control = new WorkerControl(allocateWorkerControl(3))));

  function begun(thread: number, user: number): number {
    control.beginClose(thread, user);
    return control.closeOf(thread) ?? expect.fail("it goes on");
  }

  it("count once each, for the user whose descriptor it is, until they end", () => {
    const [one, other] = [begun(THREAD, 1000), begun(OTHER_THREAD, HIGHEST_USER)];
    for (let i = 0; i < 2; i += 1) control.noteStuck(THREAD, one);
    control.noteStuck(OTHER_THREAD, other);
    expect([control.stuck, control.stuckOf(1000), control.stuckOf(HIGHEST_USER), control.stuckOf(0)]).to.deep.equal([2, 1, 1, 0]);
    expect(control.userOfClose(OTHER_THREAD, other)).to.equal(HIGHEST_USER);
    control.endClose(THREAD);
    expect([control.stuck, control.stuckOf(1000)]).to.deep.equal([1, 0]);
    control.endClose(OTHER_THREAD);
    expect(control.stuck).to.equal(0);
  });

  it("are not those that have ended, nor the ones that the thread has begun since", () => {
    const ended = begun(THREAD, 1000);
    control.endClose(THREAD);
    control.noteStuck(THREAD, ended);
    expect([control.stuck, control.closeOf(THREAD), control.userOfClose(THREAD, ended)]).to.deep.equal([0, null, null]);
    begun(THREAD, 1000);
    control.noteStuck(THREAD, ended);
    expect([control.stuck, control.userOfClose(THREAD, ended)]).to.deep.equal([0, null]);
  });
});
