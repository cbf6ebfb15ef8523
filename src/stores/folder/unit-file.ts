/**
 * The state file of one unit: what memory has is written to it as a whole, and what could not be written is remembered.
 *
 * A save that fails at its last steps may have changed the file, although its command is refused. Then the former content is put back. Where
 * the disk refuses that too, file and memory may differ: this is said, and the file is written again from memory at the next opportunity,
 * whatever has become of it meanwhile. Nothing is ever read back from the file.
 */

import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { errnoOrMessage, isErrnoError, isError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { inSlices } from "../../base/slices.js";
import type { ReservationImage } from "../../reservation/image.js";
import type { CommitEnd, StoredReservations } from "../../reservation/store.js";
import { SerialQueue } from "../../base/serial-queue.js";
import { encodeStateFile } from "./file.js";

/** Keys are what fences a node off: nobody else's business. */
const FILE_MODE = 0o600;

/** How the name of a file ends that is to take the place of another. */
export const UNFINISHED_SUFFIX = ".unfinished";

/** No symbolic link is followed and no FIFO waited for: whoever may write to the folder could have put one there. */
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The folder of a file. */
export interface FileFolder {
  /** Rejects when the folder is no longer where it was opened: a file written there would not be found the next time. */
  check(): Promise<void>;
  /** Brings the entries of the folder to the disk. */
  sync(): Promise<void>;
}

/** What a {@link UnitFile} is made of. */
export interface UnitFileParts {
  /** Name of the unit in the store. */
  readonly unit: string;
  readonly path: string;
  readonly folder: FileFolder;
  /** Told in one line that file and memory differ, and when they agree again. */
  readonly warn: (line: string) => void;
}

/** A file that another one is to take the place of. */
export interface UnitFileOrigin {
  /** True when the file has not what was saved last, and is to be written. */
  readonly unwritten: boolean;
  /** Path of a file that goes when this one has been written. */
  readonly supersedes?: string;
}

/** What was saved last: null while there is nothing to keep, and no file. */
interface Saved {
  readonly revision: number;
  readonly image: ReservationImage | null;
}

/** See the module text. */
export class UnitFile {
  readonly #parts: UnitFileParts;
  readonly #queue = new SerialQueue();
  #saved: Saved;
  /** The file may have something else than {@link #saved}. */
  #doubtful: boolean;
  #supersedes: string | null;
  /** Nobody has saved anything since {@link forget}. */
  #forgotten = false;
  /** Said to differ. */
  #told = false;

  constructor(parts: UnitFileParts, saved: Saved, origin: UnitFileOrigin = { unwritten: false }) {
    this.#parts = parts;
    this.#saved = saved;
    this.#doubtful = origin.unwritten;
    this.#supersedes = origin.supersedes ?? null;
  }

  /** True when the file may have something else than was saved last. */
  get isDoubtful(): boolean {
    return this.#doubtful;
  }

  /** What was saved last, for a unit that begins with it; without anything to begin with, revisions are counted anew. */
  begin(): StoredReservations | null {
    const { revision, image } = this.#saved;
    if (image !== null) return { revision, image };
    this.#saved = { revision: 0, image };
    return null;
  }

  /** True when nothing is kept of the unit, not even the number of its next revision. */
  get isForgotten(): boolean {
    return this.#forgotten && !this.#doubtful;
  }

  /** From now on nothing is saved of the unit, and revisions are counted anew; the file goes as soon as it can. */
  async forget(): Promise<void> {
    this.#saved = { revision: 0, image: null };
    this.#forgotten = true;
    await this.#queue.run(async () => {
      // whatever was under way has written what there was before
      this.#doubtful = true;
      await this.#putBack();
    });
  }

  /** Saves `image`, or removes the file where APTPL is off. Rejects with the error of the system call that failed. */
  async commit(revision: number, image: ReservationImage): Promise<CommitEnd> {
    this.#forgotten = false;
    return this.#queue.run(() => this.#commit({ revision, image: image.aptpl ? image : null }));
  }

  /** Writes the file again if it may differ from memory. Whether that works is said, and not thrown. */
  async settle(): Promise<void> {
    await this.#queue.run(async () => {
      if (this.#doubtful) await this.#putBack();
    });
  }

  async #commit(next: Saved): Promise<CommitEnd> {
    if (next.revision !== this.#saved.revision + 1) return "overtaken";
    try {
      await this.#parts.folder.check();
      await this.#write(next);
    } catch (error) {
      if (this.#doubtful) await this.#putBack();
      throw error;
    }
    this.#saved = next;
    this.#agree();
    return "done";
  }

  /** Writes what memory has. */
  async #putBack(): Promise<void> {
    try {
      await this.#parts.folder.check();
      await this.#write(this.#saved);
      this.#agree();
    } catch (error) {
      if (!this.#told)
        this.#parts.warn(
          `${this.#named()} may differ from those in use: they cannot be written (${reasonOf(error)}). They are written again as soon as possible`,
        );
      this.#told = true;
    }
  }

  #agree(): void {
    if (this.#told) this.#parts.warn(`${this.#named()} are those in use again`);
    this.#told = false;
    this.#doubtful = false;
  }

  #named(): string {
    return `reservations in '${printable(this.#parts.path)}'`;
  }

  /** All or nothing, except that the last steps may fail and have changed the file: then it is doubtful. */
  async #write({ revision, image }: Saved): Promise<void> {
    const { folder, path, unit } = this.#parts;
    if (image === null) {
      this.#doubtful = true;
      await unlinkIfThere(path);
    } else {
      await this.#replace(await inSlices(encodeStateFile(unit, revision, image)));
    }
    await folder.sync();
    if (this.#supersedes === null) return;
    // Not before the other one is safe: there is a moment with both, and none without.
    await unlinkIfThere(this.#supersedes);
    await folder.sync();
    this.#supersedes = null;
  }

  async #replace(pieces: readonly Uint8Array[]): Promise<void> {
    const unfinished = this.#parts.path + UNFINISHED_SUFFIX;
    try {
      const file = await open(unfinished, WRITE_FLAGS, FILE_MODE);
      try {
        await file.writeFile(pieces as unknown as Uint8Array); // node writes any iterable of bytes; its types know that of the other writeFile
        await file.sync();
      } finally {
        await file.close();
      }
      this.#doubtful = true;
      await rename(unfinished, this.#parts.path);
    } catch (error) {
      // it may not be there at all, and what matters is what failed first
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }
}

/** A file that somebody moved away is gone. */
async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!(isErrnoError(error) && error.code === "ENOENT")) throw error;
  }
}

function reasonOf(error: unknown): string {
  return isError(error) ? errnoOrMessage(error) : String(error);
}
