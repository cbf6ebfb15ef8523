/**
 * Going to the background. A process of node cannot fork, so another one is started there; the one in the foreground waits until it
 * serves, and then ends. Until then the other one writes to the same standard error.
 */

import { spawn } from "node:child_process";
import { constants, closeSync, openSync, writeSync } from "node:fs";
import { QomError } from "../../base/errors.js";
import type { ActivatedSocket } from "../activation.js";
import type { ProcessControl } from "../../native/server/process.js";
import { withHandover } from "./handover.js";
import { STANDARD_ERROR } from "../log.js";
import type { HelperOptions } from "../settings/settings.js";

/** Descriptors in the process that is started: the third is a pipe back, from the fourth on there are systemd's sockets. */
const READY_DESCRIPTOR = 3;
const ACTIVATED_DESCRIPTOR = 4;

/**
 * Starts this program again, in a session of its own, and waits.
 * @param activated systemd's sockets, null if there are none
 * @param stop ends the process in the background, too, while it is awaited
 * @returns the exit status of this process: 0 when the other one serves, and else the other one's, which has said why
 * @throws QomError `io` when it cannot be started or was killed
 */
export function serveInBackground(
  options: HelperOptions,
  activated: readonly ActivatedSocket[] | null,
  stop: AbortSignal,
): Promise<number> {
  if (stop.aborted) return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    const handover = {
      stage: "background",
      options,
      activated: activated?.map(({ name }, index) => ({ fd: ACTIVATED_DESCRIPTOR + index, name })) ?? null,
      ready: READY_DESCRIPTOR,
    } as const;
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      env: withHandover(process.env, handover),
      stdio: ["ignore", "ignore", "inherit", "pipe", ...(activated ?? []).map(({ fd }) => fd)],
    });
    const endIt = (): void => void child.kill();
    stop.addEventListener("abort", endIt);
    let serves = false;
    child.stdio[READY_DESCRIPTOR]?.once("data", () => {
      serves = true;
      stop.removeEventListener("abort", endIt);
      child.stdio[READY_DESCRIPTOR]?.destroy();
      child.unref();
      resolve(0);
    });
    child.once("error", (cause) => reject(new QomError("io", "cannot start the process in the background", { cause })));
    child.once("close", (code, signal) => {
      if (serves) return;
      if (code === null) reject(new QomError("io", `the process in the background was ended by ${signal ?? "a signal"} before it served`));
      else resolve(code);
    });
  });
}

/** Lets the process in the foreground end, and go of what it had: standard error, and the folder it was started in. */
export function leaveForeground(control: ProcessControl, ready: number): void {
  process.chdir("/");
  const nowhere = openSync("/dev/null", constants.O_RDWR);
  control.redirect(nowhere, STANDARD_ERROR);
  closeSync(nowhere);
  try {
    writeSync(ready, "\n");
  } catch {
    // it was ended meanwhile, and this one serves nevertheless
  } finally {
    closeSync(ready);
  }
}
