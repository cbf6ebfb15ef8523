/**
 * A tiny device server around the pure reservation rules, and a table language to drive it. A script has one line for each step:
 *
 *     A1 | REG 0 a     | GOOD   | 1; a; -     | B1:2A/04
 *
 * - nexus: initiator (letter) and target port (digit); 9 is port 1 again, the initiator being there with another ISID.
 * - command, see {@link Player.step}. RESERVATION KEY is the sender's current key unless `rk=` says otherwise. A key is a word.
 * - expected: GOOD, RC (reservation conflict), ASC/ASCQ in hexadecimal (a unit attention where it is 28h to 2Fh), ABORTED.
 * - state after: PRgeneration; keys in order of READ KEYS; type/key of READ RESERVATION. Left out: nothing changed.
 * - unit attentions established by the step, in any order. Left out: none.
 *
 * Each step also checks the invariants of every state.
 */

import { expect } from "chai";

import { isAllowed, reserveOutAllowed } from "#src/reservation/access.js";
import { applyReserveIn, applyReserveOut } from "#src/reservation/apply.js";
import type { Effects } from "#src/reservation/effects.js";
import { classify } from "#src/reservation/conflict-matrix.js";
import { membersOf } from "#src/reservation/effects.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { applyOldReservation, isAllowedBesideReserve } from "#src/reservation/old-reservation.js";
import type { OldReservation } from "#src/reservation/old-reservation.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import type { ReservationSettings } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { isResetAttention, raiseUnitAttentions, UnitAttentionQueue } from "#src/reservation/unit-attentions.js";
import { bareStatus, good, ScsiStatus } from "#src/scsi/command.js";
import type { ScsiResult } from "#src/scsi/command.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { parseSense, Sense, senseResult } from "#src/scsi/sense.js";
import type { SenseCode } from "#src/scsi/sense.js";
import { initiator, reserveOut, wordOf } from "./commands.js";

/** Commands that are not PERSISTENT RESERVE, by name in a script. */
const PLAIN_COMMANDS: Readonly<Record<string, readonly number[]>> = {
  TUR: [0x00, 0, 0, 0, 0, 0],
  "REQUEST-SENSE": [0x03, 0, 0, 0, 18, 0],
  INQUIRY: [0x12, 0, 0, 0, 36, 0],
  RESERVE6: [0x16, 0, 0, 0, 0, 0],
  RELEASE6: [0x17, 0, 0, 0, 0, 0],
  READ: [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],
  WRITE: [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],
  "REPORT-LUNS": [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0],
  "READ-KEYS": [0x5e, 0, 0, 0, 0, 0, 0, 0x10, 0, 0],
};

const REQUEST_SENSE = 0x03;
const EXEMPT_FROM_ATTENTIONS: readonly number[] = [REQUEST_SENSE, 0x12, 0xa0];

/** A command in flight that waits for its END. */
interface HeldTask {
  readonly nexus: string;
  status: number;
}

/** Plays scripts. */
export class Player {
  state = new ReservationState();
  readonly settings: ReservationSettings;
  readonly #names = new Map<string, string>();
  readonly #queues = new Map<string, UnitAttentionQueue>();
  #old: OldReservation = null;
  #tasks: HeldTask[] = [];
  #taskAbortedStatus = false;

  constructor(settings: Partial<ReservationSettings> = {}) {
    this.settings = { ...defaultReservationSettings, targetPorts: targetPorts([1, 2]), ...settings };
  }

