/**
 * Waiting for a state folder that another command has. Two commands of one moment, as cluster software gives them, are not a mistake of
 * either; a machine that keeps a folder for as long as it runs is waited for by nobody.
 */
import { QomError } from "../../base/errors.js";
import type { Clock } from "../../base/clock.js";

/** How often the folder is tried: a command has it for some tens of milliseconds. */
const RETRY_MS = 25;

/** How a program that keeps a folder is asked: a helper with a manager of its own, or a machine. */
const WAYS_TO_HOLDER = "ask a helper with '--manager pr-manager-helper,path=SOCKET', and a machine with '--qmp'";

/** The folder stayed in use for as long as the command may wait, or is one that is not worth waiting for. */
export class FolderBusyError extends QomError {
  constructor(cause: QomError, detail: string) {
    super("in-use", `${cause.message}${detail}`, { context: cause.context, ...(cause.hint === undefined ? {} : { hint: cause.hint }) });
  }
}

/**
 * What `attempt` gives, which is made again while it meets a folder that another process has for a moment.
 * @param waitMs how long after the first attempt the last one may be made, in milliseconds
 * @throws FolderBusyError; whatever else `attempt` throws
 */
export async function withFolder<T>(clock: Clock, waitMs: number, attempt: () => Promise<T>): Promise<T> {
  const lastMs = clock.nowMs() + waitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFolderInUse(error)) throw error;
      if (error.context.heldFor === "lasting") {
        throw new FolderBusyError(error, `, which keeps it while it runs: ${WAYS_TO_HOLDER}`);
      }
      const restMs = lastMs - clock.nowMs();
      if (restMs <= 0) throw new FolderBusyError(error, waitMs === 0 ? "" : `, after ${waitMs / 1000} s still`);
      await new Promise<void>((resolve) => clock.after(Math.min(RETRY_MS, restMs), resolve));
    }
  }
}

/** The options that a folder is opened for: `state` of a scsi-fabric, `path` of a reservation-folder. */
const FOLDER_OPTIONS: readonly (string | undefined)[] = ["state", "path"];

function isFolderInUse(error: unknown): error is QomError {
  return error instanceof QomError && error.kind === "in-use" && FOLDER_OPTIONS.includes(error.context.option);
}
