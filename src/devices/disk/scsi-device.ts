/**
 * What `scsi-block` and `scsi-generic` have in common: a block node behind them that takes SCSI commands, a place on a bus, and
 * commands in flight (QEMU: hw/scsi/scsi-generic.c).
 */
import { QomError } from "../../base/errors.js";
import { present } from "../../base/assert.js";
import { aNumber, someBytes, check, optional } from "../../base/check.js";
import { Clock } from "../../base/clock.js";
import { NoScsi } from "../../block/node.js";
import type { BlockNode, NodeUser, ProtocolAccess } from "../../block/node.js";
import type { Route } from "../../scsi/routing.js";
import type { OptionMap } from "../../options/value.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { inject } from "../../qom/inject.js";
import { hold } from "../../qom/object.js";
import { qom } from "../../qom/property-type.js";
import { cdbRefusal, commandProblem } from "../../scsi/command-problem.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { DeviceType, INQUIRY_LENGTH_MIN, inquiryCdb } from "../../scsi/inquiry.js";
import type { Nexus } from "../../scsi/nexus.js";
import { formatFailure, parseSense, UNIT_ATTENTION } from "../../scsi/sense.js";
import { aResetScope, IO_TIMEOUT_MS_DEFAULT, TIMEOUT_MS_MAX } from "../../scsi/unit.js";
import type { DiskUnit, ResetScope } from "../../scsi/unit.js";
import { parseSupportedPages, VpdPage } from "../../scsi/vpd.js";
import { isPatched, patchAnswer } from "./answer-patches.js";
import { BOOT_INDEX_NONE, requireOwnBootIndex } from "./boot-index.js";
import { withBuffer } from "./command-buffer.js";
import { CommandSet } from "./command-set.js";
import { NoMigration } from "./migration.js";
import type { ReservationMigration } from "./migration.js";
import { Device, DeviceHost } from "../device.js";
import type { RunState } from "../run-state.js";
import { HeldCommands } from "./held-commands.js";
import type { Arrival } from "./held-commands.js";
import { RequestTraces, requestsTraced } from "./request-trace.js";
import { DiskFacts } from "./disk-facts.js";
import type { ScsiAddress, ScsiBus } from "../bus/scsi-bus.js";

/** Timeout of the commands that probe a device, unless `io_timeout` says otherwise (QEMU: DEFAULT_IO_TIMEOUT). */
const IO_TIMEOUT_SECONDS_DEFAULT = IO_TIMEOUT_MS_DEFAULT / 1000;

/** What fits the milliseconds of SG_IO. */
const IO_TIMEOUT_SECONDS_MAX = Math.floor(TIMEOUT_MS_MAX / 1000);

/** A device that was just attached has a unit attention or two for whoever asks first; more answers than this mean trouble. */
const PROBE_ATTEMPTS_MAX = 4;

/** Room for the list of VPD pages: all codes there are would need 260. */
const SUPPORTED_PAGES_LENGTH = 252;

/** See the module text. */
@qomType({ name: "scsi-device", description: "a SCSI passthrough device", abstract: true })
export abstract class ScsiDevice extends Device implements NodeUser {
  @qomProperty(qom.string(), { description: "name of the block node (node-name or drive id) behind the device", required: true })
  accessor drive!: string;

  @qomProperty(qom.uint32(), { description: "channel on the bus", default: 0 })
  accessor channel!: number;

  @qomProperty(qom.uint32(), { name: "scsi-id", description: "target on the bus; the lowest free one if it is not given" })
  accessor scsiId: number | undefined;

  @qomProperty(qom.uint32(), { description: "logical unit number; 0 or the lowest free one if it is not given" })
  accessor lun: number | undefined;

  @qomProperty(qom.bool(), { name: "share-rw", description: "other devices may use the same block node", default: false })
  accessor shareRw!: boolean;

  @qomProperty(qom.int32({ min: BOOT_INDEX_NONE }), {
    description: "place in the boot order, for the emulator's firmware; unique among devices, -1 for none",
    default: BOOT_INDEX_NONE,
  })
  accessor bootindex!: number;

  @qomProperty(qom.uint32({ min: 1, max: IO_TIMEOUT_SECONDS_MAX }), {
    name: "io_timeout",
    description: "deadline in seconds of a command to a disk of the host",
    default: IO_TIMEOUT_SECONDS_DEFAULT,
  })
  accessor ioTimeoutSeconds!: number;