  /** Plays every line of `script`; blank lines and what follows `#` do not count. */
  play(script: string): this {
    for (const line of script.split("\n")) {
      const text = line.replace(/#.*/, "").trim();
      if (text !== "") this.#playLine(text);
    }
    return this;
  }

  /** State as a script writes it. */
  describe(): string {
    const keys = Array.from(this.state.registrations(), ({ key }) => wordOf(key)).join(" ");
    const { reservation } = this.state;
    const held = reservation === null ? "-" : `${reservation.type}/${reservation.holder === null ? "0" : wordOf(reservation.holder.key)}`;
    return `${this.state.generation}; ${keys === "" ? "-" : keys}; ${held}`;
  }

  #playLine(line: string): void {
    const [who = "", command = "", expected = "", after = "", attentions = ""] = line.split("|").map((cell) => cell.trim());
    const before = this.describe();
    const pendingBefore = this.#pendingCodes();
    const result = this.step(who, command);
    expect(describeResult(result), line).to.equal(expected);
    expect(this.describe(), line).to.equal(after === "" ? before : after);
    const raised = this.#pendingCodes().filter((code) => !pendingBefore.includes(code));
    expect(raised.toSorted(), line).to.deep.equal(attentions.split(/\s+/).filter(Boolean).toSorted());
    checkInvariants(this.state);
  }

  /**
   * Executes one step:
   *
   * - `REG rk sark`, `RAI sark`, `RSV Tn`, `REL Tn`, `CLR`, `PRE sark Tn`, `P&A sark Tn`, `MOVE sark C2`, with the options of
   *   {@link reserveOut};
   * - `TUR`, `READ`, `WRITE`, `INQUIRY` and so on; `BEGIN` starts a write that stays in flight until `END`;
   * - events: `LU-RESET`, `NEXUS-LOSS`, `POWER-CYCLE`, `TAS` (sets TAS = 1).
   */
  step(who: string, command: string): ScsiResult {
    const nexus = this.#nexus(who);
    const [verb = "", ...words] = command.split(/\s+/);
    switch (verb) {
      case "LU-RESET":
        this.#old = null;
        return this.#tellAll(Sense.BUS_DEVICE_RESET);
      case "NEXUS-LOSS":
        if (this.#old === nexusKey(nexus)) this.#old = null;
        this.#queue(nexus).raise(Sense.I_T_NEXUS_LOSS);
        return good();
      case "POWER-CYCLE":
        this.state = this.state.afterPowerLoss();
        this.#old = null;
        return this.#tellAll(Sense.POWER_ON_OR_RESET);
      case "TAS":
        this.#taskAbortedStatus = true;
        return good();
      case "BEGIN":
        this.#tasks.push({ nexus: nexusKey(nexus), status: ScsiStatus.GOOD });
        return good();
      case "END":
        return this.#endTask(nexusKey(nexus));
    }
    const plain = PLAIN_COMMANDS[verb];
    if (plain !== undefined) return this.execute(nexus, Uint8Array.from(plain), new Uint8Array(0));
    const { cdb, dataOut } = reserveOut(verb, words, this.state.find(nexusKey(nexus))?.key ?? 0n);
    return this.execute(nexus, cdb, dataOut);
  }

  /** A command, in the order a device server looks at things: resets, old reservation, conflicts, other unit attentions, the command. */
  execute(nexus: Nexus, cdb: Uint8Array, dataOut: Uint8Array): ScsiResult {
    const operationCode = cdb[0] ?? 0;
    const queue = this.#queue(nexus);
    const exempt = EXEMPT_FROM_ATTENTIONS.includes(operationCode);
    if (!exempt && queue.head !== null && isResetAttention(queue.head)) return senseResult(queue.take() ?? Sense.NO_SENSE);
    if (this.#conflicts(nexus, cdb)) return bareStatus(ScsiStatus.RESERVATION_CONFLICT);
    const attention = exempt ? null : queue.take();
    if (attention !== null) return senseResult(attention);
    if (operationCode === REQUEST_SENSE) return { ...good(), sense: senseResult(queue.take() ?? Sense.NO_SENSE).sense };
    switch (classify(cdb)) {
      case "reserve-out":
        return this.#reserveOut(nexus, cdb, dataOut);
      case "old-reservation":
        return this.#oldReservation(nexus, cdb);
      default:
        return operationCode === 0x5e ? this.#reserveIn(cdb) : good();
    }
  }

  #conflicts(nexus: Nexus, cdb: Uint8Array): boolean {
    const id = nexusKey(nexus);
    const access = classify(cdb);
    if (access === "old-reservation") return false;
    if (!isAllowedBesideReserve(this.#old, id, cdb[0] ?? 0)) return true;
    return access === "reserve-out" ? !reserveOutAllowed(this.state, id, (cdb[1] ?? 0) & 0x1f) : !isAllowed(this.state, id, access);
  }

  #reserveOut(nexus: Nexus, cdb: Uint8Array, dataOut: Uint8Array): ScsiResult {
    const { result, effects } = applyReserveOut(this.state, nexus, cdb, dataOut, this.settings);
    raiseUnitAttentions(effects.unitAttentions, this.state, this.#queues);
    this.#abort(effects, nexusKey(nexus));
    return result;
  }

  #reserveIn(cdb: Uint8Array): ScsiResult {
    const result = applyReserveIn(this.state, cdb, 4096, this.settings);
    const keys = PersistentReserveIn.parse("read-keys", result.dataIn);
    expect(keys.keys).to.deep.equal(Array.from(this.state.registrations(), ({ key }) => key));
    return result;
  }

  #oldReservation(nexus: Nexus, cdb: Uint8Array): ScsiResult {
    const operation = cdb[0] === 0x16 ? "reserve" : "release";
    const { result, holder } = applyOldReservation(this.state, this.#old, nexusKey(nexus), operation, this.settings);
    this.#old = holder;
    return result;
  }

  #abort(effects: Effects, sender: string): void {
    const named = new Set(effects.aborts.flatMap((audience) => [...membersOf(audience, this.state)]));
    const lost = this.#tasks.filter((task) => named.has(task.nexus));
    for (const task of lost) {
      task.status = ScsiStatus.TASK_ABORTED;
      if (task.nexus !== sender && !this.#taskAbortedStatus) {
        this.#queues.get(task.nexus)?.raise(Sense.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
      }
    }
  }

  #endTask(nexus: string): ScsiResult {
    const task = this.#tasks.find((candidate) => candidate.nexus === nexus);
    expect(task, "a command in flight").to.not.equal(undefined);
    this.#tasks = this.#tasks.filter((candidate) => candidate !== task);
    return bareStatus(task?.status ?? ScsiStatus.BUSY);
  }

