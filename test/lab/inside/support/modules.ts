/** Modules of the kernel that a test loads: those of `onDemand` in test/lab/image.ts. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * Loads a module after what it needs; what is loaded already is left as it is.
 * @param parameters `NAME=VALUE` each
 * @throws Error that says what insmod said
 */
export function loadModule(name: string, parameters: readonly string[] = []): void {
  for (const module of readFileSync(`/lib/modules/${name}.order`, "utf8").trim().split("\n")) {
    if (existsSync(`/sys/module/${module}`)) continue;
    const { status, stderr } = spawnSync("insmod", [`/lib/modules/${module}.ko`, ...(module === name ? parameters : [])]);
    if (status !== 0) throw new Error(`insmod ${module}: ${String(stderr)}`);
  }
}
