/** A device node or file of this host, with a PR manager made for the one command. */
import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { PrManagerMemory } from "../../backends/memory.js";
import { PrManagerSgio } from "../../backends/sgio.js";
import type { Clock } from "../../base/clock.js";
import type { MultipathDetector } from "../../helper/workers/multipath.js";
import { Machine } from "../../machine/machine.js";
import { splitDeviceNumber } from "../../base/device-number.js";
import { errnoText } from "../../native/errno.js";
import { FileTypeReader, type FilePlace } from "../../native/file/type.js";
import { ThreadedSgIoExecutor } from "../../native/sg-io/executor.js";
import { parseOption } from "../../options/arguments.js";
import { printJson } from "../../options/json.js";
import { HostUnit, type HostFile } from "../../host/host-unit.js";
import type { HostDevice } from "../../host/identity.js";
import { PrManager } from "../../pr-manager/pr-manager.js";
import { routeOf } from "../../scsi/routing.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import { IO_TIMEOUT_MS_DEFAULT, type ScsiUnit } from "../../scsi/unit.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";
import { withFolder } from "./folder-wait.js";
import type { PersistRequest } from "./request.js";

/** The manager that a user who names none gets: this process itself sends the command. */
const MANAGER_DEFAULT = "pr-manager-sgio";

/** Id of a manager that is given without one. */
const MANAGER_ID = "manager";

/** What registers an initiator port, or takes its registration away. */
const REGISTERING: readonly string[] = ["register", "register-and-ignore-existing-key", "register-and-move"];

/** Tells a dm-multipath device. */
export type PathFinder = Pick<MultipathDetector, "find">;

/** How to reach a disk of this host. */
export interface LocalDiskOptions {
  readonly device: string;
  readonly readOnly: boolean;
  /** Text of -object without id; undefined for the default. */
  readonly manager: string | undefined;
  /** Texts of -object. */
  readonly objects: readonly string[];
  /** `-name` of the machine that the manager lives in. */
  readonly name: string | undefined;
  readonly clock: Clock;
  readonly multipath: PathFinder;
  /** How long a state folder that another command has is waited for, in milliseconds. */
  readonly folderWaitMs: number;
}

/** DEVICE cannot be opened; `errno` decides about the exit status. */
export class DeviceOpenError extends QomError {
  /** A positive error number. */
  readonly errno: number;

  constructor(device: string, errno: number, readOnly: boolean, cause: unknown) {
    const how = readOnly ? "reading" : "reading and writing";
    super("io", `cannot open '${printable(device)}' for ${how}: ${errnoText(errno)}`, { context: { value: device }, cause });
    this.errno = errno;
  }
}

