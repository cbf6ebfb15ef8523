/** A fabric whose reservations survive power loss, so that APTPL is on as it is on the recorded target. */

import { Fabric } from "qom-pr";
import { makeFolder, removeFolder } from "../support/folder.js";

/** A fabric in a folder of its own. */
export interface DurableFabric {
  readonly fabric: Fabric;
  /** Closes the fabric and removes its folder. */
  close(): Promise<void>;
}

/** The fabric that conformance is tested on. */
export async function openDurableFabric(): Promise<DurableFabric> {
  const stateDir = makeFolder();
  const fabric = await Fabric.open({ stateDir });
  return {
    fabric,
    close: async () => {
      await fabric.close();
      removeFolder(stateDir);
    },
  };
}
