/** A change of a unit's reservations on its way to the store, and what became of it. */

/** The end of a save: what its `done` gave; the error of a store that changed nothing; another state, to decide anew by; or not known. */
export type SaveEnd<Value> =
  | { readonly end: "done"; readonly value: Value }
  | { readonly end: "failed"; readonly error: unknown }
  | {
      readonly end: "overtaken" | "unknown";
      /** Another fabric has made the very same state, and `done` was called when that was announced; `foreign` was, too. */
      readonly inForce?: boolean;
    };

/** What brings a change into force. */
export interface Change<Value> {
  /** Called when the store has it: the state is then still what it was when it was saved. */
  readonly done: () => Value;
  /**
   * Called after `done` when it was another fabric that made the very same state: what that does beyond `done`. Settles when it is carried
   * out; null when that is so already.
   */
  readonly foreign: () => Promise<void> | null;
}
