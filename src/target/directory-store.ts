/**
 * Reservations in a folder, which one process uses at a time.
 *
 *     DIR/                    made with mode 0700
 *       lock                  who uses it (folder-lock.ts)
 *       lock.held             locked in the kernel by who uses it (held-file.ts)
 *       UNIT.json             reservations of a unit (state-file.ts), mode 0600; there while the unit's APTPL is on
 *       UNIT.json.unfinished  those that are to take its place; if the process is killed now, the next one removes the file
 *
 * What is saved is whole at every moment: it is written to the second file, brought to the disk, given the name of the first, and then
 * the folder is brought to the disk. With APTPL off there is nothing to survive, so the file goes and nothing more is written.
 */

import { constants, existsSync, readdirSync, unlinkSync } from "node:fs";
import { mkdir, open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { assert, present } from "../base/assert.js";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import type { ReservationState } from "../reservation/state.js";
import type { FolderUse } from "./folder-holder.js";
import { FolderLock } from "./folder-lock.js";
import type { ReservationStore, StoredReservations } from "./reservation-store.js";
import { encodeStateFile, readStateFile, STATE_FILE_SUFFIX, stateFileName } from "./state-file.js";

/** Keys are what fences a node off: nobody else's business. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;

const UNFINISHED_SUFFIX = ".unfinished";

const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** What the folder has for a unit. The revision stays when the file goes. */
interface UnitRecord {
  readonly revision: number;
  readonly saved: boolean;
}

/** How a folder is opened. */
export interface DirectoryOptions {
  /** How long it will be held, which a process that is refused is told. Default: lasting. */
  readonly use?: FolderUse;
}

/** See the module text. */
export class DirectoryStore implements ReservationStore {
  readonly durable = true;
  readonly #path: string;
  readonly #lock: FolderLock;
  readonly #folder: FileHandle;
  readonly #units: Map<string, UnitRecord>;

  private constructor(path: string, lock: FolderLock, folder: FileHandle, units: Map<string, UnitRecord>) {
    this.#path = path;
    this.#lock = lock;
    this.#folder = folder;
    this.#units = units;
  }

  /**
   * Opens the folder `path`, which is made when it is missing, and locks it. What a killed process did not finish is removed; every file
   * of reservations is read, so that one that is damaged is found now and not when its unit appears.
   *
   * @throws QomError `in-use` that names the process that has the folder, with its `context.heldFor`; `io` when the system refuses; for a
   *   file with another content than was written, an error that names it: nothing is changed then
   */
  static async open(path: string, { use = "lasting" }: DirectoryOptions = {}): Promise<DirectoryStore> {
    if (path === "") throw new QomError("invalid-value", "the name of the state folder is empty");
    const absolute = resolve(path);
    const folder = await openFolder(absolute);
    try {
      const lock = FolderLock.acquire(absolute, use);
      try {
        const units = readFolder(absolute);
        removeUnfinished(absolute);
        await folder.sync();
        return new DirectoryStore(absolute, lock, folder, units);
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      await folder.close();
      throw error instanceof QomError ? error : unusable(absolute, error);
    }
  }

  /**
   * The saved reservations of a unit, with PRgeneration 0: between them and now there was a power loss.
   * @throws QomError as for {@link DirectoryStore.open}
   */
  load(unit: string): StoredReservations | null {
    const saved = readStateFile(join(this.#path, stateFileName(unit)));
    return saved === null ? null : { revision: saved.revision, state: saved.state.afterPowerLoss() };
  }

  /**
   * Replaces the unit's file, or removes it. Rejects with the error of the system call that failed; the file is then what it was, unless
   * the system refuses that too.
   */
  async commit(unit: string, revision: number, image: ReservationState): Promise<void> {
    const record = this.#units.get(unit) ?? { revision: 0, saved: false };
    assert(revision === record.revision + 1, `commit ${revision} of ${unit} follows ${record.revision}`);
    const path = join(this.#path, stateFileName(unit));
    const former = record.saved ? await open(path, constants.O_RDONLY) : null;
    try {
      if (image.aptpl) await replaceFile(path, encodeStateFile(unit, revision, image));
      else if (record.saved) await unlink(path);
      await this.#syncOrPutBack(path, former);
    } finally {
      await former?.close();
    }
    this.#units.set(unit, { revision, saved: image.aptpl });
  }

  /** Lets go of the folder. No commit is under way. */
  async close(): Promise<void> {
    await runAll([() => this.#folder.close(), () => this.#lock.release()]);
  }

  /** Brings the folder to the disk; if that fails, gives the file the content of `former` again, which it had before. */
  async #syncOrPutBack(path: string, former: FileHandle | null): Promise<void> {
    try {
      await this.#folder.sync();
    } catch (error) {
      const putBack = former === null ? unlink(path) : former.readFile("utf8").then((text) => replaceFile(path, text));
      // a disk that refuses this too cannot be helped, and what matters is what failed first
      await putBack.catch(() => {});
      throw error;
    }
  }
}

/** Makes the folder if it is missing, and opens it. */
async function openFolder(path: string): Promise<FileHandle> {
  try {
    await makeFolder(path);
    return await open(path, FOLDER_FLAGS);
  } catch (error) {
    throw unusable(path, error);
  }
}

/**
 * Makes a folder and those around it, and brings their entries to the disk. Not by the recursive mkdir of node 20: where the system says
 * ENOENT although the folder around it is there, as in /proc, that one never ends.
 */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  const around = dirname(path);
  await makeFolder(around);
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    // another process came first
    if (!(isErrnoError(error) && error.code === "EEXIST")) throw error;
  }
  const folder = await open(around, FOLDER_FLAGS);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unusable(path: string, cause: unknown): QomError {
  const value = printable(path);
  const reason = isErrnoError(cause) ? `: ${errnoOrMessage(cause)}` : "";
  return new QomError("io", `cannot keep reservations in the folder "${value}"${reason}`, { cause, context: { value } });
}

function readFolder(path: string): Map<string, UnitRecord> {
  const units = new Map<string, UnitRecord>();
  for (const name of readdirSync(path).filter((each) => each.endsWith(STATE_FILE_SUFFIX))) {
    const { unit, revision } = present(readStateFile(join(path, name)), "the lock keeps others from removing files");
    units.set(unit, { revision, saved: true });
  }
  return units;
}

function removeUnfinished(path: string): void {
  for (const name of readdirSync(path)) if (name.endsWith(STATE_FILE_SUFFIX + UNFINISHED_SUFFIX)) unlinkSync(join(path, name));
}

/** Gives the file another content, all or nothing. */
async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = path + UNFINISHED_SUFFIX;
  try {
    const file = await open(unfinished, WRITE_FLAGS, FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    // it may not be there at all, and what matters is what failed first
    await unlink(unfinished).catch(() => {});
    throw error;
  }
}
