/** A device node or file of this host, with a PR manager made for the one command. */
import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { IO_TIMEOUT_MS_DEFAULT, runSgIo } from "../../host/run-sg-io.js";
import { MultipathDetector } from "../../helper/workers/multipath.js";
import { splitDeviceNumber } from "../../base/device-number.js";
import { Errno } from "../../native/errno.js";
import { FileTypeReader, type FilePlace } from "../../native/file/type.js";
import { resultOfErrno } from "../../native/sg-io/result.js";
import type { SgIoExecutor, SgIoOutcome, SgIoRequest } from "../../native/sg-io/sg-io.js";
import { SingleSgIoExecutor } from "../../native/sg-io/single.js";
import { deviceIdentity, fileIdentity, numberIdentity, type HostDevice } from "../../host/identity.js";
import { routeOf } from "../../scsi/routing.js";
import type { ScsiUnit } from "../../pr-manager/scsi-unit.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { DeviceOpenError } from "./device-open-error.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";
import type { DiskManager, ManagerOptions } from "./manager.js";
import { openManager } from "./open-manager.js";
import type { PersistRequest } from "./request.js";

/** What registers an initiator port, or takes its registration away. */
const REGISTERING: readonly string[] = ["register", "register-and-ignore-existing-key", "register-and-move"];

/** Tells a dm-multipath device. */
export type PathFinder = Pick<MultipathDetector, "find">;

/** How to reach a disk of this host. */
export interface LocalDiskOptions extends ManagerOptions {
  readonly device: string;
  readonly readOnly: boolean;
  /** By default from sysfs. */
  readonly multipath?: PathFinder;
}

/** What an open disk consists of. */
interface Parts {
  readonly handle: FileHandle;
  readonly isFile: boolean;
  readonly sgIo: WitnessedSgIo;
  readonly manager: DiskManager;
  /** What the manager sees; the answer to whatever it would be asked where the disk cannot be told from others just now. */
  readonly unit: ScsiUnit | DiskAnswer;
  /** The device is dm-multipath, and SG_IO reaches one path of it. */
  readonly onePath: boolean;
  /** What is to be said of the disk's name. */
  readonly warnings: readonly string[];
}

