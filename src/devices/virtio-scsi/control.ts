/** The control queue of a virtio-scsi device: task management, and notifications, of which there are none (virtio 1.2, 5.6.6.2). */
import { QomError } from "../../base/errors.js";
import { Sense } from "../../scsi/sense.js";
import {
  CONTROL_TYPE_LENGTH,
  controlRequestKind,
  NOTIFICATION_REQUEST_LENGTH,
  NOTIFICATION_RESPONSE_LENGTH,
  parseTaskManagement,
  TMF_REQUEST_LENGTH,
  TMF_RESPONSE_LENGTH,
  VirtioScsiResponse,
  VirtioScsiTmf,
} from "../../scsi/virtio-scsi.js";
import type { TaskManagementRequest, UnitAddress } from "../../scsi/virtio-scsi.js";
import type { ResetScope } from "../../scsi/unit.js";
import type { FrontUnit } from "../bus/bus-front.js";
import { copyOf, lengthOf, writeTo } from "./chain.js";
import type { VirtioChain } from "./chain.js";
import type { PendingCommand, VirtioScsiCommands } from "./commands.js";
import type { UsedLength, VirtioScsiContext } from "./context.js";
import { atUnit, managementRequestTrace, managementResponseTrace } from "./trace.js";

/** Lengths of the requests that have a response, by kind. */
const LENGTHS = {
  "task-management": { request: TMF_REQUEST_LENGTH, response: TMF_RESPONSE_LENGTH },
  notification: { request: NOTIFICATION_REQUEST_LENGTH, response: NOTIFICATION_RESPONSE_LENGTH },
} as const;

/** Functions that are for one unit and are refused where there is none. */
type UnitFunction = (unit: FrontUnit, request: TaskManagementRequest) => number | Promise<number>;

/** See the module text. */
export class VirtioScsiControl {
  readonly #context: VirtioScsiContext;
  readonly #commands: VirtioScsiCommands;
  readonly #unitFunctions: ReadonlyMap<number, UnitFunction>;

  constructor(context: VirtioScsiContext, commands: VirtioScsiCommands) {
    this.#context = context;
    this.#commands = commands;
    const tagged = (unit: FrontUnit, tag: bigint) => (command: PendingCommand) => command.unit === unit && command.request.tag === tag;
    this.#unitFunctions = new Map<number, UnitFunction>([
      [VirtioScsiTmf.ABORT_TASK, (unit, { tag }) => this.#abort(tagged(unit, tag))],
      [VirtioScsiTmf.ABORT_TASK_SET, (unit) => this.#abort(of(unit))],
      // All commands of a unit are of one initiator, the guest: there are no others to clear.
      [VirtioScsiTmf.CLEAR_TASK_SET, (unit) => this.#abort(of(unit))],
      [VirtioScsiTmf.LOGICAL_UNIT_RESET, (unit) => this.#reset([unit], "logical-unit")],
      [VirtioScsiTmf.QUERY_TASK, (unit, { tag }) => this.#query(tagged(unit, tag))],
      [VirtioScsiTmf.QUERY_TASK_SET, (unit) => this.#query(of(unit))],
    ]);
  }

  /** Takes a request. A request of an undefined type is returned as it came. */
  submit(chain: VirtioChain): UsedLength | Promise<UsedLength> {
    const { fail } = this.#context;
    const [readableBytes, writableBytes] = [lengthOf(chain.readable), lengthOf(chain.writable)];
    if (readableBytes < CONTROL_TYPE_LENGTH) return fail(`a control request has ${readableBytes} bytes`);
    const kind = controlRequestKind(copyOf(chain.readable, 0, CONTROL_TYPE_LENGTH));
    if (kind === null) return 0;
    const { request, response } = LENGTHS[kind];
    if (readableBytes < request) return fail(`a ${kind} request has ${readableBytes} bytes instead of ${request}`);
    if (writableBytes < response) return fail(`a ${kind} request has ${writableBytes} bytes for its response instead of ${response}`);
    if (kind === "notification") {
      // No events of either kind, and VIRTIO_SCSI_S_OK: both are zeros.
      writeTo(chain.writable, 0, new Uint8Array(response));
      return response;
    }
    return this.#manage(chain, parseTaskManagement(copyOf(chain.readable, 0, request)));
  }

  async #manage(chain: VirtioChain, request: TaskManagementRequest): Promise<UsedLength> {
    if (managementRequestTrace.enabled) managementRequestTrace.publish({ ...traced(request), function: request.function });
    const response = await this.#carryOut(request);
    if (managementResponseTrace.enabled) managementResponseTrace.publish({ ...traced(request), response });
    writeTo(chain.writable, 0, Uint8Array.of(response));
    return TMF_RESPONSE_LENGTH;
  }

  #carryOut(request: TaskManagementRequest): number | Promise<number> {
    const { front } = this.#context;
    const { address } = request;
    // The nexus is that of the target: QEMU looks at nothing else, and answers for targets that are not there too.
    if (request.function === VirtioScsiTmf.I_T_NEXUS_RESET) return this.#reset(front.unitsOf(request.target), "i-t-nexus");
    const carryOut = this.#unitFunctions.get(request.function);
    if (carryOut === undefined) return VirtioScsiResponse.FUNCTION_REJECTED;
    const unit = address === null ? null : front.unitAt(address);
    if (unit !== null) return carryOut(unit, request);
    const [other] = address === null ? [] : front.unitsOf(address.target);
    return other === undefined ? VirtioScsiResponse.BAD_TARGET : VirtioScsiResponse.INCORRECT_LUN;
  }

  /** FUNCTION COMPLETE, whether there was something to abort or not (SAM-5 7.2). */
  async #abort(concerns: (command: PendingCommand) => boolean): Promise<number> {
    await this.#commands.end("aborted", concerns);
    return VirtioScsiResponse.OK;
  }

  #query(concerns: (command: PendingCommand) => boolean): number {
    return this.#commands.some(concerns) ? VirtioScsiResponse.FUNCTION_SUCCEEDED : VirtioScsiResponse.OK;
  }

  async #reset(units: readonly FrontUnit[], scope: ResetScope): Promise<number> {
    // Commands that arrive from now on meet the unit attention.
    for (const unit of units) unit.raise(Sense.POWER_ON_OR_RESET);
    const outcomes = await Promise.all(
      units.map(async (unit) => {
        let outcome: number = VirtioScsiResponse.OK;
        await this.#commands.end("reset", of(unit), async () => {
          outcome = await resetDevice(unit, scope);
        });
        return outcome;
      }),
    );
    return outcomes.find((outcome) => outcome !== VirtioScsiResponse.OK) ?? VirtioScsiResponse.OK;
  }
}

/** For I_T NEXUS RESET only the target counts, and the LUN may be anything. */
function traced({ address, tag, target }: TaskManagementRequest): UnitAddress & { tag: bigint } {
  return { ...atUnit(address), target, tag };
}

function of(unit: FrontUnit) {
  return (command: PendingCommand): boolean => command.unit === unit;
}

/** A device that is being deleted has nothing left to be reset; another failure is a mistake that the guest cannot help. */
async function resetDevice(unit: FrontUnit, scope: ResetScope): Promise<number> {
  try {
    await unit.device.reset(scope);
    return VirtioScsiResponse.OK;
  } catch (error) {
    if (error instanceof QomError && error.kind === "closed") return VirtioScsiResponse.OK;
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    return VirtioScsiResponse.FAILURE;
  }
}
