import type { FolderUse } from "./folder/holder.js";

/** Injection token of {@link StoreUse}. */
export const StoreUse: unique symbol = Symbol("StoreUse");

/** For how long a program opens its stores. */
export interface StoreUse {
  /** What a process that wants the same folder is told. */
  readonly use: FolderUse;
}