  #tellAll(code: SenseCode): ScsiResult {
    for (const queue of this.#queues.values()) queue.raise(code);
    return good();
  }

  #nexus(who: string): Nexus {
    const nexus = { initiator: initiator(who), targetPort: who.endsWith("2") ? 2 : 1 };
    this.#names.set(nexusKey(nexus), who);
    this.#queue(nexus);
    return nexus;
  }

  #queue(nexus: Nexus): UnitAttentionQueue {
    const key = nexusKey(nexus);
    const queue = this.#queues.get(key) ?? new UnitAttentionQueue();
    this.#queues.set(key, queue);
    return queue;
  }

  #pendingCodes(): string[] {
    return [...this.#queues].flatMap(([nexus, queue]) =>
      queue.pending.map((code) => `${this.#names.get(nexus) ?? nexus}:${codeText(code)}`),
    );
  }
}

function codeText(code: SenseCode): string {
  return [code.asc, code.ascq].map((n) => n.toString(16).toUpperCase().padStart(2, "0")).join("/");
}

function describeResult(result: ScsiResult): string {
  const code = parseSense(result.sense);
  if (result.status === ScsiStatus.GOOD) return code === null ? "GOOD" : `GOOD ${codeText(code)}`;
  if (result.status === ScsiStatus.RESERVATION_CONFLICT) return "RC";
  if (result.status === ScsiStatus.TASK_ABORTED) return "ABORTED";
  expect(result.status).to.equal(ScsiStatus.CHECK_CONDITION);
  const known = code ?? Sense.NO_SENSE;
  expect(known.key, "sense key").to.equal(known.asc >= 0x28 && known.asc <= 0x2f ? 6 : 5);
  return codeText(known);
}

/** Plays `script` on a new unit; see the module text. */
export function play(script: string, settings: Partial<ReservationSettings> = {}): Player {
  return new Player(settings).play(script);
}
