/**
 * Long random streams of commands from a few nexuses. After every command the state machine agrees with the model of support/model.ts
 * and keeps its invariants; states survive encoding; commands that have nothing to do with each other commute.
 */

import { expect } from "chai";
import fc from "fast-check";

import { isAllowed } from "#src/reservation/access.js";
import { applyReserveIn, applyReserveOut } from "#src/reservation/apply.js";
import type { Outcome } from "#src/reservation/effects.js";
import { membersOf } from "#src/reservation/effects.js";
import { decodeImage, encodeImage } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutAction } from "#src/scsi/persistent-reserve.js";
import { parseSense } from "#src/scsi/sense.js";
import { initiator } from "./support/commands.js";
import { Model } from "./support/model.js";
import type { ModelCommand } from "./support/model.js";

const settings = { ...defaultReservationSettings, targetPorts: targetPorts([1, 2]) };
const NEXUSES = ["A1", "A2", "B1", "C1", "D2"] as const;
/** How often a property is tried: `usual` times, unless whoever started the tests said otherwise. */
function runs(usual: number): number {
  return fc.readConfigureGlobal().numRuns ?? usual;
}
const HOSTS = ["A", "B", "C", "D"] as const;

const ACTIONS: Readonly<Record<ModelCommand["action"], ReserveOutAction>> = {
  REG: "register",
  RSV: "reserve",
  REL: "release",
  CLR: "clear",
  PRE: "preempt",
  "P&A": "preempt-and-abort",
  RAI: "register-and-ignore-existing-key",
  MOVE: "register-and-move",
};

/** What a command is, but for the sender's key: most commands should have the right one, which only the state knows. */
type Draft = Omit<ModelCommand, "rk"> & { readonly rk: number | "own" };

const aKey = fc.constantFrom(1, 2, 3);
const someTimes = <T>(often: T, seldom: fc.Arbitrary<T>, weight = 6): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(often), weight }, { arbitrary: seldom, weight: 1 });

const draft: fc.Arbitrary<Draft> = fc.record({
  nexus: fc.constantFrom(...NEXUSES),
  action: fc.constantFrom(...(["REG", "REG", "REG", "RSV", "RSV", "REL", "CLR", "PRE", "PRE", "P&A", "RAI", "MOVE"] as const)),
  rk: someTimes<number | "own">("own", fc.constantFrom(0, 1, 2, 3)),
  sark: fc.oneof({ arbitrary: aKey, weight: 3 }, { arbitrary: fc.constant(0), weight: 1 }),
  type: fc.oneof({ arbitrary: fc.constantFrom(1, 3, 5, 6, 7, 8), weight: 9 }, { arbitrary: fc.integer({ min: 0, max: 15 }), weight: 1 }),
  scope: someTimes(0, fc.integer({ min: 1, max: 15 }), 12),
  aptpl: fc.boolean(),
  allTargetPorts: someTimes(false, fc.constant(true)),
  hosts: someTimes<readonly string[] | null>(null, fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }), 8),
  destination: fc.constantFrom("A1", "A2", "B1", "B2", "C1", "C3", "D2"),
  unregister: fc.boolean(),
});

function stream(maxLength: number): fc.Arbitrary<readonly Draft[]> {
  return fc.array(draft, { minLength: 1, maxLength, size: "max" });
}

function nexusOf(name: string): Nexus {
  return { initiator: initiator(`${name.slice(0, 1)}1`), targetPort: Number(name.slice(1)) };
}

const keyNames = (): ReadonlyMap<string, string> =>
  new Map(HOSTS.flatMap((host) => ["1", "2"].map((port) => [nexusKey(nexusOf(host + port)), host + port] as const)));

function nameOf(key: string): string {
  return keyNames().get(key) ?? key;
}

/** The command that `drafted` becomes in a given state. */
function settle(drafted: Draft, current: number | undefined): ModelCommand {
  return { ...drafted, rk: drafted.rk === "own" ? (current ?? 0) : drafted.rk };
}

function ownKey(state: ReservationState, nexus: string): number | undefined {
  const key = state.find(nexusKey(nexusOf(nexus)))?.key;
  return key === undefined ? undefined : Number(key);
}

function isHolder(state: ReservationState, nexus: string): boolean {
  const registration = state.find(nexusKey(nexusOf(nexus)));
  return registration !== undefined && state.isHolder(registration);
}