/** What an open disk consists of. */
interface Parts {
  readonly handle: FileHandle;
  readonly sgIo: ThreadedSgIoExecutor;
  readonly machine: Machine;
  readonly manager: PrManager;
  /** What takes the commands that are none of the manager's. */
  readonly disk: HostUnit;
  /** What the manager sees; the answer to whatever it would be asked where the disk cannot be told from others just now. */
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
    const { device, readOnly, manager: managerText, multipath } = options;
    const handle = await openDevice(device, readOnly);
    const sgIo = new ThreadedSgIoExecutor();
    let machine: Machine | undefined;
    const warnings: string[] = [];
    try {
      const found = await handle.stat({ bigint: true });
      const isFile = found.isFile();
      if (!isFile && !found.isBlockDevice() && !found.isCharacterDevice()) {
        throw new QomError("invalid-value", `'${printable(device)}' is neither a device nor a regular file`, {
          context: { value: device },
        });
      }
      const { id, text } = managerWithId(managerText ?? MANAGER_DEFAULT);
      machine = await makeMachine(text, options);
      const manager = machine.object(id);
      if (!(manager instanceof PrManager)) {
        throw new QomError("wrong-type", `--manager ${printable(text)}: '${manager.typeName}' is not a PR manager`);
      }
      const file = hostFile(handle.fd, found);
      // SG_IO needs no name, and a user who wants no INQUIRY to be sent gets none, and hears nothing of names.
      const warn = (line: string): unknown => managerText !== undefined && warnings.push(line);
      const way = { file, readOnly, sgIo, timeoutMs: IO_TIMEOUT_MS_DEFAULT, warn };
      const disk = HostUnit.unasked(handle.fd, way);
      const named = isFile || managerText === undefined ? disk : await HostUnit.open(handle.fd, way);
      const unit = named instanceof HostUnit ? new WitnessedUnit(named) : named;
      if (unit instanceof WitnessedUnit) manager.admit(unit.unit);
      const onePath = manager instanceof PrManagerSgio && !isFile && multipath.find(hostDevice(found)) !== null;
      return new LocalDisk({ handle, sgIo, machine, manager, disk, unit, onePath, warnings }, !isFile);
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => machine?.close(), () => sgIo.close(), () => handle.close()]);
      throw error;
    }
  }

  get warnings(): readonly string[] {
    return [...this.#parts.warnings, ...this.#parts.machine.warnings];
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

  /** A folder has what was registered with APTPL, of everyone or, since the latest registration decides, of nobody. */
  async notesAfter({ direction }: PersistRequest): Promise<readonly string[]> {
    const { manager, unit } = this.#parts;
    if (direction === "in" || !(manager instanceof PrManagerMemory) || !(unit instanceof WitnessedUnit)) return [];
    const { dataIn: keys } = await manager.execute(unit.unit, PersistentReserveIn.readKeys(KEYS_HEADER_LENGTH));
    const { dataIn: capabilities } = await manager.execute(unit.unit, PersistentReserveIn.reportCapabilities(CAPABILITIES_LENGTH));
    // A disk that does not say so now has done what it was told all the same.
    if (keys.length < KEYS_HEADER_LENGTH || capabilities.length < CAPABILITIES_LENGTH) return [];
    if (PersistentReserveIn.completeLength("read-keys", keys) === KEYS_HEADER_LENGTH) return [];
    if (PersistentReserveIn.parse("report-capabilities", capabilities).persistThroughPowerLossActive) return [];
    const { state, store } = manager.fabric ?? {};
    const where = state === undefined && store === undefined ? "keep them in a folder ('--object scsi-fabric,id=…,state=…') and " : "";
    return [
      `all registrations and reservations of this disk are forgotten now: to have them in the next run, ${where}register with '-Z' (APTPL)`,
    ];
  }

  async close(): Promise<void> {
    const { handle, machine, sgIo } = this.#parts;
    await runAll([() => machine.close(), () => sgIo.close(), () => handle.close()]);
  }
}

/** READ KEYS without keys. */
const KEYS_HEADER_LENGTH = 8;

const CAPABILITIES_LENGTH = 8;

/** The machine that the manager lives in; waits for its state folder. */
function makeMachine(manager: string, { name, objects, clock, folderWaitMs }: LocalDiskOptions): Promise<Machine> {
  const argv = [...(name === undefined ? [] : ["-name", name]), ...[...objects, manager].flatMap((object) => ["-object", object])];
  return withFolder(clock, folderWaitMs, () => Machine.create(argv, { folderUse: "moment" }));
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

/** Null without native code: what node tells of a file does not include whether it has a time of birth at all. */
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

  async execute(manager: PrManager, command: ScsiCommand): Promise<DiskAnswer> {
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

/** The manager's text with an id, since a user of this program has no use for one. */
function managerWithId(text: string): { readonly id: string; readonly text: string } {
  const { values, form } = parseOption("object", text);
  const id = values.get("id");
  if (typeof id === "string") return { id, text };
  if (form === "text") return { id: MANAGER_ID, text: `${text},id=${MANAGER_ID}` };
  return { id: MANAGER_ID, text: printJson(new Map([...values, ["id", MANAGER_ID]])) };
}