  /** What the device has told of itself. */
  protected readonly facts = new DiskFacts();
  readonly #commands: CommandSet;
  readonly #traces = new RequestTraces();
  /** Commands of the guest that wait until the machine runs. */
  protected readonly held: HeldCommands;
  readonly #runState: RunState;
  readonly #dispatch = (command: ScsiCommand, arrival?: Arrival): ScsiAnswer => {
    if (this.#runState.stopped) return this.held.hold(command, arrival);
    // A node that is not active is as a disk that is busy: initiators send the command again.
    if (this.#node?.takesRequests === false) return bareStatus(ScsiStatus.BUSY);
    return this.dispatchForGuest(command, arrival);
  };
  #node: BlockNode | undefined;
  #protocol: ProtocolAccess | undefined;
  #unit: DiskUnit | undefined;
  #address: ScsiAddress | undefined;
  #bus: ScsiBus | undefined;
  #releaseNode: (() => void) | undefined;
  #closed = false;

  constructor(@inject(DeviceHost) host: DeviceHost, @inject(Clock) clock: Clock) {
    super(host);
    this.held = new HeldCommands(host.runState, clock, { send: this.#dispatch, kept: () => this.#commands.kept() });
    this.#commands = new CommandSet(clock, () => this.held.size);
    this.#runState = host.runState;
  }

  /** Where the device sits on its bus. */
  get address(): ScsiAddress {
    return present(this.#address, "a completed device has an address");
  }

  /** The bus that the device sits on. */
  get bus(): ScsiBus {
    return present(this.#bus, "a completed device has a bus");
  }

  /** The bus that was chosen: another one may be the default by the time the device is made again. */
  override get placement(): OptionMap {
    return new Map([["bus", this.bus.name]]);
  }

  get shares(): boolean {
    return this.shareRw;
  }

  /**
   * Who the device is to its unit: initiator port and relative target port of a simulated one. Null on a disk of the host, where only
   * the operating system knows. A device has it once it is created.
   */
  get nexus(): Nexus | null {
    return this.unit.nexus;
  }

  get blockSizeBytes(): number {
    return this.facts.blockSizeBytes;
  }

  /** How what the guest has registered and reserved follows it to another machine; scsi-block can do that, see `migrate-pr`. */
  get migration(): ReservationMigration {
    return new NoMigration({ describe: () => this.describe(), requireOpen: () => this.requireOpen() });
  }

  /** No command, unless a subclass says so: what passes through is counted in bytes. */
  countsBlocks(cdb: Uint8Array): boolean {
    check("ScsiDevice.countsBlocks", "cdb", cdb, someBytes);
    return false;
  }

  /** Whether the device is ending, or has ended. */
  protected get isEnding(): boolean {
    return this.#closed;
  }

  /** Deadline of a command that comes without one. */
  protected get ioTimeoutMs(): number {
    return this.ioTimeoutSeconds * 1000;
  }

  /** The disk behind the device's node. */
  protected get unit(): DiskUnit {
    return present(this.#unit, "a completed device has a unit");
  }

  /** Which way a command with this operation code goes: to the PR manager, or to the device itself. */
  routeOf(opcode: number | undefined): Route {
    if (typeof opcode !== "number" || Number.isNaN(opcode)) check("ScsiDevice.routeOf", "opcode", opcode, optional(aNumber));
    return present(this.#protocol, "a completed device has a node").routeOf(opcode);
  }

  override async complete(): Promise<void> {
    const bus = this.host.buses.find(this.busName);
    const others = this.host.buses.all.flatMap(({ devices }) => devices.filter((device) => device instanceof ScsiDevice));
    requireOwnBootIndex(this.bootindex, others);
    const node: BlockNode = this.#findNode();
    const { protocol } = node;
    const { unit } = protocol;
    if (unit instanceof NoScsi) {
      throw new QomError("invalid-value", `${node.describe()} ${unit.reason}: '${this.typeName}' needs a SCSI device`, {
        context: { option: "drive", value: this.drive },
      });
    }
    const giveBack = protocol.attachUser(this, !node.isReadOnly);
    const release = hold(node, this);
    this.#releaseNode = (): void => {
      release();
      giveBack();
    };
    try {
      this.#address = bus.add(this, { channel: this.channel, target: this.scsiId, lun: this.lun });
      this.#bus = bus;
      // As in QEMU, the properties give the address that was chosen.
      this.scsiId = this.#address.target;
      this.lun = this.#address.lun;
      this.#node = node;
      this.#protocol = protocol;
      // A format above the protocol may be read-only where the protocol is not.
      this.#unit = node.isReadOnly && !unit.readOnly ? unit.asReadOnly() : unit;
      await this.probe();
    } catch (error) {
      this.#detach();
      throw error;
    }
  }

  /**
   * Runs a SCSI command. PERSISTENT RESERVE IN and OUT go to the PR manager of the device's block node if it has one, every other
   * command to the device. The promise resolves with the command's result, whatever it is; a command that its signal, a reset or
   * the end of the machine interrupts resolves with TASK ABORTED. While the machine is stopped the command waits.
   *
   * @throws QomError `conflict` for a command with data in both directions, `invalid-value` for another mistake in it, `closed` after the
   *   device was closed
   */
  execute(command: ScsiCommand): Promise<ScsiResult> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const problem = commandProblem("ScsiDevice.execute", command);
    if (problem !== null) return Promise.reject(problem);
    try {
      return Promise.resolve(this.#answer(command, null));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * The same for a monitor: it does not wait while the machine is stopped, and an error stops no machine.
   * @throws QomError as {@link execute} does
   */
  async executeAnyway(command: ScsiCommand): Promise<ScsiResult> {
    this.requireOpen();
    const problem = commandProblem("ScsiDevice.executeAnyway", command);
    if (problem !== null) throw problem;
    const refusal = cdbRefusal(command.cdb);
    if (refusal !== null) return refusal;
    if (command.signal?.aborted === true) return bareStatus(ScsiStatus.TASK_ABORTED);
    if (this.#node?.takesRequests === false) return bareStatus(ScsiStatus.BUSY);
    const send = (): ScsiAnswer => this.#commands.run(command, (sent) => this.dispatch(sent));
    return requestsTraced() ? this.#traces.run(this, command, send) : send();
  }

  /**
   * The same for a host adapter, which answers for the command's shape. A result that is there at once comes without a promise.
   * @param own controller of the command's signal, which no other command has until this one has ended: the device fires it to end the command
   * @throws QomError `closed`
   */
  answer(command: ScsiCommand, own: AbortController | null = null): ScsiAnswer {
    // A program may put a function of its own in the place of execute(), and guests' commands are to meet it too.
    return this.execute === ScsiDevice.prototype.execute ? this.#answer(command, own) : this.execute(command);
  }

  #answer(command: ScsiCommand, own: AbortController | null): ScsiAnswer {
    if (this.#closed) throw this.#closedError();
    const refusal = cdbRefusal(command.cdb);
    if (refusal !== null) return refusal;
    if (own === null && command.signal?.aborted === true) return bareStatus(ScsiStatus.TASK_ABORTED);
    if (requestsTraced()) return this.#traced(command, own);
    return this.#send(command, own);
  }

  /** @throws QomError `closed` */
  protected requireOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  #closedError(): QomError {
    return new QomError("closed", `${this.describe()} is closed`, { context: { object: this.describe() } });
  }

  /** Not a part of execute(): a command that a closure may want is kept on the heap, whether or not anybody traces. */
  #traced(command: ScsiCommand, own: AbortController | null): Promise<ScsiResult> {
    return this.#traces.run(this, command, () => this.#send(command, own));
  }

  #send(command: ScsiCommand, own: AbortController | null): ScsiAnswer {
    return this.#commands.run(command, this.#dispatch, own);
  }

  /** Sends a command of the device's own, past what a subclass does with a guest's; a reset ends it. @throws QomError `closed` */
  protected async sendOwn(command: ScsiCommand): Promise<ScsiResult> {
    if (this.#commands.ended) throw this.#closedError();
    return this.#commands.run(command, (sent) => ScsiDevice.prototype.dispatch.call(this, sent));
  }

  /**
   * What a task management function of the host adapter asks for. Commands in flight end with TASK ABORTED; reservations stay.
   * @throws QomError `invalid-value` for another scope
   */
  async reset(scope: ResetScope): Promise<void> {
    check("ScsiDevice.reset", "scope", scope, aResetScope);
    const ended = this.#commands.abortAll();
    await this.unit.reset(scope);
    await ended;
  }

  /** Sends a guest's command on its way. @param arrival of one that has waited */
  protected dispatchForGuest(command: ScsiCommand, arrival?: Arrival): ScsiAnswer {
    void arrival;
    return this.dispatch(command);
  }

  /** Sends a command on its way. Subclasses answer here what they must not pass on. */
  protected dispatch(command: ScsiCommand): ScsiAnswer {
    const timed = this.#timed(withBuffer(command, this.facts.blockSizeBytes));
    const running = present(this.#protocol, "a completed device has a node").execute(this.unit, timed);
    if (!isPatched(command.cdb)) return running;
    return running instanceof Promise ? running.then((result) => this.#patch(command, result)) : this.#patch(command, running);
  }

  /** The command with a deadline, where it has none and nobody else sees to one: a manager has deadlines of its own. */
  #timed(command: ScsiCommand): ScsiCommand {
    if (!this.unit.needsDeadline || command.timeoutMs !== undefined || this.routeOf(command.cdb[0]) !== "device") return command;
    return { ...command, timeoutMs: this.ioTimeoutMs };
  }

  #patch(command: ScsiCommand, result: ScsiResult): ScsiResult {
    this.facts.learn(command.cdb, result);
    const { hostTraits, readOnly } = this.unit;
    return patchAnswer(command, result, { facts: this.facts, readOnly, transferBytesMax: hostTraits?.transferBytesMax ?? null });
  }

  /**
   * What both device types ask a real device, none of which clears a unit attention: INQUIRY, and of a disk whether it has VPD page B0h.
   * @throws QomError `invalid-value` for one that does not answer, or that has no logical unit there
   */
  protected async probeHostDisk(): Promise<void> {
    const inquiry = await this.ask({ cdb: inquiryCdb(INQUIRY_LENGTH_MIN) });
    const { facts } = this;
    if (inquiry.status !== ScsiStatus.GOOD || !facts.introduce(inquiry.dataIn)) {
      throw this.#unusable(`does not answer INQUIRY: ${formatFailure(inquiry)}`);
    }
    if (facts.deviceType === DeviceType.UNKNOWN) throw this.#unusable("has no logical unit there");
    if (!facts.isDisk) return;
    const pages = await this.ask({ cdb: inquiryCdb(SUPPORTED_PAGES_LENGTH, VpdPage.SUPPORTED_PAGES) });
    const supported = pages.status === ScsiStatus.GOOD ? parseSupportedPages(pages.dataIn) : null;
    facts.lacksBlockLimits = supported !== null && !supported.includes(VpdPage.BLOCK_LIMITS);
  }

  /** Asks the device itself, again while it has a unit attention to tell. */
  protected async ask(command: ScsiCommand): Promise<ScsiResult> {
    const timed = { timeoutMs: this.ioTimeoutMs, ...command };
    const send = (): ScsiAnswer => ScsiDevice.prototype.dispatch.call(this, timed);
    let result = await send();
    for (let attempt = 1; attempt < PROBE_ATTEMPTS_MAX && parseSense(result.sense)?.key === UNIT_ATTENTION; attempt += 1) {
      result = await send();
    }
    return result;
  }

  #unusable(what: string): QomError {
    const message = `the disk behind block node '${this.drive}' ${what}`;
    return new QomError("invalid-value", message, { context: { option: "drive", value: this.drive } });
  }

  /** Asks the new device what a subclass needs to know of it. @throws QomError when it is not what the device type drives */
  protected abstract probe(): Promise<void>;

  /** Resolves when no command is under way, those that wait for the machine aside; at the latest after `graceMs`. */
  settle(graceMs: number): Promise<void> {
    return this.#commands.settle(graceMs);
  }

  /** The same without a limit. */
  quiet(): Promise<void> {
    return this.#commands.quiet();
  }

  override drain(graceMs: number): Promise<void> {
    this.#closed = true;
    this.held.endAll();
    return this.#commands.drain(graceMs, this.ownWork);
  }

  /** What the device does with commands of its own, until it has ended; null while there is none. */
  protected get ownWork(): Promise<void> | null {
    return null;
  }

  override finalize(): void {
    this.#closed = true;
    this.#detach();
  }

  #findNode(): BlockNode {
    try {
      return this.host.graph.node(this.drive);
    } catch (error) {
      throw error instanceof QomError ? error.within({ option: "drive" }) : error;
    }
  }

  #detach(): void {
    if (this.#address !== undefined) this.#bus?.remove(this.#address);
    this.#releaseNode?.();
  }
}
