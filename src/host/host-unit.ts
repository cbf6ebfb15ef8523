/** A device or file of this host as a disk: its descriptor, and `ioctl(SG_IO)` on it. What a file answers is what SG_IO says of it. */

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

/** Block size that data lengths are computed with while the device's own is unknown. */
const BLOCK_SIZE_BYTES_DEFAULT = 512;

/** Of a host that says nothing. */
const NO_TRAITS: HostTraits = Object.freeze({ genericNode: false, transferBytesMax: null });

/** What a descriptor refers to. */
export type HostFile = HostDevice | { readonly kind: "file"; readonly place: FilePlace };

/** How a {@link HostUnit} reaches its device. */
export interface HostUnitOptions {
  readonly file: HostFile;
  /** Told in one line what may be wrong with the name. */
  readonly warn: (line: string) => void;
  readonly readOnly: boolean;
  readonly sgIo: Pick<SgIoExecutor, "execute">;
  /** Deadline of a command that has none. */
  readonly timeoutMs: number;
  /** What sends the commands, where more than the operating system knows. Default null. */
  readonly nexus?: Nexus | null;
  /** See {@link DiskUnit}. */
  readonly account?: Account;
  /** Default: of a host that says nothing. */
  readonly hostTraits?: HostTraits;
  /** Least room in bytes for data of a device, for one that sends more than it was asked for. Default 0. */
  readonly roomBytes?: number;
  /** Which commands go to the device at all; the answer to others. Default all do. */
  readonly refusal?: (cdb: Uint8Array) => ScsiResult | null;
}

/** See the module text. What a manager wants to change about it, it may change in a copy: all that managers see are own members. */
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
   * The disk behind an open descriptor, which stays the caller's and open for as long as the unit is used. One disk has the same identity
   * whichever way it is reached, see identity.ts; a device is sent an INQUIRY for it.
   * @returns the outcome of the INQUIRY where that failed this time
   */
  static async open(fd: number, options: HostUnitOptions): Promise<HostUnit | HostOutcome> {
    const { file, sgIo, timeoutMs } = options;
    if (file.kind === "file") return HostUnit.unasked(fd, options);
    const identity = await deviceIdentity(file, timeoutMs, (request) => sgIo.execute(fd, request));
    return typeof identity === "string" ? new HostUnit(fd, identity, options) : identity;
  }

  /** The same without an INQUIRY: a device has its number for a name. */
  static unasked(fd: number, options: HostUnitOptions): HostUnit {
    const { file, warn } = options;
    return new HostUnit(fd, file.kind === "file" ? fileIdentity(file.place, warn) : numberIdentity(file), options);
  }

  /** Runs a command. Every failure is a result. */
  async run(command: ScsiCommand): Promise<HostOutcome> {
    // Some file systems would have the call wait for ever instead of saying so.
    if (this.#isFile) return failedCall(Errno.ENOTTY);
    const refused = this.#options.refusal?.(command.cdb) ?? null;
    if (refused !== null) return { result: refused };
    const bufferBytes = dataInBytes(command);
    const outcome = hostOutcomeOf(await this.#options.sgIo.execute(this.fd, this.#request(command, bufferBytes)), bufferBytes);
    const { result } = outcome;
    const { into, signal } = command;
    if (into === undefined || result.dataIn.length === 0) return outcome;
    // An aborted command may have been answered before, and the initiator's memory be in other use by now.
    if (signal?.aborted === true) return { result: bareStatus(ScsiStatus.TASK_ABORTED) };
    into.set(result.dataIn);
    return { result: { ...result, dataIn: into.subarray(0, result.dataIn.length) } };
  }

  /** Both paths are the same system call: the operating system decides what an unprivileged program may send. */
  execute(command: ScsiCommand): Promise<ScsiResult> {
    return this.sgio(command);
  }

  /** A disk of the host is nobody's alone, so a guest resets none, as in QEMU; the host's other users would lose their commands. */
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