function send(state: ReservationState, command: ModelCommand): Outcome {
  const moves = command.action === "MOVE";
  const { cdb, dataOut } = PersistentReserveOut.encode({
    action: ACTIONS[command.action],
    key: BigInt(command.rk),
    serviceActionKey: BigInt(command.sark),
    type: command.type,
    scope: command.scope,
    aptpl: command.aptpl,
    ...(moves
      ? {
          transportIds: [nexusOf(command.destination).initiator],
          relativeTargetPort: nexusOf(command.destination).targetPort,
          unregister: command.unregister,
        }
      : {
          allTargetPorts: command.allTargetPorts,
          ...(command.hosts === null ? {} : { transportIds: command.hosts.map((host) => initiator(`${host}1`)) }),
        }),
  });
  return applyReserveOut(state, nexusOf(command.nexus), cdb, dataOut, settings);
}

function statusOf(outcome: Outcome): string {
  const { status, sense } = outcome.result;
  if (status === ScsiStatus.GOOD) return "GOOD";
  if (status === ScsiStatus.RESERVATION_CONFLICT) return "RC";
  const code = parseSense(sense);
  expect(code?.key).to.equal(5);
  return [code?.asc ?? 0, code?.ascq ?? 0].map((n) => n.toString(16).toUpperCase().padStart(2, "0")).join("/");
}

function toldBy(outcome: Outcome, state: ReservationState): readonly string[] {
  return outcome.effects.unitAttentions
    .flatMap(({ audience, code }) => [...membersOf(audience, state)].map((nexus) => `${nameOf(nexus)}:2A/0${code.ascq}`))
    .toSorted();
}

/** The state in the model's words. */
function inWords(state: ReservationState): unknown {
  const { reservation } = state;
  return {
    registrations: Array.from(state.registrations(), (registration) => ({
      nexus: nameOf(registration.nexusKey),
      key: Number(registration.key),
    })),
    reservation:
      reservation === null
        ? null
        : { type: reservation.type, holder: reservation.holder === null ? "all" : nameOf(reservation.holder.nexusKey) },
    generation: state.generation,
    aptpl: state.aptpl,
  };
}

function modelInWords(model: Model): unknown {
  const { reservation, registrations, generation, aptpl } = model;
  const shown = reservation === null ? null : { type: reservation.type, holder: reservation.type >= 7 ? "all" : reservation.holder };
  return { registrations, reservation: shown, generation, aptpl };
}

/** Reads everything there is to read, and compares it with the state. */
function checkReports(state: ReservationState): void {
  const read = (serviceAction: number): Uint8Array =>
    applyReserveIn(state, Uint8Array.of(0x5e, serviceAction, 0, 0, 0, 0, 0, 0xff, 0xff, 0), 0xffff, settings).dataIn;
  const registrations = [...state.registrations()];
  const { keys, generation } = PersistentReserveIn.parse(0, read(0));
  expect(keys).to.deep.equal(registrations.map(({ key }) => key));
  expect(generation).to.equal(state.generation);
  const { reservation } = PersistentReserveIn.parse(1, read(1));
  expect(reservation?.key).to.equal(state.reservation === null ? undefined : (state.reservation.holder?.key ?? 0n));
  const status = PersistentReserveIn.parse(3, read(3)).registrants;
  for (const entry of status.filter(({ allTargetPorts }) => !allTargetPorts)) {
    const registration = state.find(entry.initiator?.keyAt(entry.targetPort) ?? "");
    expect(entry.key).to.equal(registration?.key);
    expect(entry.holder).to.equal(registration !== undefined && state.isHolder(registration));
  }
}

