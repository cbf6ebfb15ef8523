/** A device or file of this host as a disk, reached by `ioctl(SG_IO)` on its descriptor. On a file, every command fails as SG_IO does. */

import { Errno } from "../native/errno.js";
import type { FilePlace } from "../native/file/type.js";
import { SG_IO_SENSE_LENGTH_MAX } from "../native/sg-io/sg-io.js";
import type { SgIoExecutor, SgIoRequest } from "../native/sg-io/sg-io.js";
import type { Account } from "../scsi/account.js";
import { expectedTransfer } from "../scsi/cdb.js";
import { bareStatus, ScsiStatus } from "../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import type { Nexus } from "../scsi/nexus.js";
import type { DiskUnit, HostTraits } from "../scsi/unit.js";
import { deviceIdentity, fileIdentity, numberIdentity } from "./identity.js";
import type { HostDevice } from "./identity.js";
import { failedCall, hostOutcomeOf } from "./outcome.js";
import type { HostOutcome } from "./outcome.js";

/** Block size assumed for data lengths while the device's own is not known. */
const BLOCK_SIZE_BYTES_DEFAULT = 512;

/** Traits of a host that reports nothing. */
const NO_TRAITS: HostTraits = Object.freeze({ genericNode: false, transferBytesMax: null });

/** What a descriptor refers to. */
export type HostFile = HostDevice | { readonly kind: "file"; readonly place: FilePlace };

/** How a {@link HostUnit} reaches its device. */
export interface HostUnitOptions {
  readonly file: HostFile;
  /** Called with one line if the name of the disk may not be unique. */
  readonly warn: (line: string) => void;
  readonly readOnly: boolean;
  readonly sgIo: Pick<SgIoExecutor, "execute">;
  /** Deadline in milliseconds of commands that have none. */
  readonly timeoutMs: number;
  /** The I_T nexus of the commands, if it is known. Default: null, only the operating system knows it. */
  readonly nexus?: Nexus | null;
  /** See {@link DiskUnit}. */
  readonly account?: Account;
  /** Default: traits of a host that reports nothing. */
  readonly hostTraits?: HostTraits;
  /** Minimum size in bytes of the buffer for data-in, for devices that send more than requested. Default: 0. */
  readonly roomBytes?: number;
  /** Returns the result of a CDB that must not be sent to the device, or null. Default: all are sent. */
  readonly refusal?: (cdb: Uint8Array) => ScsiResult | null;
}

/** See the module text. A manager may use a modified copy (`{ ...unit, … }`): everything that managers see is an own member. */
export class HostUnit implements DiskUnit {
  readonly fd: number;
  readonly readOnly: boolean;
  readonly identity: string;
  readonly nexus: Nexus | null;
  readonly account?: Account;
  readonly hostTraits: HostTraits;
  readonly needsDeadline = true;
  readonly sgio: (command: ScsiCommand) => Promise<ScsiResult>;
  readonly #options: HostUnitOptions;
  readonly #isFile: boolean;

  private constructor(fd: number, identity: string, options: HostUnitOptions) {
    this.fd = fd;
    this.readOnly = options.readOnly;
    this.identity = identity;
    this.nexus = options.nexus ?? null;
    if (options.account !== undefined) this.account = options.account;
    this.hostTraits = options.hostTraits ?? NO_TRAITS;
    this.sgio = async (command) => (await this.run(command)).result;
    this.#options = options;
    this.#isFile = options.file.kind === "file";
  }

  /**
   * The disk behind an open descriptor, which the caller keeps open for as long as the unit is used. A disk has the same identity on every
   * path, see identity.ts; a device is sent an INQUIRY for it.
   * @returns the outcome of the INQUIRY if that failed this time
   */
  static async open(fd: number, options: HostUnitOptions): Promise<HostUnit | HostOutcome> {
    const { file, sgIo, timeoutMs } = options;
    if (file.kind === "file") return HostUnit.unasked(fd, options);
    const identity = await deviceIdentity(file, timeoutMs, (request) => sgIo.execute(fd, request));
    return typeof identity === "string" ? new HostUnit(fd, identity, options) : identity;
  }

  /** The same without an INQUIRY: a device is named by its number. */
  static unasked(fd: number, options: HostUnitOptions): HostUnit {
    const { file, warn } = options;
    return new HostUnit(fd, file.kind === "file" ? fileIdentity(file.place, warn) : numberIdentity(file), options);
  }

  /** Runs a command. Every failure is a result. */
  async run(command: ScsiCommand): Promise<HostOutcome> {
    // on some file systems the call would never return
    if (this.#isFile) return failedCall(Errno.ENOTTY);
    const refused = this.#options.refusal?.(command.cdb) ?? null;
    if (refused !== null) return { result: refused };
    const bufferBytes = dataInBytes(command);
    const outcome = hostOutcomeOf(await this.#options.sgIo.execute(this.fd, this.#request(command, bufferBytes)), bufferBytes);
    const { result } = outcome;
    const { into, signal } = command;
    if (into === undefined || result.dataIn.length === 0) return outcome;
    // an aborted command may have ended before, and its buffer may be used for something else by now
    if (signal?.aborted === true) return { result: bareStatus(ScsiStatus.TASK_ABORTED) };
    into.set(result.dataIn);
    return { result: { ...result, dataIn: into.subarray(0, result.dataIn.length) } };
  }

  /** Both paths are the same system call: the operating system decides what an unprivileged program may send. */
  execute(command: ScsiCommand): Promise<ScsiResult> {
    return this.sgio(command);
  }

  /** Does nothing, as in QEMU: a reset by a guest would abort commands of other users of the disk. */
  reset(): Promise<void> {
    return Promise.resolve();
  }

  geometry(): null {
    return null;
  }

  asReadOnly(): HostUnit {
    return new HostUnit(this.fd, this.identity, { ...this.#options, readOnly: true });
  }

  #request({ cdb, dataOut, signal, timeoutMs }: ScsiCommand, bufferBytes: number): SgIoRequest {
    const common = {
      cdb,
      timeoutMs: Math.ceil(timeoutMs ?? this.#options.timeoutMs),
      senseLength: SG_IO_SENSE_LENGTH_MAX,
      ...(signal === undefined ? {} : { signal }),
    };
    if (dataOut !== undefined) return { ...common, dataOut };
    const dataInLength = Math.max(bufferBytes, this.#options.roomBytes ?? 0);
    return dataInLength === 0 ? common : { ...common, dataInLength };
  }
}

/** Size of the initiator's buffer for data-in. */
function dataInBytes({ cdb, dataOut, allocationLength, into }: ScsiCommand): number {
  if (dataOut !== undefined) return 0;
  const { direction, bytes } = expectedTransfer(cdb, BLOCK_SIZE_BYTES_DEFAULT);
  return allocationLength ?? into?.length ?? (direction === "in" ? bytes : 0);
}
