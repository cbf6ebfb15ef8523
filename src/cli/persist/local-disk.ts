/** A device node or file of this host, with a PR manager made for the one command. */
import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { MultipathDetector } from "../../helper/workers/multipath.js";
import { splitDeviceNumber } from "../../base/device-number.js";
import { FileTypeReader } from "../../native/file/type.js";
import type { FilePlace } from "../../native/file/type.js";
import { SingleSgIoExecutor } from "../../native/sg-io/single.js";
import { HostUnit } from "../../host/host-unit.js";
import type { HostFile } from "../../host/host-unit.js";
import type { HostDevice } from "../../host/identity.js";
import { routeOf } from "../../scsi/routing.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { IO_TIMEOUT_MS_DEFAULT } from "../../scsi/unit.js";
import type { ScsiUnit } from "../../scsi/unit.js";
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
  readonly sgIo: SingleSgIoExecutor;
  readonly manager: DiskManager;
  /** Takes all commands except those of the manager. */
  readonly disk: HostUnit;
  /** What the manager sees; or the answer to all of its commands if the disk cannot be identified at the moment. */
  readonly unit: WitnessedUnit | DiskAnswer;
  /** The device is dm-multipath, and SG_IO reaches one path of it. */
  readonly onePath: boolean;
  /** What is to be said of the disk's name. */
  readonly warnings: readonly string[];
}

/** See the module text. */
export class LocalDisk implements PersistDisk {
  readonly takesInquiry: boolean;
  readonly #parts: Parts;

  private constructor(parts: Parts, takesInquiry: boolean) {
    this.takesInquiry = takesInquiry;
    this.#parts = parts;
  }

  /**
   * Opens the device and makes the manager.
   * @throws DeviceOpenError; FolderBusyError; QomError `invalid-value` for what is neither device nor file, or what the manager's options, or a
   *   connection that it needs, get wrong
   */
  static async open(options: LocalDiskOptions): Promise<LocalDisk> {
    const { device, readOnly, manager: managerText, multipath = new MultipathDetector() } = options;
    const handle = await openDevice(device, readOnly);
    const sgIo = new SingleSgIoExecutor();
    let manager: DiskManager | undefined;
    const warnings: string[] = [];
    try {
      const found = await handle.stat({ bigint: true });
      const isFile = found.isFile();
      if (!isFile && !found.isBlockDevice() && !found.isCharacterDevice()) {
        throw new QomError("invalid-value", `'${printable(device)}' is not a device or a regular file`, {
          context: { value: device },
        });
      }
      manager = await openManager(options);
      const file = hostFile(handle.fd, found);
      // SG_IO needs no name, and a user who wants no INQUIRY to be sent gets none, and hears nothing of names.
      const warn = (line: string): unknown => managerText !== undefined && warnings.push(line);
      const way = { file, readOnly, sgIo, timeoutMs: IO_TIMEOUT_MS_DEFAULT, warn };
      const disk = HostUnit.unasked(handle.fd, way);
      const named = isFile || managerText === undefined ? disk : await HostUnit.open(handle.fd, way);
      const unit = named instanceof HostUnit ? new WitnessedUnit(named) : named;
      if (unit instanceof WitnessedUnit) manager.admit(unit.unit);
      const onePath = manager.sendsItself && !isFile && multipath.find(hostDevice(found)) !== null;
      return new LocalDisk({ handle, sgIo, manager, disk, unit, onePath, warnings }, !isFile);
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => manager?.close(), () => sgIo.close(), () => handle.close()]);
      throw error;
    }
  }

  get warnings(): readonly string[] {
    return [...this.#parts.warnings, ...this.#parts.manager.warnings];
  }

  async execute(command: ScsiCommand): Promise<DiskAnswer> {
    const { disk, manager, unit } = this.#parts;
    if (routeOf(command.cdb[0]) !== "manager") return disk.run(command);
    return unit instanceof WitnessedUnit ? unit.execute(manager, command) : unit;
  }

  notesBefore({ action }: PersistRequest): readonly string[] {
    if (!this.#parts.onePath || !REGISTERING.includes(action)) return [];
    return ["SG_IO reaches one path of a dm-multipath device: the others are not registered; mpathpersist registers all of them"];
  }

  async notesAfter({ direction }: PersistRequest): Promise<readonly string[]> {
    const { manager, unit } = this.#parts;
    return direction === "in" || !(unit instanceof WitnessedUnit) ? [] : manager.notesAfter(unit.unit);
  }

  async close(): Promise<void> {
    const { handle, manager, sgIo } = this.#parts;
    await runAll([() => manager.close(), () => sgIo.close(), () => handle.close()]);
  }
}

function hostDevice(found: BigIntStats): HostDevice {
  return { kind: found.isBlockDevice() ? "block" : "character", ...splitDeviceNumber(Number(found.rdev)) };
}

function hostFile(fd: number, found: BigIntStats): HostFile {
  if (!found.isFile()) return hostDevice(found);
  const place = placeOf(fd) ?? {
    fileSystem: splitDeviceNumber(Number(found.dev)),
    inode: found.ino,
    birthNs: null,
    generation: null,
  };
  return { kind: "file", place };
}

/** Null without native code: node does not say whether a file has a time of birth at all. */
function placeOf(fd: number): FilePlace | null {
  try {
    return new FileTypeReader().placeOf(fd);
  } catch (error) {
    if (error instanceof QomError && error.kind === "unsupported") return null;
    throw error;
  }
}

/**
 * The disk as its manager sees it, with a memory: a SCSI result has no place for the error number of the system call that failed, and a
 * manager hands on nothing else.
 */
class WitnessedUnit {
  readonly unit: ScsiUnit;
  #errno: number | undefined;

  constructor(disk: HostUnit) {
    const sgio = async (command: ScsiCommand): Promise<ScsiResult> => {
      const { result, errno } = await disk.run(command);
      this.#errno = errno;
      return result;
    };
    const { fd, readOnly, identity, nexus } = disk;
    this.unit = { fd, readOnly, identity, nexus, sgio };
  }

  async execute(manager: DiskManager, command: ScsiCommand): Promise<DiskAnswer> {
    this.#errno = undefined;
    return this.#witness(await manager.execute(this.unit, command));
  }

  #witness(result: ScsiResult): DiskAnswer {
    return this.#errno === undefined ? { result } : { result, errno: this.#errno };
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
