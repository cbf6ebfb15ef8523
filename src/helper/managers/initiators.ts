/** The initiator port that a client is to the units of a manager. */

import type { TransportId } from "../../scsi/transport-id.js";
import { defaultInitiator } from "../../scsi/default-initiator.js";
import { present, unreachable } from "../../base/assert.js";
import type { ClientEntry } from "../shared/client-register.js";
import { initiatorOfSocket } from "../socket-names.js";

/** What tells the initiators of a helper apart: users, processes, or the sockets they connect to. */
export type InitiatorSource = "uid" | "pid" | "path";

/** The initiator port of a client. */
export type InitiatorOf = (client: ClientEntry) => TransportId;

/**
 * Tells clients apart by `source`: a process is another one whenever its number is used again.
 * @param names of the listening sockets, in their order
 */
export function initiators(source: InitiatorSource, names: readonly string[]): InitiatorOf {
  switch (source) {
    case "uid":
      return ({ uid }) => defaultInitiator(`uid-${uid}`);
    case "pid":
      return ({ pid, processStartTicks }) => defaultInitiator(`pid-${pid}-${processStartTicks}`);
    case "path":
      return ({ listener }) => initiatorOfSocket(present(names[listener], "a client came to one of the sockets"));
    default:
      return unreachable(source);
  }
}
