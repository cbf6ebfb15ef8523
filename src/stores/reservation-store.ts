/** The abstract class of stores that are objects: `-object TYPE,id=s,…`, used by `-object scsi-fabric,store=s`. */

import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { qomType } from "../qom/decorators.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import { QomObject } from "../qom/object.js";
import type { LinkTarget } from "../qom/property-type.js";
import type { ReservationImage } from "../reservation/image.js";
import type { Awaitable, CommitEnd, ReservationStore, ReservationWatcher, StoredReservations } from "../reservation/store.js";

/** How a link to a store is looked up: by its id below /objects, like a link to a PR manager. */
export const STORE_LINK: LinkTarget = Object.freeze({ typeName: "reservation-store", noun: "reservation store", lookup: "objects" });

/**
 * See the module text. A subclass implements {@link ReservationStore}: `load`, `commit`, and what it supports of the rest. It connects, or
 * opens its files, in `complete()`, so that a store that cannot work fails when the object is created. {@link close} releases them when the
 * object is deleted, after every fabric that uses it.
 */
@qomType({
  name: "reservation-store",
  description: "keeps the reservations of simulated storage networks",
  abstract: true,
  interfaces: [USER_CREATABLE],
})
export abstract class ReservationStoreObject extends QomObject implements ReservationStore {
  readonly #users = new Set<string>();

  /** As {@link ReservationStore.load}. */
  abstract load(unit: string): Awaitable<StoredReservations | null>;

  /** As {@link ReservationStore.commit}. */
  abstract commit(unit: string, revision: number, image: ReservationImage): Awaitable<CommitEnd>;

  /** As {@link ReservationStore.watch}. */
  watch?(unit: string, watcher: ReservationWatcher): () => void;

  /** Releases what `complete()` has opened; called once, when the object is deleted. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  override finalize(): Promise<void> {
    return this.close();
  }

  /** Whether a fabric uses the store. */
  get isUsed(): boolean {
    return this.#users.size > 0;
  }

  /**
   * Registers a fabric as a user of the store, until the returned function is called.
   * @param fabric name of the fabric for error messages
   * @throws QomError `in-use` for a second fabric, unless the store has `watch`
   */
  usedBy(fabric: string): () => void {
    const [user] = this.#users;
    if (user !== undefined && this.watch === undefined) {
      throw new QomError("in-use", `${this.describe()} is used by ${user}: it serves one storage network at a time`, {
        context: { option: "store", value: printable(this.id ?? "") },
      });
    }
    this.#users.add(fabric);
    return () => {
      this.#users.delete(fabric);
    };
  }
}

/** A line for each store among `objects` that no fabric uses: whoever made it expects reservations to be kept in it. */
export function unusedStores(objects: Iterable<QomObject>): readonly string[] {
  return [...objects]
    .filter((object) => object instanceof ReservationStoreObject && !object.isUsed)
    .map((store) => {
      const id = printable(store.id ?? "");
      return `no storage network uses ${store.describe()}, so nothing is kept in it: -object scsi-fabric,id=…,store=${id} would`;
    });
}
