/** Trace points of PR managers (QEMU 7.2: scsi/trace-events). */
import { tracePoint } from "../base/trace.js";
import type { TraceDefinition } from "../base/trace.js";

/** A command at a PR manager. */
export interface PrManagerExecuteTrace {
  /** Id of the manager. */
  readonly id: string | null;
  /** Identity of the unit, as ScsiUnit has it. */
  readonly unit: string;
  /** The descriptor lent to the manager; null for a unit without one. */
  readonly fd: number | null;
  readonly opcode: number;
  readonly serviceAction: number;
}

/** A manager gets a command. */
export const executeTrace = tracePoint<PrManagerExecuteTrace>("pr_manager_execute");

/** The manager starts a well-formed command. */
export const runTrace = tracePoint<PrManagerExecuteTrace>("pr_manager_run");

function byte(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

const AT_MANAGER: TraceDefinition<PrManagerExecuteTrace> = {
  format: ({ fd, opcode, serviceAction }) => `fd=${fd ?? -1} cmd=${byte(opcode)} service action=${byte(serviceAction)}`,
};

/** The points by name. */
export const PR_MANAGER_TRACES = {
  pr_manager_execute: AT_MANAGER,
  pr_manager_run: AT_MANAGER,
} as const;