describe("the reservation state machine", () => {
  it("does what the model does, and keeps its invariants", () => {
    fc.assert(
      fc.property(stream(120), (drafts) => {
        const state = new ReservationState();
        const model = new Model();
        for (const drafted of drafts) {
          const command = settle(drafted, ownKey(state, drafted.nexus));
          const label = JSON.stringify(command);
          const before = inWords(state);
          const { generation, reservation } = state;
          const outcome = send(state, command);
          const expected = model.apply(command);
          expect(statusOf(outcome), label).to.equal(expected.status);
          expect(toldBy(outcome, state), label).to.deep.equal(expected.told.toSorted());
          expect(inWords(state), label).to.deep.equal(modelInWords(model));
          checkInvariants(state);
          if (expected.status !== "GOOD") expect(inWords(state), label).to.deep.equal(before);
          expect([generation, (generation + 1) % 2 ** 32], label).to.include(state.generation);
          const told = outcome.effects.unitAttentions.map(({ audience }) => [...membersOf(audience, state)]);
          for (const members of told) expect(members, label).to.not.deep.equal([]);
          expect(told.flat(), label).to.not.include(nexusKey(nexusOf(command.nexus)));
          if (command.action === "REG" && command.sark !== 0) expect(state.reservation?.type, label).to.equal(reservation?.type);
        }
        checkReports(state);
      }),
      { numRuns: runs(150) },
    );
  });

  it("grants and denies access as the model does", () => {
    fc.assert(
      fc.property(stream(60), (drafts) => {
        const state = new ReservationState();
        const model = new Model();
        for (const drafted of drafts) {
          const command = settle(drafted, ownKey(state, drafted.nexus));
          send(state, command);
          model.apply(command);
          for (const nexus of NEXUSES) {
            const key = nexusKey(nexusOf(nexus));
            expect(isAllowed(state, key, "free")).to.equal(true);
            expect(isAllowed(state, key, "read")).to.equal(model.mayAccess(nexus, false));
            expect(isAllowed(state, key, "write")).to.equal(model.mayAccess(nexus, true));
          }
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it("goes on from a decoded image, or from a copy, as from the state itself", () => {
    fc.assert(
      fc.property(stream(40), stream(20), (first, second) => {
        const state = new ReservationState();
        for (const drafted of first) send(state, settle(drafted, ownKey(state, drafted.nexus)));
        const others = [decodeImage(JSON.parse(JSON.stringify(encodeImage(state)))), state.copy()];
        for (const drafted of second) {
          const command = settle(drafted, ownKey(state, drafted.nexus));
          const outcome = send(state, command);
          for (const other of others) {
            const again = send(other, command);
            expect(statusOf(again)).to.equal(statusOf(outcome));
            expect(toldBy(again, other)).to.deep.equal(toldBy(outcome, state));
            expect(encodeImage(other)).to.deep.equal(encodeImage(state));
            checkInvariants(other);
          }
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it("asks for saving exactly when the surviving state changes", () => {
    fc.assert(
      fc.property(stream(60), (drafts) => {
        const state = new ReservationState();
        const survivor = (): unknown => (state.aptpl ? encodeImage(state) : null);
        for (const drafted of drafts) {
          const before = survivor();
          const { effects } = send(state, settle(drafted, ownKey(state, drafted.nexus)));
          expect(effects.persist).to.equal(JSON.stringify(survivor()) !== JSON.stringify(before));
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it("ends in the same state whichever of two independent commands comes first", () => {
    const independent: fc.Arbitrary<readonly [Draft, Draft]> = fc
      .tuple(draft, draft)
      .map(([one, other]): readonly [Draft, Draft] => [ownAffair(one, "B1"), ownAffair(other, "C1")]);
    fc.assert(
      fc.property(stream(30), independent, (drafts, [one, other]) => {
        const state = new ReservationState();
        for (const drafted of drafts) send(state, settle(drafted, ownKey(state, drafted.nexus)));
        fc.pre(!["B1", "C1"].some((nexus) => isHolder(state, nexus)));
        const commands = [one, other].map((drafted) => settle(drafted, ownKey(state, drafted.nexus)));
        const ends = [commands, commands.toReversed()].map((order) => {
          const copy = state.copy();
          const answers = order.map((command) => `${command.nexus} ${statusOf(send(copy, command))}`);
          const registrations = Array.from(copy.registrations(), ({ nexusKey: nexus, key }) => `${nexus} ${key}`);
          return [answers.toSorted(), registrations.toSorted(), copy.reservation?.type, copy.generation];
        });
        expect(ends[0]).to.deep.equal(ends[1]);
      }),
      { numRuns: runs(300) },
    );
  });
});

/** A command of `nexus` that concerns nobody else: registering, a new key, unregistering, releasing what it does not hold. */
function ownAffair(drafted: Draft, nexus: string): Draft {
  const action = drafted.action === "REG" || drafted.action === "RAI" || drafted.action === "REL" ? drafted.action : "REG";
  return { ...drafted, nexus, action, allTargetPorts: false, hosts: null };
}
