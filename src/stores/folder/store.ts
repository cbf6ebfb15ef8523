/**
 * Reservations in a folder that one process uses at a time.
 *
 *     DIR/                    created with mode 0700
 *       lock                  says which process uses it (lock.ts)
 *       lock.held             locked in the kernel by that process (held-file.ts)
 *       UNIT.json             reservations of a unit (file.ts), mode 0600; exists while APTPL of the unit is on
 *       UNIT.json.unfinished  those that are to replace it; if the process is killed at this point, the next one removes the file
 *
 * The saved state is complete at every moment: it is written to the second file, synced, renamed to the first, and then the folder is
 * synced. With APTPL off nothing needs to survive, so the file is removed and nothing is written.
 */

import { constants, existsSync, readdirSync, unlinkSync } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { present } from "../../base/assert.js";
import { errnoOrMessage, isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { Warnings } from "../../base/warnings.js";
import type { WarningListener } from "../../base/warnings.js";
import type { ReservationImage } from "../../reservation/image.js";
import type { FolderUse } from "./holder.js";
import { FolderLock } from "./lock.js";
import type { CommitEnd, FormerName, ReservationStore, StoredReservations } from "../../reservation/store.js";
import { isAbandonedUnitName, isFormerFileUnitName } from "../../base/shadow-name.js";
import { readStateFile, STATE_FILE_SUFFIX, stateFileName } from "./file.js";
import type { SavedReservations } from "./file.js";
import { UNFINISHED_SUFFIX, UnitFile } from "./unit-file.js";
import type { FileFolder, UnitFileOrigin } from "./unit-file.js";

/** Readable by the owner alone: who knows a key can fence its node off. */
const FOLDER_MODE = 0o700;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;

/** How a folder is opened. */
export interface DirectoryOptions {
  /** How long it will be held, for the error message of a process that is refused. Default: lasting. */
  readonly use?: FolderUse;
  /** Called with each warning, one line. Default: warnings wait for the first listener of {@link DirectoryStore.onWarning}. */
  readonly warn?: (line: string) => void;
}

/** See the module text. */
export class DirectoryStore implements ReservationStore {
  readonly durable = true;
  readonly #path: string;
  readonly #lock: FolderLock;
  readonly #folder: OpenFolder;
  readonly #warnings: Warnings;
  readonly #files = new Map<string, UnitFile>();
  /** Units of files that 0.1.0 saved, by the names it used. */
  readonly #former = new Map<string, SavedReservations>();
  /** Writes of doubtful files and removals of forgotten ones that are under way. */
  readonly #settling = new Set<Promise<void>>();

  private constructor(path: string, lock: FolderLock, folder: OpenFolder, warnings: Warnings) {
    this.#path = path;
    this.#lock = lock;
    this.#folder = folder;
    this.#warnings = warnings;
  }

  /**
   * Opens the folder `path`, which is created if it is missing, and locks it. Unfinished files of a killed process are removed. Every state
   * file is read, so that a damaged one is found now and not when its unit appears.
   *
   * @throws QomError `in-use`, which names the process that has the folder, with its `context.heldFor`; `io` if the system refuses; for a
   *   damaged file, an error that names it: then nothing is changed
   */
  static async open(path: string, { use = "lasting", warn }: DirectoryOptions = {}): Promise<DirectoryStore> {
    if (path === "") throw new QomError("invalid-value", "the name of the state folder is empty");
    const absolute = resolve(path);
    const warnings = new Warnings();
    if (warn !== undefined) warnings.listen(warn);
    const folder = await OpenFolder.open(absolute);
    try {
      const lock = FolderLock.acquire(absolute, use);
      try {
        const store = new DirectoryStore(absolute, lock, folder, warnings);
        store.#readFolder();
        await store.#settleAll();
        removeUnfinished(absolute);
        await folder.sync();
        return store;
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
   * The saved reservations of a unit.
   * @throws QomError as for {@link DirectoryStore.open}
   */
  load(unit: string): StoredReservations | null {
    const known = this.#files.get(unit);
    if (known !== undefined) return known.begin();
    // somebody may have put it there since the folder was opened
    const saved = readStateFile(join(this.#path, stateFileName(unit)));
    return saved === null ? null : this.#add(unit, saved, { unwritten: false }).begin();
  }

  /**
   * Replaces the unit's file, or removes it. Rejects with the error of the system call that failed; the file then has its former content.
   * If the system refuses to restore that, a warning says so, and it is tried again at the next commit of any unit and by {@link close}.
   */
  async commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    const file = this.#files.get(unit) ?? this.#add(unit, { revision: 0, image: null }, { unwritten: false });
    const end = await file.commit(revision, image);
    for (const [name, other] of this.#files) if (other !== file) this.#settle(name, other);
    return end;
  }

  onWarning(listener: WarningListener): () => void {
    return this.#warnings.listen(listener);
  }

  /** Removes the unit's file, and what is kept of it in memory. */
  forget(unit: string): void {
    const file = this.#files.get(unit);
    if (file !== undefined) this.#follow(unit, file, file.forget());
  }

  /** Unlocks the folder. No commit may be under way. */
  async close(): Promise<void> {
    await Promise.all(this.#settling);
    await this.#settleAll();
    await runAll([() => this.#folder.close(), () => this.#lock.release()]);
  }

  /**
   * Takes over what version 0.1.0 saved under a name that is the same for all files that ever had the inode, but only if it was saved after
   * this file was created. A warning says which.
   */
  adopt(unit: string, { unit: former, birthNs }: FormerName): void {
    const saved = this.#former.get(former);
    if (saved === undefined || this.#files.has(unit)) return;
    this.#former.delete(former);
    const path = join(this.#path, stateFileName(former));
    if (birthNs === null || birthNs > saved.writtenNs) {
      this.#warnings.add(
        `reservations in '${printable(path)}' are not taken over: whether they are of the ${unit} of today is not certain`,
      );
      return;
    }
    this.#files.delete(former);
    this.#settle(unit, this.#add(unit, saved, { unwritten: true, supersedes: path }));
    this.#warnings.add(`the reservations that version 0.1.0 saved of ${former} are those of ${unit} now`);
  }

  async #settleAll(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.settle()));
  }

  #settle(unit: string, file: UnitFile): void {
    if (file.isDoubtful) this.#follow(unit, file, file.settle());
  }

  /** Has {@link close} wait for `writing`. */
  #follow(unit: string, file: UnitFile, writing: Promise<void>): void {
    const settled = writing.finally(() => {
      this.#settling.delete(settled);
      if (file.isForgotten && this.#files.get(unit) === file) this.#files.delete(unit);
    });
    this.#settling.add(settled);
  }

  #readFolder(): void {
    for (const name of readdirSync(this.#path).filter((each) => each.endsWith(STATE_FILE_SUFFIX))) {
      const saved = present(readStateFile(join(this.#path, name)), "the lock keeps others from removing files");
      const [{ unit, old, adopted }, path] = [saved, join(this.#path, name)];
      if (isAbandonedUnitName(unit)) {
        this.#warnings.add(
          `'${printable(path)}' is not used any more, since another disk may have that number today: remove it (${printable(unit)})`,
        );
        continue;
      }
      const isFormer = old && isFormerFileUnitName(unit);
      if (isFormer) this.#former.set(unit, saved);
      for (const line of adopted) this.#warnings.add(line);
      // the file of an old name stays as it is until the unit that it may belong to is attached
      this.#add(unit, saved, { unwritten: adopted.length > 0 && !isFormer });
    }
  }

  #add(
    unit: string,
    { revision, image }: { readonly revision: number; readonly image: ReservationImage | null },
    origin: UnitFileOrigin,
  ): UnitFile {
    const path = join(this.#path, stateFileName(unit));
    const file = new UnitFile({ unit, path, folder: this.#folder, warn: this.#warnings.add }, { revision, image }, origin);
    this.#files.set(unit, file);
    return file;
  }
}

/** An open folder, which others may move away. */
class OpenFolder implements FileFolder {
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Opens the folder, and creates it if it is missing. */
  static async open(path: string): Promise<OpenFolder> {
    try {
      await makeFolder(path);
      return new OpenFolder(path, await open(path, FOLDER_FLAGS));
    } catch (error) {
      throw unusable(path, error);
    }
  }

  async check(): Promise<void> {
    const [opened, there] = await Promise.all([this.#handle.stat({ bigint: true }), stat(this.#path, { bigint: true })]);
    if (opened.dev === there.dev && opened.ino === there.ino) return;
    throw new QomError("io", `another folder has taken the place of '${printable(this.#path)}'`, {
      context: { value: printable(this.#path) },
    });
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * Creates a folder and its missing parents, and syncs their entries. Not by the recursive mkdir of Node 20, which never ends where the
 * system reports ENOENT although the parent exists, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  const around = dirname(path);
  await makeFolder(around);
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    // another process was faster
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
  return new QomError("io", `cannot keep reservations in the folder '${value}'${reason}`, { cause, context: { value } });
}

function removeUnfinished(path: string): void {
  for (const name of readdirSync(path)) if (name.endsWith(STATE_FILE_SUFFIX + UNFINISHED_SUFFIX)) unlinkSync(join(path, name));
}
