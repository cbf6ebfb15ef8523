/** Settings of a unit, and accounts: who answers for what a unit keeps, and who is refused more. */

import { expect } from "chai";

import { negative, nexusHoldings, NO_HOLDINGS, registrationHoldings, sumOf, unitHoldings } from "#src/reservation/holdings.js";
import { defaultReservationSettings, hasRoomFor, targetPorts } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import type { Account, Holdings } from "#src/scsi/account.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { initiator } from "./support/commands.js";
import { Player } from "./support/player.js";

/** An account whose ledger has room for `registrationsMax` registrations more, and remembers what it was asked. */
function limited(registrationsMax: number): Account & { readonly asked: (readonly [owner: string, more: Holdings])[] } {
  const asked: (readonly [string, Holdings])[] = [];
  const ledger = {
    hasRoom: (owner: string, more: Holdings) => {
      asked.push([owner, more]);
      return more.registrations <= registrationsMax;
    },
    change: () => {},
    ownerOf: () => null,
  };
  return { owner: "uid-7", ledger, asked };
}

/** Registrations that owners have more since this was asked last. */
function changes(state: ReservationState): Readonly<Record<string, number>> {
  return Object.fromEntries(Array.from(state.takeChanges(), ([owner, { registrations }]) => [owner, registrations]));
}

describe("holdings", () => {
  const short = (): TransportId => TransportId.parse("iqn.a");
  const long = (): TransportId => TransportId.parse(`iqn.${"a".repeat(100)}`);

  it("count one unit, one nexus as none, and registrations as many as there are", () => {
    expect(unitHoldings("disk")).to.include({ units: 1, registrations: 0 });
    expect(nexusHoldings(short())).to.include({ units: 0, registrations: 0 });
    expect(registrationHoldings([short(), long(), short()])).to.include({ units: 0, registrations: 3 });
    expect(registrationHoldings([])).to.deep.equal({ units: 0, registrations: 0, bytes: 0 });
  });

  it("take the memory that was measured, and four bytes more for a character of a name at least", () => {
    expect(unitHoldings("").bytes).to.be.within(5 * 1024, 20 * 1024);
    expect(nexusHoldings(short()).bytes).to.be.within(800, 4096);
    expect(registrationHoldings([short()]).bytes).to.be.within(600, 4096);
    const growth = [
      unitHoldings("a".repeat(99)).bytes - unitHoldings("").bytes,
      nexusHoldings(long()).bytes - nexusHoldings(short()).bytes,
      registrationHoldings([long()]).bytes - registrationHoldings([short()]).bytes,
    ];
    for (const bytes of growth) expect(bytes).to.be.within(4 * 99, 16 * 99);
    const both = registrationHoldings([short()]).bytes + registrationHoldings([long()]).bytes;
    expect(registrationHoldings([short(), long()]).bytes).to.equal(both);
  });

  it("are added member by member, and given back to nothing", () => {
    const one = { units: 1, registrations: 20, bytes: 300 };
    expect(sumOf(one, { units: 4, registrations: 50, bytes: 600 })).to.deep.equal({ units: 5, registrations: 70, bytes: 900 });
    expect(sumOf(one, negative(one))).to.deep.equal(NO_HOLDINGS);
    expect(NO_HOLDINGS).to.deep.equal({ units: 0, registrations: 0, bytes: 0 });
  });
});

describe("room for registrations", () => {
  const newcomers = (...who: readonly string[]): { readonly initiator: TransportId; readonly targetPort: number }[] =>
    who.map((name) => ({ initiator: initiator(name), targetPort: 1 }));

  it("ends with what the unit may have, the last one included", () => {
    const settings = { ...defaultReservationSettings, registrationsMax: 3 };
    expect(hasRoomFor(newcomers("A1", "B1"), 1, settings)).to.equal(true);
    expect(hasRoomFor(newcomers("A1", "B1"), 2, settings)).to.equal(false);
  });

  it("is not asked for when nobody comes", () => {
    const account = limited(-1);
    expect(hasRoomFor([], 9, { ...defaultReservationSettings, registrationsMax: 3, account })).to.equal(true);
    expect(account.asked).to.deep.equal([]);
  });

  it("ends with what the owner may have", () => {
    const account = limited(1);
    const settings = { ...defaultReservationSettings, account };
    expect(hasRoomFor(newcomers("A1"), 0, settings)).to.equal(true);
    expect(hasRoomFor(newcomers("A1", "B1"), 0, settings)).to.equal(false);
    expect(account.asked).to.deep.equal([
      ["uid-7", registrationHoldings([initiator("A1")])],
      ["uid-7", registrationHoldings([initiator("A1"), initiator("B1")])],
    ]);
  });
});

describe("target ports that nothing is known of but their identifiers", () => {
  it("are there, within reach, and nobody is logged in", () => {
    const ports = targetPorts([1, 7]);
    expect([1, 7, 2].map((port) => ports.has(port))).to.deep.equal([true, true, false]);
    expect(ports.reachedBy(initiator("A1"))).to.deep.equal([1, 7]);
    expect([...ports.initiators()]).to.deep.equal([]);
  });
});

