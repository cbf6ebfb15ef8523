/**
 * The reservations of one unit, next to the store that keeps them: the state in force here, its revision in the store, and whether that
 * state is known to be current.
 *
 * A change is saved before it takes effect. If the store serves other fabrics as well, their changes arrive in between: they take effect at
 * once, unless a commit is under way. Then they wait for its end, and until then the state is not known.
 */

import { isError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { inSlices } from "../../base/slices.js";
import type { Steps } from "../../base/slices.js";
import { decodeSteps, encodeSteps, sameImage } from "../../reservation/image.js";
import type { StateView } from "../../reservation/image.js";
import { ReservationState } from "../../reservation/state.js";
import { UncertainCommitError } from "../../reservation/store.js";
import type { ReservationStore, StoredReservations } from "../../reservation/store.js";
import type { Change, SaveEnd } from "./change.js";
import type { Keeping } from "./keeping.js";
import { checkStored, isThenable } from "./store-answer.js";

/** What {@link KeptState} works with. */
export interface KeptStateParts {
  /** Name of the unit in the store. */
  readonly unit: string;
  readonly store: ReservationStore;
  readonly keeping: Keeping;
  /** Prepares in slices for a state that was read, and may complete it; the function it returns is called when the state takes effect. */
  readonly prepare: (state: ReservationState) => Steps<() => void>;
  /**
   * Called with a state that takes effect now: the one that the unit starts with (`former` is null), or one that another fabric has made.
   * The promise settles when its effects are carried out; null if they already are. `skipped`: there were states in between that were not
   * seen.
   */
  readonly replaced: (former: ReservationState | null, next: ReservationState, skipped: boolean) => Promise<void> | null;
  /** Called with one line that says why the state is not known. */
  readonly warn: (line: string) => void;
}

/** A state that was read and has not taken effect yet. */
interface Decoded {
  readonly state: ReservationState;
  readonly revision: number;
  /** See {@link KeptStateParts.prepare}. */
  readonly enter: () => void;
}

/** A commit under way. */
interface Pending extends StoredReservations {
  /** The store has announced this revision with this image, and it has taken effect. */
  announced: boolean;
  /** Has it take effect; further calls do nothing. */
  readonly enforce: () => void;
}

/** See the module text. */
export class KeptState {
  readonly #parts: KeptStateParts;
  #stopWatching = nothing;
  #state = new ReservationState();
  #revision = 0;
  /** The state that the unit starts with is known. */
  #begun = false;
  /** Why the state is not known: it has to be read, or the store may be missing changes. */
  #trouble: "unread" | "lost" | null = null;
  /** Number of states being decoded: until that is done it is not certain what is forbidden. */
  #decoding = 0;
  #pending: Pending | null = null;
  /** Settles when the commit under way has ended. */
  #pendingEnd: Promise<unknown> = Promise.resolve();
  /** The newest state announced while a commit is under way. */
  #waiting: StoredReservations | null = null;
  /** Settles when the state that had waited has taken effect. */
  #waited: Promise<void> = Promise.resolve();
  /** Settles when the effects of all changes of other fabrics so far are carried out; null if they are. */
  #carriedOut: Promise<void> | null = null;
  #asking = false;
  #told = "";
  #closed = false;

  constructor(parts: KeptStateParts) {
    this.#parts = parts;
  }

  /** The state in force. It is changed in place by {@link save}, or directly where nothing is saved. */
  get state(): ReservationState {
    return this.#state;
  }

  /** False while {@link state} may not be current. */
  get isKnown(): boolean {
    return this.#trouble === null && this.#decoding === 0 && this.#waiting === null;
  }

  /** True if every change is saved, not only what must survive power loss. */
  get isShared(): boolean {
    return this.#parts.keeping === "shared";
  }

  /** True if what must survive power loss is saved. */
  get isKept(): boolean {
    return this.#parts.keeping !== "nothing";
  }

  /**
   * Reads the state that the unit starts with; called once. Null if that is done; otherwise a promise, which rejects with the store's error
   * if it cannot tell. Then the state is not known, and {@link ask} reads it again.
   * @throws the same error from a store that fails at once; QomError `invalid-value` for a malformed answer
   */
  open(): Promise<void> | null {
    const { keeping, store, unit } = this.#parts;
    if (keeping === "nothing") return null;
    this.#trouble = "unread";
    if (this.isShared) this.#watch();
    try {
      const since = this.#revision;
      const loaded = store.load(unit);
      const opened = isThenable(loaded)
        ? Promise.resolve(loaded).then((stored) => this.#take(checkStored(stored), since) ?? undefined)
        : this.#take(checkStored(loaded), since);
      opened?.catch(nothing);
      return opened;
    } catch (error) {
      // there will be no unit to be closed
      this.close();
      throw error;
    }
  }

  /** Reads the state again, in the background, if it is not known because a read failed. */
  ask(): void {
    if (this.#trouble !== "unread" || this.#asking || this.#pending !== null || this.#closed) return;
    this.#asking = true;
    void this.#ask().then(() => {
      this.#asking = false;
    });
  }

  /**
   * Saves `next` as the successor of {@link state}. Once it is stored, `change` has it take effect. One call at a time.
   */
  async save<Value>(next: StateView, change: Change<Value>): Promise<SaveEnd<Value>> {
    const base = this.#revision;
    const encoded = inSlices(encodeSteps(next));
    const image = encoded instanceof Promise ? await encoded : encoded;
    if (!this.isKnown) return { end: "unknown" };
    if (this.#revision !== base) return { end: "overtaken" };
    let ended = nothing;
    // set before the commit begins: announcements from within it have to wait for it, too
    this.#pendingEnd = new Promise<void>((resolve) => {
      ended = resolve;
    });
    try {
      return await this.#commit({ revision: base + 1, image }, change);
    } finally {
      ended();
    }
  }

  /** Stops watching. @throws what the store throws */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
  }

  #watch(): void {
    const { store, unit } = this.#parts;
    const stop = store.watch?.(unit, { changed: (stored) => this.#heard(stored), lost: () => this.#lose() });
    if (typeof stop !== "function") throw new QomError("invalid-value", "watch of the reservation store does not give a function");
    this.#stopWatching = stop;
  }

  async #commit<Value>(stored: StoredReservations, { done, foreign }: Change<Value>): Promise<SaveEnd<Value>> {
    let enforced: { readonly value: Value } | null = null;
    const enforce = (): { readonly value: Value } => {
      if (enforced !== null) return enforced;
      this.#revision = stored.revision;
      enforced = { value: done() };
      return enforced;
    };
    const pending: Pending = { ...stored, announced: false, enforce };
    this.#pending = pending;
    try {
      const end = await this.#endOf(pending);
      if (end.end === "done") return { end: "done", value: enforce().value };
      if (end.end === "failed") return end;
      if (pending.announced) void this.#carryOut(foreign());
      return { end: end.end, inForce: pending.announced };
    } finally {
      this.#pending = null;
      this.#waited = this.#takeWaiting();
    }
  }

  async #endOf(pending: Pending): Promise<SaveEnd<null>> {
    const { store, unit } = this.#parts;
    const done = { end: "done", value: null } as const;
    let uncertain: unknown = null;
    try {
      if ((await store.commit(unit, pending.revision, pending.image)) === "done") return done;
      // another fabric has made the same state, and this command comes after it
      if (pending.announced) return await this.#overtaken();
    } catch (error) {
      if (!pending.announced && !(error instanceof UncertainCommitError)) return { end: "failed", error };
      uncertain = error;
    }
    if (pending.announced) return done;
    if (uncertain === null && this.#waiting !== null) return this.#overtaken();
    this.#trouble ??= "unread";
    const stored = await this.#ask(pending);
    if (stored === "saved") this.#announcedIs(pending);
    if (isAnnounced(pending)) return uncertain === null ? this.#overtaken() : done;
    if (stored === "unknown") return uncertain === null ? { end: "unknown" } : { end: "failed", error: uncertain };
    // other changes came after the one that may have been this one, so to do it now would be something else
    if (uncertain !== null && this.#revision > pending.revision) return { end: "failed", error: uncertain };
    return { end: this.isKnown ? "overtaken" : "unknown" };
  }

  /** Another fabric was faster, and its change has been announced. */
  async #overtaken(): Promise<SaveEnd<null>> {
    await this.#takeWaiting();
    return { end: this.isKnown ? "overtaken" : "unknown" };
  }

  /**
   * Reads what is stored and has it take effect. `saved` if that is `pending`, which is left to the caller; `unknown` if the store cannot
   * tell, for which there is a warning.
   */
  async #ask(pending: Pending | null = null): Promise<"taken" | "saved" | "unknown"> {
    const since = this.#revision;
    try {
      const stored = checkStored(await this.#parts.store.load(this.#parts.unit));
      if (pending !== null && this.#isStored(pending, stored)) {
        this.#known();
        return "saved";
      }
      // the state became known meanwhile, and this may be the result of a commit that has begun since
      if (pending === null && this.#pending !== null) void this.#announced(stored);
      else await this.#take(stored, since);
      return "taken";
    } catch (error) {
      this.#doubt(error);
      return "unknown";
    }
  }

  /** True if `stored` means that `pending` is stored: a store for one fabric need not keep what a power loss would not leave. */
  #isStored({ revision, image }: StoredReservations, stored: StoredReservations | null): boolean {
    if (stored === null) return !this.isShared && !image.aptpl;
    return stored.revision === revision && sameImage(stored.image, image);
  }

  /**
   * Has what was read take effect if it is newer: at once, or once it is decoded if it is large. Anything older than `since`, the revision
   * in force when the store was asked, is an error, since then nothing is certain. A change that arrived meanwhile may be newer than the
   * answer.
   */
  #take(stored: StoredReservations | null, since: number): Promise<void> | null {
    const revision = stored?.revision ?? 0;
    if (stored !== null && revision > this.#revision) return this.#adopt(stored);
    // a store may even have forgotten the revision of what a power loss would not leave
    if (stored === null && !this.isShared && !this.#state.aptpl) this.#revision = 0;
    else if (revision < since) throw new QomError("invalid-value", `it has revision ${revision}, older than ${since}`);
    this.#known();
    return null;
  }

  /** The same as {@link #announced} for what a store reports, which may be malformed. */
  async #heard(stored: StoredReservations | null): Promise<void> {
    try {
      await this.#announced(checkStored(stored));
    } catch (error) {
      this.#doubt(error);
    }
  }

  #announced(stored: StoredReservations | null): Promise<void> {
    const revision = stored?.revision ?? 0;
    if (this.#closed) return Promise.resolve();
    if (this.#trouble === "lost" && revision >= this.#revision) this.#trouble = this.#begun ? null : "unread";
    const pending = this.#pending;
    // a repeated announcement of the pending commit
    if (pending?.announced === true && revision === pending.revision) return this.#afterPending();
    // commands that it aborts may still be ending
    if (stored === null || revision <= this.#revision) return this.#carriedOut ?? Promise.resolve();
    if (pending === null) return this.#adopted(stored);
    if (revision === pending.revision && sameImage(stored.image, pending.image)) {
      this.#announcedIs(pending);
    } else if (this.#waiting === null || this.#waiting.revision < revision) this.#waiting = stored;
    return this.#afterPending();
  }

  /** Settles when the commit under way has ended, and the state that waited for it has taken effect. */
  async #afterPending(): Promise<void> {
    await this.#pendingEnd;
    await this.#waited;
    await this.#carriedOut;
  }

  /** The store has the pending commit. */
  #announcedIs(pending: Pending): void {
    pending.announced = true;
    pending.enforce();
  }

  #lose(): void {
    this.#trouble = "lost";
  }

  async #takeWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null && waiting.revision > this.#revision) await this.#adopted(waiting);
  }

  /** The same as {@link #adopt}, except that a failure is a warning. */
  async #adopted(stored: StoredReservations): Promise<void> {
    try {
      await this.#adopt(stored);
    } catch (error) {
      this.#doubt(error);
    }
  }

  /** Settles when its effects are carried out; null if they already are. */
  #adopt(stored: StoredReservations): Promise<void> | null {
    const decoded = inSlices(this.#decode(stored));
    if (!(decoded instanceof Promise)) return this.#replace(decoded);
    this.#decoding += 1;
    return decoded
      .finally(() => {
        this.#decoding -= 1;
      })
      .then((next) => this.#replace(next) ?? undefined);
  }

  *#decode({ image, revision }: StoredReservations): Steps<Decoded> {
    const state = yield* decodeSteps(image);
    const enter = yield* this.#parts.prepare(state);
    return { state, revision, enter };
  }

  #replace({ state, revision, enter }: Decoded): Promise<void> | null {
    if (this.#closed) return null;
    if (revision <= this.#revision) return this.#carriedOut;
    const former = this.#begun ? this.#state : null;
    const skipped = revision > this.#revision + 1;
    if (former === null && !this.isShared) state.losePower();
    this.#state = state;
    this.#revision = revision;
    if (this.#waiting !== null && this.#waiting.revision <= revision) this.#waiting = null;
    this.#known();
    enter();
    return this.#carryOut(this.#parts.replaced(former, state, skipped));
  }

  /** Waits for earlier changes as well: commands that they abort may still be ending. */
  #carryOut(change: Promise<void> | null): Promise<void> | null {
    if (change === null) return this.#carriedOut;
    const carriedOut = Promise.all([this.#carriedOut, change]).then(() => {
      if (this.#carriedOut === carriedOut) this.#carriedOut = null;
    });
    this.#carriedOut = carriedOut;
    return carriedOut;
  }

  /** The state is the one in the store. */
  #known(): void {
    this.#begun = true;
    if (this.#trouble === "unread") this.#trouble = null;
    this.#told = "";
  }

  /** The store has to be asked again, because of `error`. */
  #doubt(error: unknown): void {
    this.#trouble ??= "unread";
    this.#tell(error);
  }

  /** Warns that the state is not known; the same reason is given once. */
  #tell(error: unknown): void {
    const reason = isError(error) ? error.message : String(error);
    if (reason === this.#told || this.#closed) return;
    this.#told = reason;
    const line = `${printable(this.#parts.unit)} is busy, since the store cannot tell its reservations: ${printable(reason)}`;
    this.#parts.warn(line);
  }
}

/** Read anew: it may have been announced since the last look. */
function isAnnounced({ announced }: Pending): boolean {
  return announced;
}

function nothing(): void {}
