/** Long work that lets others be served. */
import { expect } from "chai";
import { lazily } from "#src/base/lazily.js";
import { runAll } from "#src/base/run-all.js";
import { allAtOnce, inSlices } from "#src/base/slices.js";
import { countTurns } from "../support/turns.js";

function* work(places: number, log: number[] = []): Generator<void, string> {
  for (let at = 0; at < places; at += 1) {
    log.push(at);
    yield;
  }
  return "done";
}

describe("slices", () => {
  it("serve others between one and the next", async () => {
    const turns = countTurns();
    expect(inSlices(work(99), 100), "one slice is done at once").to.equal("done");
    expect(await inSlices(work(1000), 100)).to.equal("done");
    expect(turns.count).to.be.at.least(10);
    turns.end();
  });

  it("do the same as all at once, in the same order", async () => {
    const [once, sliced]: [number[], number[]] = [[], []];
    expect(allAtOnce(work(50, once))).to.equal(await inSlices(work(50, sliced), 7));
    expect(sliced).to.deep.equal(once);
  });

  it("end with the error of the work", async () => {
    function* failing(): Generator<void, never> {
      yield;
      throw new Error("broken");
    }
    const error = await Promise.resolve(inSlices(failing())).catch((reason: unknown) => reason);
    expect(error).to.be.an("error").with.property("message", "broken");
  });

  it("are those in which many things are taken down", async () => {
    const turns = countTurns();
    let ended = 0;
    await runAll(Array.from({ length: 1000 }, () => (): void => void (ended += 1)));
    expect(ended).to.equal(1000);
    expect(turns.count).to.be.at.least(10);
    turns.end();
  });
});

describe("what is made when somebody asks", () => {
  it("is made once, but for a failure", () => {
    let attempts = 0;
    const value = lazily(() => {
      attempts += 1;
      if (attempts === 1) throw new Error("not yet");
      return { attempts };
    });
    expect(value).to.throw("not yet");
    expect([value(), value(), attempts]).to.deep.equal([{ attempts: 2 }, { attempts: 2 }, 2]);
  });
});