describe("an account", () => {
  it("is asked before registrations are added, and what it refuses is not there", () => {
    const account = limited(1);
    const player = new Player({ account });
    player.play(`
      A1 | REG 0 a        | GOOD  | 1; a; -
      B1 | REG 0 b SPEC=C | 55/04
      B1 | RAI b ATP      | 55/04
      A1 | REG a a2       | GOOD  | 2; a2; -
      A1 | RSV T5         | GOOD  | 2; a2; 5/a2
    `);
    expect(account.asked.map(([owner, { registrations }]) => [owner, registrations])).to.deep.equal([
      ["uid-7", 1],
      ["uid-7", 2],
      ["uid-7", 2],
    ]);
    expect(changes(player.state)).to.deep.equal({ "uid-7": 1 });
  });

  it("is asked for the destination of REGISTER AND MOVE, unless that takes the sender's place or is there", () => {
    const account = limited(0);
    const player = new Player();
    player.play(`
      A1 | REG 0 a SPEC=B    | GOOD | 1; a a; -
      A1 | RSV T5            | GOOD | 1; a a; 5/a
    `);
    const later = new Player({ account });
    later.state = player.state;
    later.play(`
      A1 | MOVE c C1         | 55/04
      A1 | MOVE b B1         | GOOD | 2; a b; 5/b
      B1 | MOVE c C1 UNREG   | GOOD | 3; a c; 5/c
    `);
    expect(account.asked).to.have.lengthOf(1);
    expect(changes(later.state)).to.deep.equal({ "uid-7": 1 });
  });
});

describe("changes of what owners have", () => {
  const at = (who: string): { readonly initiator: TransportId; readonly targetPort: number } => ({
    initiator: initiator(who),
    targetPort: 1,
  });

  it("are told once", () => {
    const state = new ReservationState();
    expect(changes(state)).to.deep.equal({});
    state.register(at("A1"), 1n, false, "one");
    state.register(at("B1"), 1n, false, "one");
    state.register(at("C1"), 1n, false, "two");
    state.register(at("D1"), 1n, false);
    expect(changes(state)).to.deep.equal({ one: 2, two: 1 });
    expect(changes(state)).to.deep.equal({});
  });

  it("have the memory of the registrations", () => {
    const state = new ReservationState();
    const registration = state.register(at("A1"), 1n, false, "one");
    expect(state.takeChanges().get("one")).to.deep.equal(registrationHoldings([initiator("A1")]));
    state.unregister(registration);
    expect(sumOf(state.takeChanges().get("one") ?? NO_HOLDINGS, registrationHoldings([initiator("A1")]))).to.deep.equal(NO_HOLDINGS);
  });

  it("follow whoever made a registration, and not who changes its key", () => {
    const state = new ReservationState();
    state.register(at("A1"), 1n, false, "one");
    state.register(at("A1"), 2n, false, "two");
    expect(changes(state)).to.deep.equal({ one: 1 });
    expect(Array.from(state.registrations(), ({ owner, key }) => [owner, key])).to.deep.equal([["one", 2n]]);
  });

  it("give a registration of nobody to the first who changes its key", () => {
    const state = new ReservationState();
    state.register(at("A1"), 1n, false);
    state.register(at("A1"), 2n, false, "two");
    state.register(at("A1"), 3n, false, "three");
    expect(changes(state)).to.deep.equal({ two: 1 });
  });

  it("are taken back by whatever removes registrations", () => {
    const state = new ReservationState();
    const first = state.register(at("A1"), 1n, false, "one");
    state.register(at("B1"), 1n, false, "two");
    state.register(at("C1"), 1n, false);
    changes(state);
    state.unregister(first);
    expect(changes(state)).to.deep.equal({ one: -1 });
    expect(state.clear().map(({ nexusKey }) => nexusKey)).to.deep.equal([initiator("B1").keyAt(1), initiator("C1").keyAt(1)]);
    expect(changes(state)).to.deep.equal({ two: -1 });
  });

  it("are not those of a copy, nor of what a power loss leaves, and those of what it takes", () => {
    const state = new ReservationState();
    state.setAptpl(true);
    state.register(at("A1"), 1n, false, "one");
    const copy = state.copy();
    expect(changes(copy)).to.deep.equal({});
    expect(Array.from(copy.registrations(), ({ owner }) => owner)).to.deep.equal(["one"]);
    expect(changes(state)).to.deep.equal({ one: 1 });
    copy.losePower();
    expect(changes(copy)).to.deep.equal({});
    expect(Array.from(copy.registrations(), ({ owner }) => owner)).to.deep.equal(["one"]);
    copy.losePower(false);
    expect(changes(copy)).to.deep.equal({ one: -1 });
  });
});
