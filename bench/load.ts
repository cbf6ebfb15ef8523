/** A load that the benchmark makes itself: processes that compute, as many as wanted for each processor. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";

/** They end after this time even if nobody ends them; nothing is measured for as long. */
const LIMIT_SECONDS = 600;

/** What `action` gives, while `perProcessor` processes compute for each processor. */
export async function underLoad<Result>(perProcessor: number, action: () => Promise<Result>): Promise<Result> {
  const busy = Array.from({ length: perProcessor * availableParallelism() }, () =>
    spawn("timeout", [`${LIMIT_SECONDS}`, "sh", "-c", "while :; do :; done"], { stdio: "ignore" }),
  );
  try {
    await Promise.all(busy.map((child) => once(child, "spawn")));
    return await action();
  } finally {
    const ended = busy.flatMap((child) => (child.exitCode === null && child.signalCode === null ? [once(child, "exit")] : []));
    // timeout hands it on to the shell
    for (const child of busy) child.kill();
    await Promise.all(ended);
  }
}
