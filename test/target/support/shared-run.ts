/** Some fabrics on one store, whose initiators write, reserve and preempt at random and all at once; and what must hold whatever happens. */
import { present } from "#src/base/assert.js";
import { isAllowed } from "#src/reservation/access.js";
import { snapshot } from "#src/reservation/snapshot.js";
import type { ReservationSnapshot } from "#src/reservation/snapshot.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "#src/scsi/reserve-out-request.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { Medium } from "#src/target/medium/medium.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import { command, nexus, WWN } from "../support.js";
import { outcome } from "../../support/outcome.js";
import { DisturbedStore, StoredHistory } from "./disturbed-store.js";
import type { Disturbances } from "./disturbed-store.js";
import { Schedule } from "./schedule.js";

const STEPS = 60;
const TYPES = [1, 3, 5, 6, 7, 8] as const;

const REGISTER = "register-and-ignore-existing-key";

/** Frequent ones more than once; REGISTER here ends a registration. */
const ACTIONS = [
  REGISTER,
  REGISTER,
  REGISTER,
  REGISTER,
  REGISTER,
  REGISTER,
  "reserve",
  "reserve",
  "reserve",
  "release",
  "release",
  "register",
  "clear",
  "preempt",
  "preempt",
  "preempt",
  "preempt-and-abort",
  "preempt-and-abort",
] as const;

/** How often an initiator asks again where the unit is BUSY: each READ KEYS has the store asked. */
const READS_MAX = 8;
const READ_KEYS = command("5e 00 00 00 00 00 00 04 00 00");
const BLOCK_BYTES = 512;

/** What a run is like. */
interface Conditions extends Disturbances {
  readonly fabricCount: number;
  readonly powerCycles: boolean;
}

function conditionsOf(seed: number): Conditions {
  return {
    fabricCount: 2 + (seed % 2),
    faults: seed % 3 === 0,
    lostWatches: seed % 5 === 0,
    powerCycles: seed % 7 === 0,
    commitsWait: seed % 4 === 1,
  };
}

/** A medium each write of which is under way until the schedule goes on with it. It keeps nothing. */
class SlowMedium implements Medium {
  readonly sizeBytes = 1024 * 1024;
  readonly fd = null;
  readonly deallocates = false;
  readonly #history: StoredHistory;
  /** The store's last revision when the write of a block began. */
  readonly revisions = new Map<number, number>();
  /** Blocks that are being written. */
  readonly underWay = new Set<number>();

  constructor(history: StoredHistory) {
    this.#history = history;
  }

  read(): null {
    return null;
  }

