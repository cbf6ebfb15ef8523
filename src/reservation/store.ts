/**
 * Where the reservations of a fabric's units are kept: the contract between a fabric and a store, be it a folder, a database, or one of a
 * user's own.
 *
 * A store keeps one value for each unit, an image of its reservations (image.ts: plain data that survives JSON and a structured clone), with
 * a revision: the number of commits, 1 for the first. A commit names the revision that it makes, and succeeds only where the one before is
 * still the last: compare and swap. So a store may serve fabrics of several processes and hosts, and a fabric finds out that another one was
 * faster. Such a store has {@link ReservationStore.watch}.
 *
 * - A store without `watch` is told what must survive power loss, and nothing else: the changes made while APTPL is on, and its end. It serves
 *   one fabric at a time. What it gives to a fabric that begins is taken for what power loss has left: nothing of an image with APTPL off, and
 *   PRgeneration 0.
 * - A store with `watch` is told every change, whatever APTPL says, and what it has is what is in force: `aptpl` of the image says whether a
 *   power failure of the storage would leave it.
 *
 * For one unit a fabric calls `load` and `commit` one after the other: each waits for the end of the one before. Calls for different units
 * overlap. What `load` and `commit` promise they may also return as it is, where it is known at once: a unit that is loaded so is never busy
 * for that.
 */

import type { ReservationImage } from "./image.js";

/** A value, or the promise of one. */
export type Awaitable<Value> = Value | Promise<Value>;

/** The reservations of a unit as a store has them. Neither side changes an image that the other one has seen. */
export interface StoredReservations {
  /** Number of commits of this unit so far, from 1. */
  readonly revision: number;
  readonly image: ReservationImage;
}

/** The end of a commit: `done`, or `overtaken` when another revision than the one before it was the last; then nothing was changed. */
export type CommitEnd = "done" | "overtaken";

/**
 * What `commit` rejects with when it cannot tell whether the image was stored or not, as when a network is lost with the answer. The fabric
 * then loads the unit before it goes on. From that load on the answer must hold: the store sees to it that a commit which was on its way is
 * either part of what the load gives or never comes.
 */
export class UncertainCommitError extends Error {
  override readonly name = "UncertainCommitError";
}

/** What a fabric wants to know of a unit, see {@link ReservationStore.watch}. */
export interface ReservationWatcher {
  /**
   * That revision is the last one now; null: nothing is stored. It may be told several times, late, and with others left out: what is not newer than what the fabric
   * has is ignored, so its own commits may be told as well, even before `commit` has settled.
   *
   * From this call on nothing is admitted that the change forbids. The promise settles when the change is in force, whoever lost something by
   * it knows, and of nexuses that were preempted nothing that writes is under way any more; it does not reject. While a commit of this unit by
   * the same fabric is under way it may wait for the end of that one, so a store must not let the commit wait for it.
   */
  changed(stored: StoredReservations | null): Promise<void>;
  /**
   * Changes may be missed from now on: the fabric refuses with BUSY whatever depends on reservations. The store goes on trying, and calls
   * {@link changed} with what is the last revision as soon as it can tell again, even if that is an old one.
   */
  lost(): void;
}

/** A name that a unit had in reservations saved by version 0.1.0. */
export interface FormerName {
  readonly unit: string;
  /** When what the unit stands for came into being, in nanoseconds since 1970: what was saved before is of something else. Null when unknown. */
  readonly birthNs: bigint | null;
}

/** Keeps what must survive the process, see the module text. One store serves all units of a fabric. */
export interface ReservationStore {
  /**
   * False for a store that forgets with the process. Disks that only this process simulates accept APTPL all the same, units that stand for
   * disks and files of the host refuse it. Absent: true.
   */
  readonly durable?: boolean;
  /**
   * True when fabrics of several processes or hosts have the same reservations by it: then they may have the file of a medium open at the
   * same time. Absent: false.
   */
  readonly sharedByHosts?: boolean;
  /**
   * What was committed last for the unit of that name; null when nothing was, and the next commit is to make revision 1. The name is a
   * `naa.`, `eui.` or other text of up to some hundred characters.
   *
   * A store without `watch` may give null for an image whose `aptpl` is false, and count from 1 again after that.
   *
   * Rejects (or throws) when the store cannot tell. A disk that is being attached then fails with that error; a unit that is there answers
   * BUSY, and every command that needs to know has it asked again.
   */
  load(unit: string): Awaitable<StoredReservations | null>;
  /**
   * Makes `image` what {@link load} gives, if `revision` is the stored one plus 1, else changes nothing and gives `overtaken`: the fabric
   * loads the unit and decides anew.
   *
   * `done` means that it stays, whatever happens to this process or the power. Rejects when nothing was changed, for certain: the command
   * that asked for it ends with CHECK CONDITION, by the `code` of the error where that is ENOSPC or EIO. Rejects with an
   * {@link UncertainCommitError} when that is not certain.
   */
  commit(unit: string, revision: number, image: ReservationImage): Awaitable<CommitEnd>;
  /**
   * Tells `watcher` of every revision of the unit from now on, whoever commits it, until the function given back is called; see
   * {@link ReservationWatcher}. It is called once for each unit, before the first {@link load}: what is committed between the two must
   * reach the one or the other. It does not throw; a watch that cannot begin is one that is lost.
   */
  watch?(unit: string, watcher: ReservationWatcher): () => void;
  /** Gives the unit what version 0.1.0 saved for it under another name, unless there is something under its own. */
  adopt?(unit: string, former: FormerName): void;
  /**
   * Nothing of the unit of that name would be missed, and none of its commits is under way: what is kept of it may go, at any time. From now
   * on {@link load} gives null for it. Absent: it stays. A store with `watch` is not asked.
   */
  forget?(unit: string): void;
  /** Calls `listener` with each line that whoever runs the program should see, until the function given back is called. */
  onWarning?(listener: (line: string) => void): () => void;
  /**
   * Lets go of everything. Whoever made the store calls it, after all fabrics that were given it are closed: they do not. The object of
   * `-object` is closed by its machine.
   */
  close(): Promise<void>;
}
