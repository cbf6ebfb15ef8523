/**
 * The reservations of one unit beside the store that keeps them: what is in force here, which revision of the store that is, and whether it
 * can be told at all.
 *
 * A change is saved before it is in force. Where the store serves other fabrics as well, theirs come in between: they are in force at once,
 * except that while a commit is under way they wait for its end, and until then nothing is known for certain.
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
  /** Gets ready in slices for a state that was read, and may complete it; what it gives is called when that is in force. */
  readonly prepare: (state: ReservationState) => Steps<() => void>;
  /**
   * Told of a state that is in force from now on: that which the unit begins with (`former` is null), or one that another fabric has made. The
   * promise settles when that is carried out; null when that is so already. `skipped`: there were states between that were not seen.
   */
  readonly replaced: (former: ReservationState | null, next: ReservationState, skipped: boolean) => Promise<void> | null;
  /** Told in one line why nothing is known. */
  readonly warn: (line: string) => void;
}

/** What was read, before it is in force. */
interface Decoded {
  readonly state: ReservationState;
  readonly revision: number;
  /** See {@link KeptStateParts.prepare}. */
  readonly enter: () => void;
}

/** A commit under way. */
interface Pending extends StoredReservations {
  /** The store has announced that revision with that image, and it is in force. */
  announced: boolean;
  /** Brings it into force, once however often it is called. */
  readonly enforce: () => void;
}

/** See the module text. */
export class KeptState {
  readonly #parts: KeptStateParts;
  #stopWatching = nothing;
  #state = new ReservationState();
  #revision = 0;
  /** What the unit begins with is known. */
  #begun = false;
  /** Why the state cannot be told: it has to be read, or changes may be missed until the store says otherwise. */
  #trouble: "unread" | "lost" | null = null;
  /** States that are being read: until then it is not certain what is forbidden. */
  #decoding = 0;
  #pending: Pending | null = null;
  /** Settles when the commit under way has ended. */
  #pendingEnd: Promise<unknown> = Promise.resolve();
  /** The newest that was announced while a commit was under way. */
  #waiting: StoredReservations | null = null;
  /** Settles when what had waited is carried out. */
  #waited: Promise<void> = Promise.resolve();
  /** Settles when everything that other fabrics have changed so far is carried out; null when that is so. */
  #carriedOut: Promise<void> | null = null;
  #asking = false;
  #told = "";
  #closed = false;

  constructor(parts: KeptStateParts) {
    this.#parts = parts;
  }

  /** What is in force, to be read; what is changed in place is changed by {@link save} or where nothing is saved. */
  get state(): ReservationState {
    return this.#state;
  }

  /** False while it is not certain that {@link state} is what is in force. */
  get isKnown(): boolean {
    return this.#trouble === null && this.#decoding === 0 && this.#waiting === null;
  }

  /** True when every change is to be saved, and not only what must survive power loss. */
  get isShared(): boolean {
    return this.#parts.keeping === "shared";
  }

  /** True when what must survive power loss is to be saved. */
  get isKept(): boolean {
    return this.#parts.keeping !== "nothing";
  }

