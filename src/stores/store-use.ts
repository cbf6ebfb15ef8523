import type { FolderUse } from "./folder/holder.js";

/** Injection token of {@link StoreUse}. */
export const StoreUse: unique symbol = Symbol("StoreUse");

/** How long a program keeps its stores open. */
export interface StoreUse {
  /** Shown to a process that wants the same folder. */
  readonly use: FolderUse;
}
