/**
 * Where the reservations of a fabric's units are kept: the contract between a fabric and a store, which may be a folder, a database, or a
 * user's own.
 *
 * A store keeps one value for each unit: an image of its reservations (image.ts: plain data that survives JSON and a structured clone),
 * with a revision, which is the number of commits so far. A commit names the revision that it makes, and succeeds only if the one before it
 * is still the last: compare and swap. In this way a store can serve fabrics of several processes and hosts, and a fabric notices when
 * another one was faster. Such a store has {@link ReservationStore.watch}.
 *
 * - A store without `watch` gets only what must survive power loss: the changes made while APTPL is on, and the change that turns it off.
 *   It serves one fabric at a time. A fabric that starts treats what the store returns as what a power loss has left: nothing of an image
 *   with APTPL off, and PRgeneration 0.
 * - A store with `watch` gets every change, whatever APTPL says, and what it has stored is in force: `aptpl` of the image says whether it
 *   would survive a power failure of the storage.
 *
 * For one unit, a fabric makes one call of `load` or `commit` at a time. Calls for different units overlap. Both may return a plain value
 * instead of a promise; a unit that is loaded in this way is never busy while it loads.
 */

import type { ReservationImage } from "./image.js";

/** A value, or the promise of one. */
export type Awaitable<Value> = Value | Promise<Value>;

/** The reservations of a unit as a store keeps them. Neither side changes an image once the other has seen it. */
export interface StoredReservations {
  /** Number of commits of this unit so far, from 1. */
  readonly revision: number;
  readonly image: ReservationImage;
}

/** The outcome of a commit: `done`, or `overtaken` if the revision before it was not the last one; then nothing was changed. */
export type CommitEnd = "done" | "overtaken";

/**
 * What `commit` rejects with when it cannot tell whether the image was stored, for example because the answer was lost with the network.
 * The fabric then loads the unit before it continues. What that load returns must be final: a commit that was still on its way is either
 * part of it, or never takes effect.
 */
export class UncertainCommitError extends Error {
  override readonly name = "UncertainCommitError";
}

/** How a store reports changes of a unit to a fabric, see {@link ReservationStore.watch}. */
export interface ReservationWatcher {
  /**
   * Reports that this revision is now the last one; null: nothing is stored. Revisions may be reported twice, late, or not at all: the
   * fabric ignores those that are not newer than its own. So a store may report the fabric's own commits as well, even before `commit` has
   * settled.
   *
   * From this call on, nothing is admitted that the change forbids. The promise settles when the change is in force, the nexuses that lost
   * something have their unit attentions, and no write of a preempted nexus is under way any more; it does not reject. It may wait for a
   * commit of this unit by the same fabric to end, so such a commit must not wait for it.
   */
  changed(stored: StoredReservations | null): Promise<void>;
  /**
   * Reports that changes may be missed from now on: the fabric answers BUSY to every command that depends on reservations. The store keeps
   * trying, and calls {@link changed} with the last revision as soon as it knows it again, even if it has not changed.
   */
  lost(): void;
}

/** A name that a unit had in reservations saved by version 0.1.0. */
export interface FormerName {
  readonly unit: string;
  /** When the file of the unit was created, in nanoseconds since 1970; what was saved before is another file's. Null when unknown. */
  readonly birthNs: bigint | null;
}

/** Keeps the reservations of all units of a fabric, see the module text. */
export interface ReservationStore {
  /**
   * False for a store that forgets everything when the process ends. Simulated disks accept APTPL all the same; units that stand for disks
   * and files of the host refuse it. Default: true.
   */
  readonly durable?: boolean;
  /**
   * True if fabrics of several processes or hosts share reservations through the store: then they may have the file of a medium open at the
   * same time. Default: false.
   */
  readonly sharedByHosts?: boolean;
  /**
   * Returns what was committed last for the unit of that name; null if nothing was, and the next commit is to make revision 1. The name is
   * a text of up to a few hundred characters, mostly `naa.…` or `eui.…`.
   *
   * A store without `watch` may return null for an image whose `aptpl` is false, and count from 1 again after that.
   *
   * Rejects (or throws) if the store cannot tell. A disk that is being attached then fails with that error; one that is attached answers
   * BUSY, and asks again at each command that depends on reservations.
   */
  load(unit: string): Awaitable<StoredReservations | null>;
  /**
   * Stores `image` if `revision` is the stored one plus 1; otherwise changes nothing and returns `overtaken`, upon which the fabric loads
   * the unit and decides its command anew.
   *
   * `done` means that the image is safe, whatever happens to this process or the power. Rejects if nothing was changed for certain: the
   * command ends with CHECK CONDITION, and its sense data depend on the `code` of the error (ENOSPC, EIO). Rejects with an {@link
   * UncertainCommitError} if that is not certain.
   */
  commit(unit: string, revision: number, image: ReservationImage): Awaitable<CommitEnd>;
  /**
   * Reports every revision of the unit to `watcher` from now on, whichever fabric commits it, until the returned function is called; see
   * {@link ReservationWatcher}. Called once for each unit, before the first {@link load}: a commit between the two must show up in one of
   * them. Neither `watch` nor the returned function throws; a watch that cannot begin reports {@link ReservationWatcher.lost}.
   */
  watch?(unit: string, watcher: ReservationWatcher): () => void;
  /** Moves what version 0.1.0 saved for the unit under another name to its own name, unless something is stored there. */
  adopt?(unit: string, former: FormerName): void;
  /**
   * Deletes what is stored for the unit, now or later; from now on {@link load} returns null for it. No commit of the unit is under way.
   * Optional; not called for a store with `watch`.
   */
  forget?(unit: string): void;
  /** Calls `listener` with each line that the user of the program should see, until the returned function is called. */
  onWarning?(listener: (line: string) => void): () => void;
  /**
   * Releases everything. The program that made the store calls it, once all fabrics that use it are closed; a fabric does not. A store made
   * by `-object` is closed by its machine.
   */
  close(): Promise<void>;
}
