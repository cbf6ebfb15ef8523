/** `-object reservation-folder,id=s,path=DIR`: reservations in a folder that one process uses at a time. */

import { present } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import type { WarningListener } from "../base/warnings.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { qom } from "../qom/property-type.js";
import type { ReservationImage } from "../reservation/image.js";
import type { CommitEnd, FormerName, StoredReservations } from "../reservation/store.js";
import type { FolderUse } from "./folder/holder.js";
import { DirectoryStore } from "./folder/store.js";
import { ReservationStoreObject } from "./reservation-store.js";
import { StoreUse } from "./store-use.js";

/** See the module text. The folder stays locked until the object is deleted. */
@qomType({ name: "reservation-folder", description: "a folder that keeps reservations made with APTPL, used by one process at a time" })
export class ReservationFolder extends ReservationStoreObject {
  @qomProperty(qom.string(), { description: "the folder; it is made if it does not exist", required: true })
  accessor path!: string;

  readonly #use: FolderUse;
  #opened: DirectoryStore | undefined;

  constructor(@inject(StoreUse) { use }: StoreUse) {
    super();
    this.#use = use;
  }

  override async complete(): Promise<void> {
    try {
      this.#opened = await DirectoryStore.open(this.path, { use: this.#use });
    } catch (error) {
      throw error instanceof QomError ? error.within({ option: "path", value: this.path }) : error;
    }
  }

  override load(unit: string): StoredReservations | null {
    return this.#store.load(unit);
  }

  override commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    return this.#store.commit(unit, revision, image);
  }

  adopt(unit: string, former: FormerName): void {
    this.#store.adopt(unit, former);
  }

  forget(unit: string): void {
    this.#store.forget(unit);
  }

  onWarning(listener: WarningListener): () => void {
    return this.#store.onWarning(listener);
  }

  override close(): Promise<void> {
    return this.#store.close();
  }

  get #store(): DirectoryStore {
    return present(this.#opened, "a completed reservation-folder is open");
  }
}
