/** What ends commands of a device early: the caller's signal, and all at once. */
import { getEventListeners } from "node:events";
import { expect } from "chai";
import type { ScsiAnswer } from "#src/scsi/command.js";
import type { ScsiCommand, ScsiResult } from "qom-pr";
import { CommandSet } from "#src/devices/disk/command-set.js";
import { ManualClock } from "../support/manual-clock.js";

const GOOD: ScsiResult = { status: 0, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0) };
const ABORTED: ScsiResult = { ...GOOD, status: 0x40 };
const CDB = new Uint8Array(6);

/** Everything that does not wait for a clock has happened by then. */
function turns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Answers nothing until its signal fires. */
function untilAborted(command: ScsiCommand): Promise<ScsiResult> {
  return new Promise((resolve) => command.signal?.addEventListener("abort", () => resolve(ABORTED), { once: true }));
}

describe("commands of a device", () => {
  const { signal: neverFired } = new AbortController();
  let commands: CommandSet;
  beforeEach(() => {
    commands = new CommandSet(new ManualClock());
  });

  it("never end GOOD with a host status, whoever ran them", async () => {
    const result = await commands.run({ cdb: CDB }, () => Promise.resolve({ ...GOOD, hostStatus: 0x11 }));
    expect([result.status, result.hostStatus]).to.deep.equal([0x18, 0x11]);
  });

  it("are sent with one signal for each signal of their callers, on which nothing is left behind", async () => {
    const { signal } = new AbortController();
    const sent = new Set<AbortSignal | undefined>();
    for (let run = 0; run < 100; run += 1) {
      await commands.run({ cdb: CDB, signal: run % 2 === 0 ? signal : neverFired }, (command) => {
        sent.add(command.signal);
        return Promise.resolve(GOOD);
      });
    }
    expect(sent.size).to.equal(2);
    expect(getEventListeners(signal, "abort")).to.have.length(0);
    for (const one of sent) expect(getEventListeners(one ?? signal, "abort")).to.have.length(0);
  });

  it("are answered without a promise, and nobody listens to their signal, when their result is there at once", () => {
    const { signal } = new AbortController();
    const listeners: number[] = [];
    const result = commands.run({ cdb: CDB, signal }, () => {
      listeners.push(getEventListeners(signal, "abort").length);
      return GOOD;
    });
    expect(result).to.equal(GOOD);
    expect(listeners).to.deep.equal([0]);
    expect(getEventListeners(signal, "abort")).to.have.length(0);
    const failed = commands.run({ cdb: CDB }, () => ({ ...GOOD, hostStatus: 0x11 }));
    expect(failed).to.include({ status: 0x18, hostStatus: 0x11 });
  });

  it("end when their caller's signal fires while they are being sent", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const running = commands.run({ cdb: CDB, signal }, (command) => {
      controller.abort();
      return untilAborted(command);
    });
    expect(await running).to.deep.equal(ABORTED);
    expect(getEventListeners(signal, "abort")).to.have.length(0);
  });

  it("have one listener on a signal that many of them share, lest Node warns of a leak", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const running = Array.from({ length: 50 }, () => commands.run({ cdb: CDB, signal }, untilAborted));
    expect(getEventListeners(signal, "abort")).to.have.length(1);
    expect(() =>
      commands.run({ cdb: CDB, signal }, () => {
        throw new Error("a mistake");
      }),
    ).to.throw("a mistake");
    controller.abort();
    for (const result of await Promise.all(running)) expect(result).to.deep.equal(ABORTED);
    expect(getEventListeners(signal, "abort")).to.have.length(0);
  });

  it("end when their caller's signal fires, and no others", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const [one, other] = [first, second].map(({ signal }) => commands.run({ cdb: CDB, signal }, untilAborted));
    first.abort();
    expect(await one).to.deep.equal(ABORTED);
    second.abort();
    expect(await other).to.deep.equal(ABORTED);
  });

  it("all end at once, after which the same signals may be used again", async () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 3; round += 1) {
      const running = [signal, signal, undefined].map((given) =>
        commands.run({ cdb: CDB, ...(given === undefined ? {} : { signal: given }) }, untilAborted),
      );
      await commands.abortAll();
      expect(await Promise.all(running)).to.deep.equal([ABORTED, ABORTED, ABORTED]);
      expect(getEventListeners(signal, "abort")).to.have.length(0);
    }
    expect(
      await commands.run({ cdb: CDB, signal }, ({ signal: sent }) => Promise.resolve(sent?.aborted === false ? GOOD : ABORTED)),
    ).to.equal(GOOD);
  });

  for (const kind of ["with a signal", "without"] as const) {
    it(`end by an abort of all that comes while they are being sent, ${kind}, whoever runs them listens or not`, async () => {
      const clock = new ManualClock();
      const set = new CommandSet(clock);
      const given = { cdb: CDB, ...(kind === "without" ? {} : { signal: neverFired }) };
      let ended: Promise<void> | undefined;
      let isEnded = false;
      const deaf = set.run(given, () => {
        ended = set.abortAll().then(() => {
          isEnded = true;
        });
        return new Promise<ScsiResult>(() => undefined);
      });
      await turns();
      expect(isEnded, "it is in flight").to.equal(false);
      clock.advance(100);
      await ended;
      expect((await deaf).status).to.equal(0x40);
      const listening = set.run(given, (command) => {
        const answer = untilAborted(command);
        void set.abortAll();
        return answer;
      });
      expect(await listening).to.deep.equal(ABORTED);
      const atOnce = set.run(given, (): ScsiResult => {
        ended = set.abortAll();
        return GOOD;
      });
      expect(atOnce).to.equal(GOOD);
      await ended;
      expect(getEventListeners(neverFired, "abort")).to.have.length(0);
    });
  }

  describe("with a signal of their own", () => {
    const sendOwn = (send: (command: ScsiCommand) => ScsiAnswer): { own: AbortController; answer: ScsiAnswer } => {
      const own = new AbortController();
      return { own, answer: commands.run({ cdb: CDB, signal: own.signal }, send, own) };
    };

    it("are sent as they are, and nothing is left on the signal", async () => {
      const own = new AbortController();
      const given = { cdb: CDB, signal: own.signal };
      const sent: ScsiCommand[] = [];
      const send = (command: ScsiCommand): Promise<ScsiResult> => {
        sent.push(command);
        return Promise.resolve(GOOD);
      };
      expect(await commands.run(given, send, own)).to.equal(GOOD);
      expect(sent).to.deep.equal([given]);
      expect(sent[0]).to.equal(given);
      expect(getEventListeners(own.signal, "abort")).to.have.length(0);
    });

    it("end when it fires, and by an abort of all, which fires it", async () => {
      const [first, second] = [sendOwn(untilAborted), sendOwn(untilAborted)];
      first.own.abort();
      expect(await first.answer).to.deep.equal(ABORTED);
      await commands.abortAll();
      expect(await second.answer).to.deep.equal(ABORTED);
      expect(second.own.signal.aborted).to.equal(true);
    });

    it("end by an abort of all that comes while they are being sent, but not if they are answered at once", async () => {
      let ended: Promise<void> | undefined;
      const during = sendOwn((command) => {
        ended = commands.abortAll();
        return untilAborted(command);
      });
      expect(await during.answer).to.deep.equal(ABORTED);
      await ended;
      const atOnce = sendOwn(() => {
        ended = commands.abortAll();
        return { ...GOOD, hostStatus: 0x11 };
      });
      expect(atOnce.answer).to.include({ status: 0x18, hostStatus: 0x11 });
      expect(atOnce.own.signal.aborted).to.equal(false);
      await ended;
    });
  });

  it("that are being sent are waited for", async () => {
    const clock = new ManualClock();
    const set = new CommandSet(clock);
    let drained: Promise<void> | undefined;
    let isDrained = false;
    let answer: (result: ScsiResult) => void = () => undefined;
    const running = set.run({ cdb: CDB }, () => {
      drained = set.drain(5000).then(() => {
        isDrained = true;
      });
      return new Promise<ScsiResult>((resolve) => (answer = resolve));
    });
    await turns();
    expect(isDrained, "it is in flight").to.equal(false);
    answer(GOOD);
    await drained;
    expect(await running).to.equal(GOOD);
    const atOnce = set.run({ cdb: CDB }, (): ScsiAnswer => {
      drained = set.drain(5000);
      return GOOD;
    });
    await drained;
    expect(atOnce).to.equal(GOOD);
  });

  it("are not ended by an abort whose listeners send them", async () => {
    const again: (ScsiResult | Promise<ScsiResult>)[] = [];
    const send = ({ signal }: ScsiCommand): ScsiResult => (signal?.aborted === true ? ABORTED : GOOD);
    const running = commands.run({ cdb: CDB }, (command) => {
      command.signal?.addEventListener("abort", () => again.push(commands.run({ cdb: CDB }, send)), { once: true });
      return untilAborted(command);
    });
    await commands.abortAll();
    expect(await running).to.deep.equal(ABORTED);
    expect(again).to.deep.equal([GOOD]);
  });

  it("are answered after a grace when nobody listens to the signal", async () => {
    const clock = new ManualClock();
    const deaf = new CommandSet(clock);
    const running = deaf.run({ cdb: CDB, signal: neverFired }, () => new Promise<ScsiResult>(() => undefined));
    const ended = deaf.abortAll();
    clock.advance(100);
    await ended;
    expect((await running).status).to.equal(0x40);
  });
});
