/**
 * The abstract class of all PR managers (QEMU: include/scsi/pr-manager.h). A subclass defines how a command is run; checking,
 * accounting and tracing are done here.
 */
import { aBoolean, aFunction, check, checkMembers, optional, problemOf } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { tellAll } from "../base/listeners.js";
import { qomType } from "../qom/decorators.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import { QomObject } from "../qom/object.js";
import type { LinkTarget } from "../qom/property-type.js";
import { serviceActionOf } from "../scsi/cdb.js";
import { cdbRefusal, commandProblem, reserveRefusal } from "../scsi/command-problem.js";
import { bareStatus, ScsiStatus } from "../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import { normalizeHostStatus } from "../scsi/host-status.js";
import { aNexus } from "../scsi/nexus.js";
import type { Nexus } from "../scsi/nexus.js";
import { aScsiUnit } from "../scsi/unit.js";
import type { ScsiUnit } from "../scsi/unit.js";
import { executeTrace, runTrace } from "./trace.js";
import type { PrManagerExecuteTrace } from "./trace.js";

/** Called with a command that a manager has run or refused. */
export type ExecuteListener = (unit: ScsiUnit, command: ScsiCommand, result: ScsiResult) => void;

/** Called when a manager is connected or disconnected; in the latter case with the reason, if it is known. */
export type ConnectionListener = (connected: boolean, cause?: Error) => void;

/** Options of {@link PrManager.onConnectionChange}. */
export interface ConnectionListenerOptions {
  /** Also report the present state, at once, if the manager has connections at all. Default: false. */
  readonly current?: boolean;
}

/** How a link to a manager is looked up: by its id below /objects, like pr_manager_lookup. */
export const PR_MANAGER_LINK: LinkTarget = Object.freeze({ typeName: "pr-manager", noun: "PR manager", lookup: "objects" });

/** See the module text. */
@qomType({
  name: "pr-manager",
  description: "runs PERSISTENT RESERVE commands on behalf of SCSI passthrough devices",
  abstract: true,
  interfaces: [USER_CREATABLE],
})
export abstract class PrManager extends QomObject {
  readonly #listeners = new Set<ConnectionListener>();
  readonly #executeListeners = new Set<ExecuteListener>();
  /** The last reported state of the connection; null for a manager without one. */
  #told: boolean | null = null;
  #inFlight = 0;

  constructor() {
    super();
    const { prototype } = PrManager;
    if (this.execute === prototype.execute && this.executeChecked === prototype.executeChecked) return;
    throw new QomError("type-definition", `class '${new.target.name}' overrides execute(), which is final: override run() instead`);
  }

  /** Whether the manager can reach what it needs; a manager that needs nothing is always connected. */
  get connected(): boolean {
    return true;
  }

  /** Number of commands in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Called when a block node is given this manager, so that a combination that cannot work fails at creation and not at the first command.
   * @throws QomError that says what the node lacks
   */
  admit(unit: ScsiUnit): void {
    check("PrManager.admit", "unit", unit, aScsiUnit);
  }

  /** Called when a nexus is gone for now, so that the manager can forget what it keeps for it alone. */
  nexusGone(nexus: Nexus): void {
    check("PrManager.nexusGone", "nexus", nexus, aNexus);
  }

  /**
   * Runs PERSISTENT RESERVE IN or OUT on a unit. Final: a subclass implements {@link run}.
   *
   * Commands that no manager can run end here: another operation code (05/20/00), a CDB of the wrong length, data in the wrong direction,
   * less data-out than the CDB announces, a buffer smaller than ALLOCATION LENGTH (all 05/24/00), PERSISTENT RESERVE OUT on a read-only
   * unit (05/20/00).
   *
   * Rejects with a QomError `invalid-value` for a malformed unit or command, `conflict` for a command with data in both directions.
   */
  execute(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    const problem = commandProblem("PrManager.execute", command) ?? problemOf("PrManager.execute", "unit", unit, aScsiUnit);
    return problem === null ? this.#begin(unit, command, cdbRefusal(command.cdb)) : Promise.reject(problem);
  }

  /** The same for a block node, whose device has checked the command; nothing else may call it. */
  executeChecked(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return this.#begin(unit, command, null);
  }

  #begin(unit: ScsiUnit, command: ScsiCommand, refusal: ScsiResult | null): Promise<ScsiResult> {
    if (executeTrace.enabled) executeTrace.publish(traceOf(this, unit, command));
    const running = this.#execute(unit, command, refusal ?? reserveRefusal(command, unit.readOnly));
    return this.#executeListeners.size === 0 ? running : this.#tellResult(running, unit, command);
  }

  async #tellResult(running: Promise<ScsiResult>, unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    const result = await running;
    tellAll(this.#executeListeners, unit, command, result);
    return result;
  }

  async #execute(unit: ScsiUnit, command: ScsiCommand, refusal: ScsiResult | null): Promise<ScsiResult> {
    if (refusal !== null) return refusal;
    if (command.signal?.aborted === true) return bareStatus(ScsiStatus.TASK_ABORTED);
    if (runTrace.enabled) runTrace.publish(traceOf(this, unit, command));
    this.#inFlight += 1;
    try {
      return normalizeHostStatus(await this.run(unit, command));
    } finally {
      this.#inFlight -= 1;
    }
  }

  override busyWith(): string | null {
    if (this.#inFlight === 0) return null;
    return this.#inFlight === 1 ? "a command in flight" : `${this.#inFlight} commands in flight`;
  }

  /**
   * Calls `listener` at every change of {@link connected}, until the returned function is called. A manager without a connection never
   * does.
   *
   * With `current` the present state is reported first, so that a listener that is added when the manager is created gets that connection
   * and every later change, each once.
   */
  onConnectionChange(listener: ConnectionListener, options: ConnectionListenerOptions = {}): () => void {
    check("PrManager.onConnectionChange", "listener", listener, aFunction);
    checkMembers("PrManager.onConnectionChange", "options", options, { current: optional(aBoolean) });
    // wrapped, so that a listener can be added twice and removed once
    const own: ConnectionListener = (connected, cause) => listener(connected, cause);
    this.#listeners.add(own);
    if (options.current === true && this.#told !== null) tellAll([own], this.#told);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Calls `listener` with every command and its result, until the returned function is called. */
  onExecute(listener: ExecuteListener): () => void {
    check("PrManager.onExecute", "listener", listener, aFunction);
    this.#executeListeners.add(listener);
    return () => {
      this.#executeListeners.delete(listener);
    };
  }

  /**
   * Runs a well-formed command. A SCSI failure is a result; an exception is a mistake in the subclass. `execute` completes a result with a
   * host status by the status and sense data that go with it. A manager should end the command with TASK ABORTED when its signal fires;
   * devices do so in any case.
   */
  protected abstract run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult>;

  /** For subclasses that have a connection: calls the listeners if the state has changed. */
  protected connectionChanged(connected: boolean, cause?: Error): void {
    if (connected === this.#told) return;
    this.#told = connected;
    tellAll(this.#listeners, connected, cause);
  }
}

function traceOf({ id }: PrManager, { fd, identity }: ScsiUnit, { cdb }: ScsiCommand): PrManagerExecuteTrace {
  return { id, unit: identity, fd, opcode: cdb[0] ?? 0, serviceAction: serviceActionOf(cdb) };
}