  async write(offset: number): Promise<void> {
    const block = offset / BLOCK_BYTES;
    this.revisions.set(block, this.#history.revision);
    this.underWay.add(block);
    await this.#history.schedule.later();
    this.underWay.delete(block);
  }

  deallocate(): void {}

  flush(): null {
    return null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A fabric with its unit. */
interface Side {
  readonly medium: SlowMedium;
  readonly store: DisturbedStore;
  readonly fabric: Fabric;
  readonly unit: LogicalUnit;
}

/** A nexus of one of the fabrics, and the key that it registers. */
interface Initiator {
  readonly name: string;
  readonly nexus: Nexus;
  readonly side: Side;
  readonly key: bigint;
}

/**
 * One run, which follows from its seed. What must hold: a write is let through only where some state allows it that is not older than what
 * the fabric has been told; no write of a preempted nexus is under way when that is in force; all that was begun ends; when nothing goes wrong any more no unit stays BUSY, and all fabrics have what the store
 * has; PRgeneration counts what was answered GOOD.
 */
export class SharedRun {
  readonly #conditions: Conditions;
  readonly #schedule: Schedule;
  readonly #history: StoredHistory;
  readonly #sides: Side[] = [];
  readonly #initiators: Initiator[] = [];
  /** GOOD ends of what counts in PRgeneration. */
  #changes = 0;
  /** NexusKeys of those who write. Each write has a block of its own, by which it is known again: the index. */
  readonly #writes: string[] = [];
  /** What does not hold. */
  readonly problems: string[] = [];

  constructor(seed: number) {
    this.#conditions = conditionsOf(seed);
    this.#schedule = new Schedule(seed);
    this.#history = new StoredHistory(this.#schedule);
  }

  /** How often what happened. */
  get tally(): ReadonlyMap<string, number> {
    return this.#history.tally;
  }

  async run(): Promise<void> {
    try {
      await this.#attach();
      await this.#disturb();
      await this.#calm();
      this.#checkAgreement();
      for (const { fabric } of this.#sides) await this.#schedule.until(fabric.close(), "close");
      if (this.#history.doors.size > 0) this.problems.push("a closed fabric watches");
    } catch (error) {
      this.problems.push(String(error));
    }
  }

  async #attach(): Promise<void> {
    for (const letter of ["A", "B", "C"].slice(0, this.#conditions.fabricCount)) {
      const store = new DisturbedStore(this.#history);
      const medium = new SlowMedium(this.#history);
      const fabric = new Fabric({ store });
      const unit = await this.#schedule.until(
        fabric.attachPath({ wwn: WWN }, { medium, writes: true, warn: () => {}, onCreate: () => {} }),
        "attach",
      );
      const side = { medium, store, fabric, unit };
      this.#sides.push(side);
      store.onTell = (revision) => this.#preemptedBy(revision, side);
      for (const name of [`${letter}1`, `${letter}2`]) {
        // both nexuses of a fabric have the same key: a PREEMPT ends two registrations
        const initiator = { name, nexus: nexus(name), side, key: BigInt(this.#sides.length) };
        unit.login(initiator.nexus);
        this.#initiators.push(initiator);
      }
    }
  }

  /** Commands of all initiators, many of them at the same time, until all have ended. */
  async #disturb(): Promise<void> {
    const schedule = this.#schedule;
    this.#history.disturbances = this.#conditions;
    const begun: Promise<void>[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      if (this.#conditions.powerCycles && schedule.chance(0.04)) begun.push(this.#cyclePower(this.#anyInitiator().side));
      else begun.push(schedule.chance(0.45) ? this.#write(this.#anyInitiator()) : this.#reserveOut(this.#anyInitiator()));
      for (let turns = schedule.below(4); turns > 0; turns -= 1) await schedule.turn();
    }
    await schedule.until(Promise.all(begun), "commands");
    await schedule.quiet();
    await schedule.until(Promise.all(this.#history.announcements), "announcements");
  }

  async #cyclePower({ fabric }: Side): Promise<void> {
    this.#history.count("power cycle");
    await fabric.powerCycle();
  }

  /** Writes of nexuses that another fabric has preempted must have ended when that is in force. */
  #preemptedBy(told: number, { medium, store }: Side): () => void {
    const ending = new Set<number>();
    for (const block of medium.underWay) {
      const [from, begun] = [this.#writes[block] ?? "", medium.revisions.get(block) ?? 0];
      for (let revision = begun + 1; revision <= told; revision += 1) {
        if (this.#history.isPreempted(from, revision, store)) ending.add(block);
      }
    }
    if (ending.size > 0) this.#history.count("preempted write");
    return () => {
      for (const block of ending)
        if (medium.underWay.has(block)) this.problems.push(`revision ${told} is in force beside a write that it ends`);
    };
  }

  /** A write that reaches the medium must be allowed by some state since the one which the fabric had been told of when it came. */
  async #write({ name, nexus: from, side }: Initiator): Promise<void> {
    const { announced } = side.store;
    const block = this.#writes.push(nexusKey(from)) - 1;
    const cdb = Uint8Array.of(0x2a, 0, 0, 0, block >> 8, block & 0xff, 0, 0, 1, 0);
    const end = outcome(await side.unit.execute(from, { cdb, dataOut: new Uint8Array(BLOCK_BYTES) }));
    this.#history.count(`write ${end}`);
    const begun = side.medium.revisions.get(block);
    if (begun === undefined || announced === 0) return;
    for (let revision = announced; revision <= begun; revision += 1) {
      if (isAllowed(this.#history.stateAt(revision), nexusKey(from), "write")) return;
    }
    this.problems.push(`a write of ${name} began, which the revisions ${announced} to ${begun} forbid`);
  }

  async #reserveOut({ nexus: from, side, key }: Initiator): Promise<void> {
    const request = this.#anyRequest(key);
    const end = outcome(await side.unit.execute(from, PersistentReserveOut.encode(request)));
    this.#history.count(end);
    if (end === "GOOD" && request.action !== "reserve" && request.action !== "release") this.#changes += 1;
  }

  #anyInitiator(): Initiator {
    const [first, ...others] = this.#initiators;
    return this.#schedule.pick([present(first, "a fabric is attached"), ...others]);
  }

  #anyRequest(key: bigint): ReserveOutRequest {
    const [action, type, victim] = [this.#schedule.pick(ACTIONS), this.#schedule.pick(TYPES), this.#anyInitiator().key];
    if (action === REGISTER) return { action, serviceActionKey: key, aptpl: this.#schedule.chance(0.5) };
    if (action === "reserve" || action === "release") return { action, key, type };
    if (action === "preempt" || action === "preempt-and-abort") return { action, key, serviceActionKey: victim, type };
    return { action, key };
  }

  /** Nothing goes wrong any more: whoever asks is answered, be it after some time. */
  async #calm(): Promise<void> {
    this.#history.disturbances = { faults: false, lostWatches: false, commitsWait: false };
    for (const { name, nexus: from, side } of this.#initiators) {
      let end = "";
      for (let reads = 0; reads < READS_MAX && end !== "GOOD"; reads += 1) {
        end = outcome(await this.#schedule.until(side.unit.execute(from, READ_KEYS), "READ KEYS"));
        await this.#schedule.quiet();
      }
      if (end !== "GOOD") this.problems.push(`READ KEYS of ${name} ends with ${end} for ever`);
    }
  }

  /** All fabrics have what the store has, and PRgeneration counts what was answered. */
  #checkAgreement(): void {
    const { revision } = this.#history;
    const seen = this.#sides.map(({ unit }) => unit.reservations);
    const stored = revision === 0 ? [] : [snapshot(this.#history.stateAt(revision))];
    const texts = new Set([...stored, ...seen].map(textOf));
    if (texts.size > 1) this.problems.push(`the store and the fabrics differ: ${[...texts].join(" ")}`);
    // what a fault or a power cycle comes between may have been done, and be answered otherwise
    if (this.#conditions.faults || this.#conditions.powerCycles) return;
    for (const { generation } of seen) {
      if (generation !== this.#changes) this.problems.push(`PRgeneration is ${generation} after ${this.#changes} changes`);
    }
  }
}

function textOf(view: ReservationSnapshot): string {
  return JSON.stringify(view, (_name, value: unknown) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));
}