/** See the module text. */
export class LocalDisk implements PersistDisk {
  readonly takesInquiry: boolean;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.takesInquiry = !parts.isFile;
    this.#parts = parts;
  }

  /**
   * Opens the device and makes the manager.
   * @throws DeviceOpenError; FolderBusyError; QomError `invalid-value` for what is neither device nor file, or what the manager's options, or a
   *   connection that it needs, get wrong
   */
  static async open(options: LocalDiskOptions): Promise<LocalDisk> {
    const { device, readOnly, multipath = new MultipathDetector() } = options;
    const handle = await openDevice(device, readOnly);
    const sgIo = new WitnessedSgIo();
    let manager: DiskManager | undefined;
    const warnings: string[] = [];
    try {
      const found = await handle.stat({ bigint: true });
      const isFile = found.isFile();
      if (!isFile && !found.isBlockDevice() && !found.isCharacterDevice()) {
        throw new QomError("invalid-value", `'${printable(device)}' is neither a device nor a regular file`, {
          context: { value: device },
        });
      }
      manager = await openManager(options);
      // SG_IO needs no name, and a user who wants no INQUIRY to be sent gets none.
      const identity =
        options.manager === undefined ? identityUnasked(handle.fd, found, []) : await identityOf(handle.fd, found, sgIo, warnings);
      const unit =
        typeof identity === "string"
          ? { fd: handle.fd, readOnly, identity, nexus: null, sgio: (command: ScsiCommand) => send(handle, isFile, sgIo, command) }
          : sgIo.witness(identity);
      if (!("result" in unit)) manager.admit(unit);
      const onePath = manager.sendsItself && !isFile && multipath.find(hostDevice(found)) !== null;
      return new LocalDisk({ handle, isFile, sgIo, manager, unit, onePath, warnings });
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => manager?.close(), () => sgIo.close(), () => handle.close()]);
      throw error;
    }
  }

  get warnings(): readonly string[] {
    return [...this.#parts.warnings, ...this.#parts.manager.warnings];
  }

  async execute(command: ScsiCommand): Promise<DiskAnswer> {
    const { handle, isFile, sgIo, manager, unit } = this.#parts;
    if (routeOf(command.cdb[0]) !== "manager") return sgIo.witness(await send(handle, isFile, sgIo, command));
    return "result" in unit ? unit : sgIo.witness(await manager.execute(unit, command));
  }

  notesBefore({ action }: PersistRequest): readonly string[] {
    if (!this.#parts.onePath || !REGISTERING.includes(action)) return [];
    return ["SG_IO reaches one path of a dm-multipath device: the others are not registered; mpathpersist registers all of them"];
  }

  async notesAfter({ direction }: PersistRequest): Promise<readonly string[]> {
    const { manager, unit } = this.#parts;
    return direction === "in" || "result" in unit ? [] : manager.notesAfter(unit);
  }

  async close(): Promise<void> {
    const { handle, manager, sgIo } = this.#parts;
    await runAll([() => manager.close(), () => sgIo.close(), () => handle.close()]);
  }
}

function hostDevice(found: BigIntStats): HostDevice {
  return { kind: found.isBlockDevice() ? "block" : "character", ...splitDeviceNumber(Number(found.rdev)) };
}

/** @param warnings gets what is to be said of the name */
function identityUnasked(fd: number, found: BigIntStats, warnings: string[]): string {
  if (!found.isFile()) return numberIdentity(hostDevice(found));
  const place = placeOf(fd) ?? {
    fileSystem: splitDeviceNumber(Number(found.dev)),
    inode: found.ino,
    birthNs: null,
    generation: null,
  };
  return fileIdentity(place, (line) => warnings.push(line));
}

/** Null without native code: what node tells of a file does not include whether it has a time of birth at all. */
function placeOf(fd: number): FilePlace | null {
  try {
    return new FileTypeReader().placeOf(fd);
  } catch (error) {
    if (error instanceof QomError && error.kind === "unsupported") return null;
    throw error;
  }
}

async function identityOf(fd: number, found: BigIntStats, sgIo: WitnessedSgIo, warnings: string[]): Promise<string | ScsiResult> {
  if (found.isFile()) return identityUnasked(fd, found, warnings);
  const identity = await deviceIdentity(hostDevice(found), IO_TIMEOUT_MS_DEFAULT, (request) => sgIo.execute(fd, request));
  // That the device takes no SCSI commands is no answer to what comes next.
  if (typeof identity === "string") sgIo.forget();
  return identity;
}

/** Sends a command past the manager; a file takes none. */
function send(handle: FileHandle, isFile: boolean, sgIo: WitnessedSgIo, command: ScsiCommand): Promise<ScsiResult> {
  if (!isFile) return runSgIo(sgIo, handle.fd, command);
  sgIo.fail(Errno.ENOTTY);
  return Promise.resolve(resultOfErrno(Errno.ENOTTY));
}

/** Remembers what the system calls answer: a SCSI result has no place for an error number. */
class WitnessedSgIo implements Pick<SgIoExecutor, "execute"> {
  #errno: number | undefined;
  readonly #sgIo = new SingleSgIoExecutor();

  forget(): void {
    this.#errno = undefined;
  }

  /** A result with the error number if the latest call failed. */
  witness(result: ScsiResult): DiskAnswer {
    const errno = this.#errno;
    this.forget();
    return errno === undefined ? { result } : { result, errno };
  }

  /** Takes note of a call that was not even made. */
  fail(errno: number): void {
    this.#errno = errno;
  }

  async execute(fd: number, request: SgIoRequest): Promise<SgIoOutcome> {
    const outcome = await this.#sgIo.execute(fd, request);
    this.#errno = outcome.errno;
    return outcome;
  }

  close(): Promise<void> {
    return this.#sgIo.close();
  }
}

async function openDevice(device: string, readOnly: boolean): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK the open of a drive without medium, or of an sg node in exclusive use, would wait.
    return await open(device, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    throw new DeviceOpenError(device, -error.errno, readOnly, undefined);
  }
}
