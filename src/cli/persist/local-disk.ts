/** A device node or file of this host, with a PR manager made for the one command. */
import { constants, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { runAll } from "../../base/run-all.js";
import { runSgIo } from "../../block/host-device.js";
import { Machine } from "../../machine/machine.js";
import { Errno, errnoText } from "../../native/errno.js";
import { ThreadedSgIoExecutor } from "../../native/sg-io-executor.js";
import { resultOfErrno } from "../../native/sg-io-result.js";
import type { SgIoExecutor, SgIoOutcome, SgIoRequest, SgVersionOutcome } from "../../native/sg-io.js";
import { parseOption } from "../../options/arguments.js";
import { printJson } from "../../options/json.js";
import { PrManager } from "../../pr-manager/pr-manager.js";
import { routeOf } from "../../pr-manager/routing.js";
import type { ScsiUnit } from "../../pr-manager/scsi-unit.js";
import type { ScsiCommand } from "../../scsi/command.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";

/** The manager that a user who names none gets: this process itself sends the command. */
const MANAGER_DEFAULT = "pr-manager-sgio";

/** Id of a manager that is given without one. */
const MANAGER_ID = "manager";

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

/** See the module text. */
export class LocalDisk implements PersistDisk {
  readonly takesInquiry: boolean;
  readonly #machine: Machine;
  readonly #manager: PrManager;
  readonly #handle: FileHandle;
  readonly #sgIo = new WitnessedSgIo();
  readonly #unit: ScsiUnit;

  private constructor(machine: Machine, manager: PrManager, handle: FileHandle, found: Stats, readOnly: boolean) {
    this.#machine = machine;
    this.#manager = manager;
    this.#handle = handle;
    this.takesInquiry = !found.isFile();
    const identity = found.isFile()
      ? `file ${found.dev}:${found.ino}`
      : `${found.isBlockDevice() ? "block" : "character"} device ${found.rdev}`;
    this.#unit = {
      fd: handle.fd,
      readOnly,
      identity,
      nexus: null,
      sgio: (command) => (found.isFile() ? this.#noDevice() : runSgIo(this.#sgIo, handle.fd, command)),
    };
  }

  /**
   * Opens the device and makes the manager.
   * @throws DeviceOpenError; QomError `invalid-value` for what is neither device nor file, or what the manager's options, or a
   *   connection that it needs, get wrong
   */
  static async open({ device, readOnly, manager, objects, name }: LocalDiskOptions): Promise<LocalDisk> {
    const handle = await openDevice(device, readOnly);
    let machine: Machine | undefined;
    try {
      const found = await handle.stat();
      if (!found.isFile() && !found.isBlockDevice() && !found.isCharacterDevice()) {
        throw new QomError("invalid-value", `'${printable(device)}' is neither a device nor a regular file`, {
          context: { value: device },
        });
      }
      const { id, text } = managerWithId(manager ?? MANAGER_DEFAULT);
      const argv = [...(name === undefined ? [] : ["-name", name]), ...[...objects, text].flatMap((object) => ["-object", object])];
      machine = await Machine.create(argv);
      const object = machine.object(id);
      if (!(object instanceof PrManager)) {
        throw new QomError("wrong-type", `--manager ${printable(text)}: '${object.typeName}' is no PR manager`);
      }
      const disk = new LocalDisk(machine, object, handle, found, readOnly);
      object.admit(disk.#unit);
      return disk;
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => machine?.close(), () => handle.close()]);
      throw error;
    }
  }

  async execute(command: ScsiCommand): Promise<DiskAnswer> {
    const byManager = routeOf(command.cdb[0]) === "manager";
    const result = await (byManager ? this.#manager.execute(this.#unit, command) : this.#unit.sgio(command));
    const errno = this.#sgIo.takeErrno();
    return errno === undefined ? { result } : { result, errno };
  }

  async close(): Promise<void> {
    await runAll([() => this.#machine.close(), () => this.#sgIo.close(), () => this.#handle.close()]);
  }

  #noDevice(): ReturnType<ScsiUnit["sgio"]> {
    this.#sgIo.fail(Errno.ENOTTY);
    return Promise.resolve(resultOfErrno(Errno.ENOTTY));
  }
}

/** Remembers what the system calls answer: a SCSI result has no place for an error number. */
class WitnessedSgIo implements SgIoExecutor {
  #errno: number | undefined;
  readonly #sgIo = new ThreadedSgIoExecutor();

  /** A positive error number if the latest call failed; asked for once. */
  takeErrno(): number | undefined {
    const errno = this.#errno;
    this.#errno = undefined;
    return errno;
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

  sgVersion(fd: number): Promise<SgVersionOutcome> {
    return this.#sgIo.sgVersion(fd);
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

/** The manager's text with an id, since a user of this program has no use for one. */
function managerWithId(text: string): { readonly id: string; readonly text: string } {
  const { values, form } = parseOption("object", text);
  const id = values.get("id");
  if (typeof id === "string") return { id, text };
  if (form === "text") return { id: MANAGER_ID, text: `${text},id=${MANAGER_ID}` };
  return { id: MANAGER_ID, text: printJson(new Map([...values, ["id", MANAGER_ID]])) };
}