  /**
   * Reads what the unit begins with; called once. Null when that is done; else the promise of it, which rejects with what the store says when
   * it cannot tell. The state is not known then, and is asked for again by {@link ask}.
   * @throws the same from a store that says so at once; QomError `invalid-value` for an answer that cannot be one
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
      // there is no unit then that could be closed
      this.close();
      throw error;
    }
  }

  /** Has the store asked again if the state is not known for lack of an answer; nobody waits for it. */
  ask(): void {
    if (this.#trouble !== "unread" || this.#asking || this.#pending !== null || this.#closed) return;
    this.#asking = true;
    void this.#ask().then(() => {
      this.#asking = false;
    });
  }

  /**
   * Saves `next`, which is to follow {@link state}. When the store has it, `change` brings it into force. One call at a time.
   */
  async save<Value>(next: StateView, change: Change<Value>): Promise<SaveEnd<Value>> {
    const base = this.#revision;
    const encoded = inSlices(encodeSteps(next));
    const image = encoded instanceof Promise ? await encoded : encoded;
    if (!this.isKnown) return { end: "unknown" };
    if (this.#revision !== base) return { end: "overtaken" };
    let ended = nothing;
    // before the commit begins: what is announced from within it waits for it, too
    this.#pendingEnd = new Promise<void>((resolve) => {
      ended = resolve;
    });
    try {
      return await this.#commit({ revision: base + 1, image }, change);
    } finally {
      ended();
    }
  }

  /** No longer told of changes. @throws what the store throws then */
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
      // what was announced was the same by another fabric: this one's comes after it
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
    // Others have come after the one that may have been this one: what it would do now is not what it was to do.
    if (uncertain !== null && this.#revision > pending.revision) return { end: "failed", error: uncertain };
    return { end: this.isKnown ? "overtaken" : "unknown" };
  }

  /** By what has been announced. */
  async #overtaken(): Promise<SaveEnd<null>> {
    await this.#takeWaiting();
    return { end: this.isKnown ? "overtaken" : "unknown" };
  }

  /**
   * Reads what is stored and brings it into force. `saved` when that is `pending`, which is left to its caller; `unknown` when the store
   * cannot tell, which is said.
   */
  async #ask(pending: Pending | null = null): Promise<"taken" | "saved" | "unknown"> {
    const since = this.#revision;
    try {
      const stored = checkStored(await this.#parts.store.load(this.#parts.unit));
      if (pending !== null && this.#isStored(pending, stored)) {
        this.#known();
        return "saved";
      }
      // known meanwhile, and a commit has begun, which this may be
      if (pending === null && this.#pending !== null) void this.#announced(stored);
      else await this.#take(stored, since);
      return "taken";
    } catch (error) {
      this.#doubt(error);
      return "unknown";
    }
  }

  /** True when a store that gives `stored` has `pending`: alone, it need not keep what power loss would not leave. */
  #isStored({ revision, image }: StoredReservations, stored: StoredReservations | null): boolean {
    if (stored === null) return !this.isShared && !image.aptpl;
    return stored.revision === revision && sameImage(stored.image, image);
  }

  /**
   * Brings what was read into force if it is newer: at once, or if it is large, when it is decoded. What is older than `since`, which was in
   * force when the store was asked, is an error: nothing is certain any more. What has come meanwhile may well be newer than the answer.
   */
  #take(stored: StoredReservations | null, since: number): Promise<void> | null {
    const revision = stored?.revision ?? 0;
    if (stored !== null && revision > this.#revision) return this.#adopt(stored);
    // of what power loss would not leave a store may have forgotten the number, too
    if (stored === null && !this.isShared && !this.#state.aptpl) this.#revision = 0;
    else if (revision < since) throw new QomError("invalid-value", `it has revision ${revision}, older than ${since}`);
    this.#known();
    return null;
  }

  /** The same as {@link #announced}, by the store, which may say what cannot be. */
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
    // told again of what is under way here
    if (pending?.announced === true && revision === pending.revision) return this.#afterPending();
    // what it ends may still be ending, however it was learnt
    if (stored === null || revision <= this.#revision) return this.#carriedOut ?? Promise.resolve();
    if (pending === null) return this.#adopted(stored);
    if (revision === pending.revision && sameImage(stored.image, pending.image)) {
      this.#announcedIs(pending);
    } else if (this.#waiting === null || this.#waiting.revision < revision) this.#waiting = stored;
    return this.#afterPending();
  }

  /** Settles when the commit under way has ended, and what has waited for it is carried out. */
  async #afterPending(): Promise<void> {
    await this.#pendingEnd;
    await this.#waited;
    await this.#carriedOut;
  }

  /** What is under way is what the store has. */
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

  /** The same as {@link #adopt}, where nobody hears of a failure but by a line. */
  async #adopted(stored: StoredReservations): Promise<void> {
    try {
      await this.#adopt(stored);
    } catch (error) {
      this.#doubt(error);
    }
  }

  /** Settles when it is carried out; null when that is so already. */
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

  /** What was ended by a change before this one may still be ending. */
  #carryOut(change: Promise<void> | null): Promise<void> | null {
    if (change === null) return this.#carriedOut;
    const carriedOut = Promise.all([this.#carriedOut, change]).then(() => {
      if (this.#carriedOut === carriedOut) this.#carriedOut = null;
    });
    this.#carriedOut = carriedOut;
    return carriedOut;
  }

  /** The state is what the store has. */
  #known(): void {
    this.#begun = true;
    if (this.#trouble === "unread") this.#trouble = null;
    this.#told = "";
  }

  /** The store has to be asked again, for that reason. */
  #doubt(error: unknown): void {
    this.#trouble ??= "unread";
    this.#tell(error);
  }

  /** Says why nothing is known; the same reason once. */
  #tell(error: unknown): void {
    const reason = isError(error) ? error.message : String(error);
    if (reason === this.#told || this.#closed) return;
    this.#told = reason;
    const line = `${printable(this.#parts.unit)} is busy, since the store cannot tell its reservations: ${printable(reason)}`;
    this.#parts.warn(line);
  }
}

/** Asked again: it may have been announced while something was waited for. */
function isAnnounced({ announced }: Pending): boolean {
  return announced;
}

function nothing(): void {}
