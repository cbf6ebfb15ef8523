/** A store that several fabrics share, as a database would be: compare and swap, and a watch. What it does is under the test's hand. */
import type { CommitEnd, ReservationStore, ReservationWatcher, StoredReservations } from "#src/reservation/store.js";
import type { ReservationImage } from "#src/reservation/image.js";

/** What is stored, for every {@link SharedStore} that is given it. */
export class StoredUnits {
  readonly units = new Map<string, StoredReservations>();
  readonly watchers = new Map<string, Set<ReservationWatcher>>();

  /** Compares and swaps, and tells all watchers; settles when all of them have it in force. */
  swap(unit: string, revision: number, image: ReservationImage): { readonly end: CommitEnd; readonly told: Promise<void> } {
    if (revision !== (this.units.get(unit)?.revision ?? 0) + 1) return { end: "overtaken", told: Promise.resolve() };
    const stored = { revision, image: structuredClone(image) };
    this.units.set(unit, stored);
    const told = [...(this.watchers.get(unit) ?? [])].map((watcher) => watcher.changed(stored));
    return { end: "done", told: Promise.all(told).then(() => {}) };
  }
}

/** One fabric's door to them. */
export class SharedStore implements ReservationStore {
  readonly #stored: StoredUnits;
  readonly #own = new Map<string, ReservationWatcher>();
  readonly warnings: string[] = [];
  /** Number of calls. */
  loads = 0;
  commits = 0;
  /** Called before a commit reaches the store; what it throws the commit rejects with. */
  beforeCommit: () => Promise<void> | void = () => {};
  /** The same after it did. */
  afterCommit: () => Promise<void> | void = () => {};
  /** Called before a load; what it throws the load rejects with. */
  beforeLoad: () => Promise<void> | void = () => {};
  /** Watchers hear of nothing while it is true. */
  deaf = false;

  constructor(stored: StoredUnits) {
    this.#stored = stored;
  }

  async load(unit: string): Promise<StoredReservations | null> {
    this.loads += 1;
    await this.beforeLoad();
    return this.#stored.units.get(unit) ?? null;
  }

  async commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    this.commits += 1;
    await this.beforeCommit();
    const { end } = this.#stored.swap(unit, revision, image);
    await this.afterCommit();
    return end;
  }

  watch(unit: string, watcher: ReservationWatcher): () => void {
    const mine: ReservationWatcher = {
      changed: (stored) => (this.deaf ? Promise.resolve() : watcher.changed(stored)),
      lost: () => watcher.lost(),
    };
    this.#own.set(unit, mine);
    const watchers = this.#stored.watchers.get(unit) ?? new Set();
    this.#stored.watchers.set(unit, watchers.add(mine));
    return () => {
      watchers.delete(mine);
    };
  }

  /** Tells the fabric that changes of the unit may be missed. */
  lose(unit: string): void {
    this.#own.get(unit)?.lost();
  }

  /** Tells the fabric what is stored of the unit now. */
  async tell(unit: string): Promise<void> {
    await this.#own.get(unit)?.changed(this.#stored.units.get(unit) ?? null);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
