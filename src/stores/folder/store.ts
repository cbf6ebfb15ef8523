/**
 * Reservations in a folder, which one process uses at a time.
 *
 *     DIR/                    made with mode 0700
 *       lock                  who uses it (lock.ts)
 *       lock.held             locked in the kernel by who uses it (held-file.ts)
 *       UNIT.json             reservations of a unit (file.ts), mode 0600; there while the unit's APTPL is on
 *       UNIT.json.unfinished  those that are to take its place; if the process is killed now, the next one removes the file
 *
 * What is saved is whole at every moment: it is written to the second file, brought to the disk, given the name of the first, and then
 * the folder is brought to the disk. With APTPL off there is nothing to survive, so the file goes and nothing more is written.
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

/** Keys are what fences a node off: nobody else's business. */
const FOLDER_MODE = 0o700;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;

/** How a folder is opened. */
export interface DirectoryOptions {
  /** How long it will be held, which a process that is refused is told. Default: lasting. */
  readonly use?: FolderUse;
  /** Told in one line what an administrator should know. Default: whoever listens first ({@link DirectoryStore.onWarning}). */
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
  /** What 0.1.0 saved of files, by the names that it gave them. */
  readonly #former = new Map<string, SavedReservations>();
  /** Files that are written again since the disk works, or that go since nobody would miss them. */
  readonly #settling = new Set<Promise<void>>();

  private constructor(path: string, lock: FolderLock, folder: OpenFolder, warnings: Warnings) {
    this.#path = path;
    this.#lock = lock;
    this.#folder = folder;
    this.#warnings = warnings;
  }

  /**
   * Opens the folder `path`, which is made when it is missing, and locks it. What a killed process did not finish is removed; every file
   * of reservations is read, so that one that is damaged is found now and not when its unit appears.
   *
   * @throws QomError `in-use` that names the process that has the folder, with its `context.heldFor`; `io` when the system refuses; for a
   *   file with another content than was written, an error that names it: nothing is changed then
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
    // one that somebody put there since the folder was opened
    const saved = readStateFile(join(this.#path, stateFileName(unit)));
    return saved === null ? null : this.#add(unit, saved, { unwritten: false }).begin();
  }

  /**
   * Replaces the unit's file, or removes it. Rejects with the error of the system call that failed; the file is then what it was. Where the
   * system refuses to make it so, that is remembered, said, and done at the next commit of any unit, or by {@link close}.
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

  /** The unit's file goes, and with it what memory has of it. */
  forget(unit: string): void {
    const file = this.#files.get(unit);
    if (file !== undefined) this.#follow(unit, file, file.forget());
  }

  /** Lets go of the folder. No commit is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#settling);
    await this.#settleAll();
    await runAll([() => this.#folder.close(), () => this.#lock.release()]);
  }

  /**
   * Takes over what version 0.1.0 saved under a name that does not tell a file from those that had its inode before, if it was saved since
   * this one was made. What was decided is said.
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

  /** Waits for `writing`, before {@link close} at the latest. */
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
      // A name of 0.1.0 stays with its file until the unit that it may belong to is asked for.
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

/** A folder that is open; others may move it away meanwhile. */
class OpenFolder implements FileFolder {
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Makes the folder if it is missing, and opens it. */
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
  return new QomError("io", `cannot keep reservations in the folder '${value}'${reason}`, { cause, context: { value } });
}

function removeUnfinished(path: string): void {
  for (const name of readdirSync(path)) if (name.endsWith(STATE_FILE_SUFFIX + UNFINISHED_SUFFIX)) unlinkSync(join(path, name));
}
