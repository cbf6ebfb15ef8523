/** A fabric whose reservations survive power loss, so that APTPL is on as it is on the recorded target. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fabric } from "qom-pr";

/** A fabric in a folder of its own. */
export interface DurableFabric {
  readonly fabric: Fabric;
  /** Closes the fabric and removes its folder. */
  close(): Promise<void>;
}

/** The fabric that conformance is tested on. */
export async function openDurableFabric(): Promise<DurableFabric> {
  const stateDir = await mkdtemp(join(tmpdir(), "qom-pr-conformance-"));
  const fabric = await Fabric.open({ stateDir });
  return {
    fabric,
    close: async () => {
      await fabric.close();
      await rm(stateDir, { recursive: true });
    },
  };
}
