/**
 * The state file of one unit, which is always written as a whole from memory.
 *
 * A save that fails in its last steps may have changed the file although its command is refused. Then the former content is restored. If
 * that fails as well, file and memory may differ: a warning says so, and the file is written again from memory at the next opportunity,
 * whatever its content is by then. The file is never read again.
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

/** Readable by the owner alone: who knows a key can fence its node off. */
const FILE_MODE = 0o600;

/** Suffix of a file that is to replace another. */
export const UNFINISHED_SUFFIX = ".unfinished";

/** Symbolic links are not followed, and opening a FIFO does not wait: anyone who can write to the folder could have put one there. */
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The folder of a file. */
export interface FileFolder {
  /** Rejects if the folder was moved since it was opened: a file written there would not be found next time. */
  check(): Promise<void>;
  /** Syncs the entries of the folder. */
  sync(): Promise<void>;
}

/** What a {@link UnitFile} is made of. */
export interface UnitFileParts {
  /** Name of the unit in the store. */
  readonly unit: string;
  readonly path: string;
  readonly folder: FileFolder;
  /** Called with one line when file and memory differ, and when they agree again. */
  readonly warn: (line: string) => void;
}

/** How a file came about. */
export interface UnitFileOrigin {
  /** True if the file does not have what was saved last, and has to be written. */
  readonly unwritten: boolean;
  /** Path of a file to be removed once this one is written. */
  readonly supersedes?: string;
}

/** What was saved last; image is null if nothing is to be kept, and there is no file. */
interface Saved {
  readonly revision: number;
  readonly image: ReservationImage | null;
}

/** See the module text. */
export class UnitFile {
  readonly #parts: UnitFileParts;
  readonly #queue = new SerialQueue();
  #saved: Saved;
  /** The file may differ from {@link #saved}. */
  #doubtful: boolean;
  #supersedes: string | null;
  /** Nothing was saved since {@link forget}. */
  #forgotten = false;
  /** A warning has said that they differ. */
  #told = false;

  constructor(parts: UnitFileParts, saved: Saved, origin: UnitFileOrigin = { unwritten: false }) {
    this.#parts = parts;
    this.#saved = saved;
    this.#doubtful = origin.unwritten;
    this.#supersedes = origin.supersedes ?? null;
  }

  /** True if the file may differ from what was saved last. */
  get isDoubtful(): boolean {
    return this.#doubtful;
  }

  /** What was saved last, for a unit that starts from it; if that is nothing, revisions are counted from 1 again. */
  begin(): StoredReservations | null {
    const { revision, image } = this.#saved;
    if (image !== null) return { revision, image };
    this.#saved = { revision: 0, image };
    return null;
  }

  /** True if nothing is kept of the unit, not even its revision. */
  get isForgotten(): boolean {
    return this.#forgotten && !this.#doubtful;
  }

  /** Forgets what was saved, and counts revisions from 1 again; the file is removed as soon as possible. */
  async forget(): Promise<void> {
    this.#saved = { revision: 0, image: null };
    this.#forgotten = true;
    await this.#queue.run(async () => {
      // a save that was under way may have written the file
      this.#doubtful = true;
      await this.#putBack();
    });
  }

  /** Saves `image`, or removes the file if APTPL is off. Rejects with the error of the system call that failed. */
  async commit(revision: number, image: ReservationImage): Promise<CommitEnd> {
    this.#forgotten = false;
    return this.#queue.run(() => this.#commit({ revision, image: image.aptpl ? image : null }));
  }

  /** Writes the file again if it may differ from memory. A failure is a warning, not an error. */
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

  /** Writes the file from memory. */
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

  /** All or nothing, unless one of the last steps fails: then the file is doubtful. */
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
    // only once the other one is safe: there may be both for a moment, but never neither
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
      // it may not exist, and the first failure is the one to report
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }
}

/** Somebody else may have removed it. */
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
