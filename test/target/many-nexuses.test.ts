/** A command that concerns many nexuses: others have their turn meanwhile, and find what was before it or what is after, never a part. */
import { expect } from "chai";
import { SLICE_ITEMS } from "#src/base/slices.js";
import { encodeImage } from "#src/reservation/image.js";
import { ReservationState } from "#src/reservation/state.js";
import type { Holdings, Ledger } from "#src/scsi/account.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "#src/scsi/reserve-out-request.js";
import { Sense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import { News } from "#src/target/unit/news.js";
import { PortReach } from "#src/target/unit/port-reach.js";
import { SharedStore, StoredUnits } from "../support/shared-store.js";
import { command, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";

const COUNT = 2 * SLICE_ITEMS + 500;
const VICTIMS_KEY = 5n;
const TUR = command("00 00 00 00 00 00");
const WRITE = command("2a 00 00 00 00 00 00 00 01 00", { dataOut: new Uint8Array(512) });

function nexusOf(index: number): Nexus {
  return { initiator: TransportId.parse(`naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`), targetPort: 1 };
}

const NEXUSES: readonly Nexus[] = Array.from({ length: COUNT }, (_, index) => nexusOf(index + 1));
const [SENDER, ...VICTIMS] = NEXUSES as readonly [Nexus, ...Nexus[]]; // COUNT is more than none

async function send(unit: LogicalUnit, nexus: Nexus, request: ReserveOutRequest): Promise<string> {
  return outcome(await unit.execute(nexus, PersistentReserveOut.encode(request)));
}

/** All nexuses are there and registered, and the sender holds a reservation for all who are registered. */
async function crowded(unit: LogicalUnit): Promise<void> {
  for (const nexus of NEXUSES) {
    const serviceActionKey = nexus === SENDER ? 1n : VICTIMS_KEY;
    expect(await send(unit, nexus, { action: "register", serviceActionKey })).to.equal("GOOD");
  }
  expect(await send(unit, SENDER, { action: "reserve", key: 1n, type: 5 })).to.equal("GOOD");
}

/** Ends as soon as a turn of the event loop has passed. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Once for each turn until `work` ends, what two victims find that have not been heard of yet; and what `work` gives. */
async function watched(unit: LogicalUnit, work: Promise<string>): Promise<{ readonly found: readonly string[]; readonly end: string }> {
  const progress = { ended: false };
  const ending = work.finally(() => {
    progress.ended = true;
  });
  const found: string[] = [];
  for (let at = 0; !progress.ended; at += 1) {
    const [early, late] = [VICTIMS[at] ?? SENDER, VICTIMS[VICTIMS.length - 1 - at] ?? SENDER];
    const { registrantCount } = unit.reservationSummary;
    // all of them before anything else has its turn
    const results = [early, late].flatMap((nexus) => [unit.execute(nexus, WRITE), unit.execute(nexus, TUR)]);
    found.push([registrantCount, ...(await Promise.all(results)).map(outcome)].join(" "));
    await turn();
  }
  return { found, end: await ending };
}

const BEFORE = `${COUNT} GOOD GOOD GOOD GOOD`;

describe("a command that concerns many nexuses", () => {
  const cases: readonly (readonly [request: ReserveOutRequest, after: string, later: string])[] = [
    [{ action: "preempt", key: 1n, serviceActionKey: VICTIMS_KEY, type: 5 }, "1 RC 06/2A/05 RC 06/2A/05", "06/2A/05"],
    [{ action: "preempt-and-abort", key: 1n, serviceActionKey: VICTIMS_KEY, type: 5 }, "1 RC 06/2A/05 RC 06/2A/05", "06/2A/05"],
    [{ action: "clear", key: 1n }, "0 06/2A/03 GOOD 06/2A/03 GOOD", "06/2A/03"],
    [{ action: "release", key: 1n, type: 5 }, `${COUNT} 06/2A/04 GOOD 06/2A/04 GOOD`, "06/2A/04"],
  ];
  for (const [request, after, later] of cases) {
    for (const shared of [false, true]) {
      it(`lets others in between, who find all of it or nothing: ${request.action}${shared ? ", with a store" : ""}`, async () => {
        const stored = new StoredUnits();
        const fabric = new Fabric(shared ? { store: new SharedStore(stored) } : {});
        try {
          const unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
          await (shared ? crowdedElsewhere(stored, unit) : crowded(unit));
          const { found, end } = await watched(unit, send(unit, SENDER, request));
          expect(end).to.equal("GOOD");
          const change = found.indexOf(after);
          expect(found.slice(0, change === -1 ? undefined : change).every((each) => each === BEFORE)).to.equal(true);
          if (change >= 0) expect(found.slice(change).every((each) => each === after)).to.equal(true);
          expect(found.filter((each) => each === after).length, "while it is told").to.be.above(0);
          if (request.action.startsWith("preempt")) expect(found.filter((each) => each === BEFORE).length).to.be.above(1);
          const middle = VICTIMS[VICTIMS.length >> 1] ?? SENDER;
          expect(outcome(await unit.execute(middle, TUR))).to.equal(later);
          expect(outcome(await unit.execute(middle, TUR)), "once").to.equal("GOOD");
        } finally {
          await fabric.close();
        }
      });
    }
  }

  it("has a newcomer told nothing, and the next reservation command wait", async () => {
    const fabric = new Fabric();
    const unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    await crowded(unit);
    const order: string[] = [];
    const cleared = send(unit, SENDER, { action: "clear", key: 1n }).finally(() => order.push("cleared"));
    const newcomer = nexusOf(COUNT + 1);
    expect(outcome(await unit.execute(newcomer, TUR))).to.equal("GOOD");
    const registered = send(unit, newcomer, { action: "register", serviceActionKey: 7n }).finally(() => order.push("registered"));
    expect(unit.reservationSummary).to.include({ registrantCount: 0, generation: COUNT + 1 });
    expect(await Promise.all([cleared, registered])).to.deep.equal(["GOOD", "GOOD"]);
    expect(order).to.deep.equal(["cleared", "registered"]);
    await fabric.close();
  });

  it("is not executed when it is aborted while it is prepared", async () => {
    const fabric = new Fabric();
    const unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    await crowded(unit);
    const preempted = send(unit, SENDER, { action: "preempt", key: 1n, serviceActionKey: VICTIMS_KEY, type: 5 });
    await turn();
    await unit.reset("logical-unit", SENDER);
    expect(await preempted).to.equal("ABORTED");
    expect(unit.reservationSummary).to.include({ registrantCount: COUNT, generation: COUNT });
    await fabric.close();
  });

  it("is decided anew where another fabric comes first while it is prepared", async () => {
    const stored = new StoredUnits();
    const fabric = new Fabric({ store: new SharedStore(stored) });
    const unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    await crowdedElsewhere(stored, unit);
    const preempted = send(unit, SENDER, { action: "preempt", key: 1n, serviceActionKey: VICTIMS_KEY, type: 5 });
    await turn();
    const state = new ReservationState();
    state.register(SENDER, 1n, false);
    state.restoreGeneration(100);
    const { revision } = stored.units.get(WWN) ?? { revision: 0 };
    await stored.swap(WWN, revision + 1, encodeImage(state)).told;
    expect(await preempted, "nothing is known yet, or it is told of the end of the reservation").to.be.oneOf(["BUSY", "06/2A/04"]);
    expect(unit.reservationSummary).to.include({ registrantCount: 1, generation: 100 });
    for (const victim of VICTIMS.slice(0, 3)) expect(outcome(await unit.execute(victim, TUR))).to.equal("06/2A/05");
    await fabric.close();
  });

  it("by another fabric lets others in between, and what is sent here waits for it", async () => {
    const stored = new StoredUnits();
    const fabric = new Fabric({ store: new SharedStore(stored) });
    const unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    await crowdedElsewhere(stored, unit);
    const state = new ReservationState();
    state.register(SENDER, 1n, false);
    state.register(nexusOf(COUNT + 7), 7n, false);
    const { revision } = stored.units.get(WWN) ?? { revision: 0 };
    let ended = false;
    const told = stored.swap(WWN, revision + 1, encodeImage(state)).told.finally(() => {
      ended = true;
    });
    while (unit.reservationSummary.registrantCount > 2) await turn();
    expect(ended).to.equal(false);
    expect(outcome(await unit.execute(SENDER, TUR)), "its reservation is gone").to.equal("06/2A/04");
    const cleared = send(unit, SENDER, { action: "clear", key: 1n });
    expect(outcome(await unit.execute(VICTIMS.at(-1) ?? SENDER, TUR))).to.equal("06/2A/05");
    expect([unit.reservationSummary.registrantCount, ended], "it waits").to.deep.equal([2, false]);
    expect(await cleared).to.equal("GOOD");
    await told;
    for (const victim of VICTIMS.slice(0, 3)) expect(outcome(await unit.execute(victim, TUR))).to.equal("06/2A/05");
    await fabric.close();
  });
});

/** The same as {@link crowded}, made by another fabric of the store; `unit` has it, and all nexuses are there. */
async function crowdedElsewhere(stored: StoredUnits, unit: LogicalUnit): Promise<void> {
  const state = new ReservationState();
  for (const nexus of NEXUSES) state.register(nexus, nexus === SENDER ? 1n : VICTIMS_KEY, false);
  const [holder] = state.registrations();
  if (holder !== undefined) state.reserve(5, holder);
  state.restoreGeneration(COUNT);
  await stored.swap(unit.wwn, 1, encodeImage(state)).told;
  for (const nexus of NEXUSES) unit.login(nexus);
}

describe("who answers for many registrations", () => {
  it("is known with what is read, and counted once for each owner", async () => {
    const stored = new StoredUnits();
    const fabric = new Fabric({ store: new SharedStore(stored) });
    const counts = new Map<string, number>();
    let changes = 0;
    const ledger: Ledger = {
      hasRoom: () => true,
      change: (owner: string, { registrations }: Holdings) => {
        changes += 1;
        counts.set(owner, (counts.get(owner) ?? 0) + registrations);
      },
      ownerOf: ({ key }) => (key.endsWith("0") ? null : "found"),
    };
    const image = (count: number, owner: string): ReturnType<typeof encodeImage> => {
      const state = new ReservationState();
      for (const [index, nexus] of NEXUSES.slice(0, count).entries()) state.register(nexus, 1n, false, index < SLICE_ITEMS ? null : owner);
      state.setAptpl(true);
      return encodeImage(state);
    };
    const unknown = NEXUSES.slice(0, SLICE_ITEMS).filter(({ initiator }) => ledger.ownerOf(initiator) === null).length;
    const unit = fabric.shadowFor("disk", { owner: "opener", ledger });
    if (unit === null) throw new Error("there is room");
    await unit.opened;
    const [name = ""] = stored.watchers.keys();
    await stored.swap(name, 1, image(COUNT, "one")).told;
    expect(Object.fromEntries(counts)).to.deep.equal({ opener: 0, found: SLICE_ITEMS - unknown, one: COUNT - SLICE_ITEMS });
    expect(changes).to.be.below(10);
    await stored.swap(name, 2, image(SLICE_ITEMS + 7, "other")).told;
    expect(Object.fromEntries(counts)).to.deep.equal({ opener: 0, found: SLICE_ITEMS - unknown, one: 0, other: 7 });
    expect(changes).to.be.below(20);
    await fabric.close();
  });
});

describe("news", () => {
  const codes = [Sense.RESERVATIONS_PREEMPTED, Sense.RESERVATIONS_RELEASED, Sense.REGISTRATIONS_PREEMPTED];

  it("reach everyone once, in order, whether early or late", async () => {
    const heard = new Map<number, string[]>();
    const listeners = Array.from({ length: COUNT }, (_, index) => {
      let count = 0;
      return {
        hear: () => {
          const all = news.since(count, `${index}`).map(({ ascq }) => `${ascq}`);
          count = news.count;
          if (all.length > 0) heard.set(index, [...(heard.get(index) ?? []), ...all]);
        },
      };
    });
    const news: News = new News(() => listeners);
    const [first, second, third] = codes.map((code) => (nexus: string) => (nexus === "1" ? [] : [code]));
    if (first === undefined || second === undefined || third === undefined) throw new Error("there are three");
    const told = news.announce(first);
    expect(news.telling).to.equal(told);
    listeners.at(-1)?.hear();
    expect(heard.get(COUNT - 1)).to.deep.equal(["3"]);
    expect(news.announce(second)).to.equal(told);
    await turn();
    void news.announce(third);
    await told;
    expect([news.telling, news.count, news.since(0, "0").length]).to.deep.equal([null, 3, 0]);
    expect(heard.get(1)).to.equal(undefined);
    expect([...heard.values()].every((all) => all.join(" ") === "3 4 5")).to.equal(true);
    expect(heard.size).to.equal(COUNT - 1);
  });

  it("for few are told at once", () => {
    const news: News = new News(() => []);
    expect([news.announce(() => []), news.telling, news.count]).to.deep.equal([null, null, 1]);
  });
});

describe("the ports of an initiator", () => {
  const at = (index: number, targetPort: number): Nexus => ({ ...nexusOf(index), targetPort });
  const read = (reach: PortReach, ...nexuses: readonly Nexus[]): void => {
    const steps = reach.read(nexuses.map((nexus) => ({ nexus })));
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value();
  };

  it("are those that it came through, and those that were read last", () => {
    const reach = new PortReach();
    reach.see(at(1, 2));
    read(reach, at(1, 3), at(2, 4));
    expect([1, 2, 3].map((index) => reach.of(nexusOf(index).initiator))).to.deep.equal([[3, 2], [4], []]);
    read(reach, at(3, 5));
    expect(
      [1, 2, 3].map((index) => reach.of(nexusOf(index).initiator)),
      "the one that was here keeps its own",
    ).to.deep.equal([[2, 3], [], [5]]);
    expect([...reach.targetPorts]).to.have.members([2, 3, 4, 5]);
  });

  it("are forgotten one by one", () => {
    const reach = new PortReach();
    reach.see(at(1, 2));
    reach.see(at(1, 1));
    read(reach, at(1, 2), at(1, 3));
    reach.forget(at(1, 2));
    expect(reach.of(nexusOf(1).initiator)).to.deep.equal([3, 1]);
    reach.forget(at(1, 1));
    reach.forget(at(1, 3));
    expect(reach.of(nexusOf(1).initiator)).to.deep.equal([]);
  });

  it("are in force when the registrations are", () => {
    const reach = new PortReach();
    read(reach, at(1, 2));
    const steps = reach.read([{ nexus: at(1, 3) }]);
    expect(reach.of(nexusOf(1).initiator)).to.deep.equal([2]);
    const { value } = steps.next();
    expect(reach.of(nexusOf(1).initiator)).to.deep.equal([2]);
    value?.();
    expect(reach.of(nexusOf(1).initiator)).to.deep.equal([3]);
  });
});
