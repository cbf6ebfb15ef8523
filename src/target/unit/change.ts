/** A change of a unit's reservations on its way to the store, and what became of it. */

/** How a save ended: with the result of `done`, the error of a store that changed nothing, another state to decide by, or not known. */
export type SaveEnd<Value> =
  | { readonly end: "done"; readonly value: Value }
  | { readonly end: "failed"; readonly error: unknown }
  | {
      readonly end: "overtaken" | "unknown";
      /** Another fabric has made the very same state; `done` was called when that was announced, and so was `foreign`. */
      readonly inForce?: boolean;
    };

/** What has a change take effect. */
export interface Change<Value> {
  /** Called when the change is stored; the state is still the one that it was made on. */
  readonly done: () => Value;
  /**
   * Called after `done` if it was another fabric that made the very same state, for the effects that this has in addition. Settles when
   * they are carried out; null if they already are.
   */
  readonly foreign: () => Promise<void> | null;
}
