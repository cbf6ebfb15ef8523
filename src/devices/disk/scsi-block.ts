/**
 * `scsi-block`: a disk whose READ and WRITE family is checked here and whose every other command goes to the device as it is (QEMU:
 * hw/scsi/scsi-disk.c, scsi_block_class_initfn).
 */
import { isBytes } from "../../base/check.js";
import { QomError } from "../../base/errors.js";
import { SCSI_BLOCK_INERT } from "../../qemu/devices.js";
import { inert } from "../../qemu/inert.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { qom } from "../../qom/property-type.js";
import { LBA_BEYOND_10, parseCapacity10, readCapacity10Cdb, readCapacity16Cdb } from "../../scsi/capacity.js";
import { blockAccess, expectedTransfer, Opcode } from "../../scsi/cdb.js";
import { bareStatus, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { DeviceType } from "../../scsi/inquiry.js";
import { routeOf } from "../../scsi/routing.js";
import { Clock } from "../../base/clock.js";
import { inject } from "../../qom/inject.js";
import { MachineCompat } from "../../qemu/compat.js";
import { DeviceHost } from "../device.js";
import { FollowingMigration } from "./migration.js";
import type { ReservationMigration } from "./migration.js";
import { parseSense, sameSense, Sense, senseResult } from "../../scsi/sense.js";
import { transferBlocks } from "./block-path.js";
import { actionOf, blockErrorOf, ERROR_POLICIES, mayStop } from "./error-policy.js";
import type { ErrorPolicy } from "./error-policy.js";
import type { Arrival } from "./held-commands.js";
import { ScsiDevice } from "./scsi-device.js";

/** What a command of the block path does to the medium; null for an operation code that is none of these. */
function familyOf(opcode: number | undefined): "read" | "write" | "verify" | null {
  switch (opcode) {
    case Opcode.READ_6:
    case Opcode.READ_10:
    case Opcode.READ_12:
    case Opcode.READ_16:
      return "read";
    case Opcode.WRITE_6:
    case Opcode.WRITE_10:
    case Opcode.WRITE_12:
    case Opcode.WRITE_16:
    case Opcode.WRITE_AND_VERIFY_10:
    case Opcode.WRITE_AND_VERIFY_12:
    case Opcode.WRITE_AND_VERIFY_16:
      return "write";
    case Opcode.VERIFY_10:
    case Opcode.VERIFY_12:
    case Opcode.VERIFY_16:
      return "verify";
    default:
      return null;
  }
}

/** BYTCHK of VERIFY; 01b compares all blocks with data-out (SBC-4, VERIFY(10)). */
const BYTE_CHECK = 0x06;
const BYTE_CHECK_ALL = 0x02;

/** RDPROTECT, WRPROTECT, VRPROTECT: protection information does not pass here. In SCSI-2 the same bits were a LUN. */
const PROTECT = 0xe0;
const SCSI_2 = 2;

const ERROR_POLICY = qom.enumeration("BlockdevOnError", ERROR_POLICIES);

/** A command of the block path, by what it does to the medium. */
type BlockPathKind = "read" | "write" | "verify";

/** QEMU's for the machine types of 11.0 and later; the machine may follow an older one. */
const MIGRATE_PR_DEFAULT = true;

/** See the module text. */
@qomType({ name: "scsi-block", description: "a disk behind a block node, with its reads and writes checked before they are sent" })
@inert(SCSI_BLOCK_INERT)
export class ScsiBlock extends ScsiDevice {
  @qomProperty(ERROR_POLICY, { description: "what is done about errors of reads (auto: report)", default: "auto" })
  accessor rerror!: ErrorPolicy;

  @qomProperty(ERROR_POLICY, { description: "what is done about errors of writes (auto: enospc)", default: "auto" })
  accessor werror!: ErrorPolicy;

  @qomProperty(qom.bool(), {
    name: "migrate-pr",
    description: "reservations follow the guest when it migrates",
    default: MIGRATE_PR_DEFAULT,
    access: "write-once",
  })
  accessor migratePr!: boolean;

  readonly #clock: Clock;

  /** Null with `migrate-pr=off`. */
  #following: FollowingMigration | null = null;

  #failed: { readonly status: "failed" | "nospace"; readonly conts: number } | undefined;

  /**
   * How the last error went that stopped the machine: `ok` when there was none since the last `cont`; null if no error of the device can
   * stop it (QAPI: BlockDeviceIoStatus).
   */
  get ioStatus(): "ok" | "failed" | "nospace" | null {
    if (!mayStop(this.rerror, this.werror)) return null;
    return this.#failed?.conts === this.host.runState.conts ? this.#failed.status : "ok";
  }

  constructor(
    @inject(DeviceHost) host: DeviceHost,
    @inject(Clock) clock: Clock,
    @inject(MachineCompat) { migratePrDefault }: Pick<MachineCompat, "migratePrDefault">,
  ) {
    super(host, clock);
    this.#clock = clock;
    if (!migratePrDefault) this.migratePr = false;
  }

  override get migration(): ReservationMigration {
    return this.#following ?? super.migration;
  }

  override async complete(): Promise<void> {
    if (this.migratePr) {
      this.#following = new FollowingMigration({
        describe: () => this.describe(),
        send: (command) => this.sendOwn(command),
        pendingAttentions: () => this.unit.pendingAttentions?.() ?? [],
        otherPaths: () => this.#otherPaths().flatMap((path) => path.#following ?? []),
        requireOpen: () => this.requireOpen(),
        pause: (pauseMs) => new Promise((resolve) => void this.#clock.after(pauseMs, resolve)),
      });
    }
    await super.complete();
    // A drive is written back as the node that it is, which has no policies.
    const { rerror = this.rerror, werror = this.werror } = this.host.graph.policiesOf(this.drive);
    if (this.rerror === "auto" && rerror !== "auto") this.rerror = rerror;
    if (this.werror === "auto" && werror !== "auto") this.werror = werror;
  }

  protected override get ownWork(): Promise<void> | null {
    return this.#following?.underWay ?? null;
  }

  /** The machine's other devices for the same disk. */
  #otherPaths(): readonly ScsiBlock[] {
    const devices = this.host.buses.all.flatMap((bus) => bus.devices);
    const { identity } = this.unit;
    return devices.flatMap((device) =>
      device instanceof ScsiBlock && device !== this && device.unit.identity === identity ? [device] : [],
    );
  }

  protected override async probe(): Promise<void> {
    const { unit, facts } = this;
    const geometry = unit.geometry();
    if (geometry !== null) {
      facts.blockSizeBytes = geometry.blockSizeBytes;
      facts.blocks = geometry.blocks;
      return;
    }
    if (unit.hostTraits?.genericNode === true) {
      throw new QomError("invalid-value", `block node '${this.drive}' is an sg node (/dev/sgN): 'scsi-block' needs a block device`, {
        context: { option: "drive", value: this.drive },
        hint: "scsi-generic takes both; or name the disk's block device",
      });
    }
    await this.probeHostDisk();
    await this.#readCapacity();
  }

  override countsBlocks(cdb: Uint8Array): boolean {
    return isBytes(cdb) ? this.#blockPathKind(cdb) !== null : super.countsBlocks(cdb);
  }

  protected override dispatch(command: ScsiCommand): ScsiAnswer {
    const following = this.#following;
    return following?.intercepts === true ? following.admit(command, (admitted) => this.#carryOut(admitted)) : this.#carryOut(command);
  }

  protected override dispatchForGuest(command: ScsiCommand, arrival?: Arrival): ScsiAnswer {
    const following = this.#following;
    if (following?.intercepts === true) return following.admit(command, (admitted) => this.#carryOutForGuest(admitted, arrival));
    return this.#carryOutForGuest(command, arrival);
  }

  #carryOut(command: ScsiCommand): ScsiAnswer {
    const kind = this.#blockPathKind(command.cdb);
    return kind === null ? this.#pass(command) : (this.#refusal(command.cdb, kind) ?? this.#transfer(command));
  }

  #carryOutForGuest(command: ScsiCommand, arrival: Arrival | undefined): ScsiAnswer {
    const kind = this.#blockPathKind(command.cdb);
    if (kind === null) return this.#pass(command);
    const refusal = this.#refusal(command.cdb, kind);
    if (refusal !== null) return refusal;
    const answer = this.#transfer(command);
    if (!(answer instanceof Promise)) return answer.status === ScsiStatus.GOOD ? answer : this.#judge(command, kind, answer, arrival);
    const arrived = arrival ?? this.held.arrival(command);
    return answer.then((result) => (result.status === ScsiStatus.GOOD ? result : this.#judge(command, kind, result, arrived)));
  }

  /** What is done about a command of the block path that did not end GOOD. */
  #judge(command: ScsiCommand, kind: BlockPathKind, result: ScsiResult, arrival: Arrival | undefined): ScsiAnswer {
    // nobody waits for a command that was aborted or is late, and the machine goes on without a device that ends
    if (command.signal?.aborted === true || this.isEnding || this.held.isLate(command, arrival)) return result;
    const { hostTraits, readOnly } = this.unit;
    const error = blockErrorOf(result, hostTraits !== null);
    // Of a disk of the host the same is said here, before the command is sent.
    if (error === null || (readOnly && kind !== "read" && isWriteProtected(result))) return result;
    const operation = kind === "read" ? "read" : "write";
    const action = actionOf(operation === "read" ? this.rerror : this.werror, operation, error);
    const { runState, ioError } = this.host;
    if (action === "stop" && this.ioStatus === "ok") this.#failed = { status: error.noSpace ? "nospace" : "failed", conts: runState.conts };
    ioError({ device: this, operation, action, error });
    if (action === "report") return result;
    if (action === "ignore") return this.#good(command);
    runState.stop("io-error");
    return this.held.hold(command, arrival);
  }

  /** As if nothing had happened: the data are whatever is in the buffer. */
  #good(command: ScsiCommand): ScsiResult {
    if (command.dataOut !== undefined) return bareStatus(ScsiStatus.GOOD);
    const { bytes } = expectedTransfer(command.cdb, this.facts.blockSizeBytes);
    const buffer = command.allocationLength ?? command.into?.length ?? bytes;
    const length = Math.min(buffer, bytes);
    const dataIn = (command.into ?? new Uint8Array(length)).subarray(0, length);
    return { status: ScsiStatus.GOOD, dataIn, residual: buffer - dataIn.length, sense: NO_BYTES };
  }

  /** What QEMU checks itself; null for a command that is sent. */
  #refusal(cdb: Uint8Array, kind: BlockPathKind): ScsiResult | null {
    const { hostTraits: host, readOnly } = this.unit;
    // A unit without a host on the way says so itself, of every command that writes, and in its turn.
    if (host !== null && kind === "write" && readOnly) return senseResult(Sense.WRITE_PROTECTED);
    if (host !== null && this.facts.version > SCSI_2 && ((cdb[1] ?? 0) & PROTECT) !== 0) {
      return senseResult(Sense.INVALID_FIELD_IN_CDB);
    }
    const access = blockAccess(cdb);
    const { blocks } = this.facts;
    return access !== null && blocks !== null && access.lba + access.blocks > blocks ? senseResult(Sense.LBA_OUT_OF_RANGE) : null;
  }

  #transfer(command: ScsiCommand): ScsiAnswer {
    const { hostTraits: host } = this.unit;
    const access = blockAccess(command.cdb);
    const { blockSizeBytes } = this.facts;
    if (access === null || host === null) return super.dispatch(command);
    const { transferBytesMax } = host;
    return transferBlocks(command, access, { blockSizeBytes, transferBytesMax, send: (piece) => super.dispatch(piece) });
  }

  /** A command of the raw path. */
  #pass(command: ScsiCommand): ScsiAnswer {
    const following = routeOf(command.cdb[0]) === "manager" ? this.#following : null;
    return following === null ? super.dispatch(command) : following.follow(command, (passed) => super.dispatch(passed));
  }

  /** Null for a command of the raw path. Optical media are written beyond their last LBA, so theirs all take it. */
  #blockPathKind(cdb: Uint8Array): "read" | "write" | "verify" | null {
    const kind = familyOf(cdb[0]);
    if (kind === null || this.facts.deviceType === DeviceType.CD_DVD) return null;
    return kind === "verify" && ((cdb[1] ?? 0) & BYTE_CHECK) !== BYTE_CHECK_ALL ? null : kind;
  }

  /** The facts listen to the answers. */
  async #readCapacity(): Promise<void> {
    const short = await this.ask({ cdb: readCapacity10Cdb() });
    if (short.status !== ScsiStatus.GOOD || parseCapacity10(short.dataIn)?.lastLba !== LBA_BEYOND_10) return;
    await this.ask({ cdb: readCapacity16Cdb() });
  }
}

function isWriteProtected({ sense }: ScsiResult): boolean {
  const code = parseSense(sense);
  return code !== null && sameSense(code, Sense.WRITE_PROTECTED);
}
