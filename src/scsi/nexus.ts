/** An I_T nexus: one initiator port at one target port, the party that registers keys and holds reservations (SAM-5). */

import type { Kind } from "../base/check.js";
import { TransportId } from "./transport-id.js";

/** A pair of initiator port and relative target port identifier (1 to 65535). */
export interface Nexus {
  readonly initiator: TransportId;
  readonly targetPort: number;
}

/** A {@link Nexus}. */
export const aNexus: Kind = {
  expects: "an I_T nexus, { initiator: TransportId, targetPort: number }",
  holds: (value) => {
    if (typeof value !== "object" || value === null) return false;
    const { initiator, targetPort } = value as Partial<Record<keyof Nexus, unknown>>; // any object may be asked for any member
    return initiator instanceof TransportId && typeof targetPort === "number";
  },
};

/**
 * Text that is equal for two values of the same nexus and only then. The initiator's object remembers it, so that a nexus used
 * over and over costs one lookup.
 */
export function nexusKey(nexus: Nexus): string {
  return nexus.initiator.keyAt(nexus.targetPort);
}
