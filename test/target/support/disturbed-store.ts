/** A store that several fabrics share, which fails, forgets to tell, tells late and tells twice, as chance has it; and all that it has stored. */
import { present } from "#src/base/assert.js";
import { decodeImage } from "#src/reservation/image.js";
import type { ReservationImage } from "#src/reservation/image.js";
import type { ReservationState } from "#src/reservation/state.js";
import { UncertainCommitError } from "#src/reservation/store.js";
import type { CommitEnd, ReservationStore, ReservationWatcher, StoredReservations } from "#src/reservation/store.js";
import type { Schedule } from "./schedule.js";

/** What may go wrong with a store. */
export interface Disturbances {
  /** Loads and commits fail, some of them after the store has changed. */
  readonly faults: boolean;
  /** A watch is lost, and comes back later. */
  readonly lostWatches: boolean;
  /** A commit ends when the change is in force at all other fabrics, as that of a store that is in no hurry. */
  readonly commitsWait: boolean;
}

/** Everything that was stored of one unit, for every {@link DisturbedStore} that is given it. */
export class StoredHistory {
  readonly #revisions: StoredReservations[] = [];
  readonly #committers: DisturbedStore[] = [];
  readonly #states = new Map<number, ReservationState>();
  readonly doors = new Set<DisturbedStore>();
  /** What fabrics were told, to be waited for. */
  readonly announcements: Promise<void>[] = [];
  /** How often what happened. */
  readonly tally = new Map<string, number>();
  disturbances: Disturbances = { faults: false, lostWatches: false, commitsWait: false };

  constructor(readonly schedule: Schedule) {}

  get last(): StoredReservations | null {
    return this.#revisions.at(-1) ?? null;
  }

  /** Number of commits. */
  get revision(): number {
    return this.#revisions.length;
  }

  /** What was in force from that revision, counted from 1, on. */
  stateAt(revision: number): ReservationState {
    const known = this.#states.get(revision);
    if (known !== undefined) return known;
    const { image } = present(this.#revisions[revision - 1], "it was stored");
    const state = decodeImage(image);
    this.#states.set(revision, state);
    return state;
  }

  /** True when another fabric has ended the registration of that nexus by that revision, and not by CLEAR. */
  isPreempted(nexus: string, revision: number, here: DisturbedStore): boolean {
    if (revision < 2 || this.#committers[revision - 1] === here) return false;
    const next = this.stateAt(revision);
    return next.registrantCount > 0 && next.find(nexus) === undefined && this.stateAt(revision - 1).find(nexus) !== undefined;
  }

  add(revision: number, image: ReservationImage, committer: DisturbedStore): StoredReservations {
    const stored = { revision, image: structuredClone(image) };
    this.#committers.push(committer);
    this.#revisions.push(stored);
    return stored;
  }

  count(event: string): void {
    this.tally.set(event, (this.tally.get(event) ?? 0) + 1);
  }

  /** True with that probability where stores fail. */
  fails(probability: number): boolean {
    if (!(this.disturbances.faults && this.schedule.chance(probability))) return false;
    this.count("fault");
    return true;
  }
}

/** One fabric's door to it. */
export class DisturbedStore implements ReservationStore {
  readonly #history: StoredHistory;
  readonly #schedule: Schedule;
  #watcher: ReservationWatcher | null = null;
  #isLost = false;
  /** Newest revision that the fabric was told of; 0 before the first. */
  announced = 0;
  /** Called before the fabric is told of that revision; what it gives is called when the fabric has it in force. */
  onTell: (revision: number) => () => void = () => () => {};

  constructor(history: StoredHistory) {
    this.#history = history;
    this.#schedule = history.schedule;
  }

  async load(): Promise<StoredReservations | null> {
    await this.#schedule.later();
    if (this.#history.fails(0.05)) throw new Error("no answer");
    const { last } = this.#history;
    if (this.#schedule.chance(0.5)) await this.#schedule.later();
    return last;
  }

  async commit(_unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    const [history, schedule] = [this.#history, this.#schedule];
    await schedule.later();
    if (history.fails(0.04)) throw new Error("refused");
    if (history.fails(0.05)) throw new UncertainCommitError("lost on its way");
    if (revision !== history.revision + 1) {
      history.count("overtaken");
      await schedule.later();
      return "overtaken";
    }
    const stored = history.add(revision, image, this);
    const others: Promise<void>[] = [];
    for (const door of history.doors) {
      const announcement = door.#announce(stored, door === this);
      history.announcements.push(announcement);
      if (door !== this) others.push(announcement);
    }
    if (history.disturbances.commitsWait) await Promise.all(others);
    if (schedule.chance(0.7)) await schedule.later();
    if (history.fails(0.05)) throw new UncertainCommitError("the answer is lost");
    return "done";
  }

  watch(_unit: string, watcher: ReservationWatcher): () => void {
    this.#watcher = watcher;
    this.#history.doors.add(this);
    return () => {
      this.#watcher = null;
      this.#history.doors.delete(this);
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #announce(stored: StoredReservations, isOwn: boolean): Promise<void> {
    const { lostWatches, commitsWait } = this.#history.disturbances;
    if (commitsWait || this.#schedule.chance(0.8)) await this.#schedule.later();
    // a fabric need not hear of its own commits
    if (this.#isLost || (isOwn && this.#schedule.chance(0.3))) return;
    if (lostWatches && this.#schedule.chance(0.08)) {
      this.#history.announcements.push(this.#loseWatch());
      return;
    }
    const times = this.#schedule.chance(0.2) ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => this.#tell(stored)));
  }

  async #loseWatch(): Promise<void> {
    this.#history.count("lost watch");
    this.#isLost = true;
    this.#watcher?.lost();
    await this.#schedule.later();
    await this.#schedule.later();
    this.#isLost = false;
    await this.#tell(this.#history.last);
  }

  async #tell(stored: StoredReservations | null): Promise<void> {
    if (this.#watcher === null) return;
    const revision = stored?.revision ?? 0;
    this.announced = Math.max(this.announced, revision);
    const inForce = this.onTell(revision);
    await this.#watcher.changed(stored);
    inForce();
  }
}
