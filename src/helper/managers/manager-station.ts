/** A manager that executes instead of SG_IO on the workers, with all that only such a helper needs: it is loaded where there is one. */

import { hostManager } from "./manager-host.js";
import type { ManagerHost } from "./manager-host.js";
import { ManagerDesk } from "./manager-desk.js";
import type { ManagerDeskParts } from "./manager-desk.js";

/** See the file text. */
export interface ManagerStation {
  readonly host: ManagerHost;
  /** Makes the main thread's part of the service, which ends the manager with itself. */
  createDesk(parts: ManagerDeskParts): ManagerDesk;
}

/** {@link hostManager}, with the desk. */
export async function openManagerStation(texts: readonly string[], warn: (line: string) => void): Promise<ManagerStation | null> {
  const host = await hostManager(texts, warn);
  return host === null ? null : { host, createDesk: (parts) => new ManagerDesk(host, parts) };
}
