/** Names of the sockets that a helper serves: with `--initiator-from path` each is an initiator, no matter who connects to it. */

import { basename } from "node:path";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { defaultInitiator } from "../scsi/default-initiator.js";
import type { TransportId } from "../scsi/transport-id.js";

/**
 * More virtual machines with such disks than one host runs. Each socket takes two descriptors with that for its status, of the 1024 that a
 * process often has; and one byte tells which of them a connection came to.
 */
const SOCKETS_MAX = 256;

const SUFFIX = ".sock";

/** The name of a socket by its path: the last part, without `.sock`. */
export function nameOfSocket(path: string): string {
  const base = basename(path);
  return base.length > SUFFIX.length && base.endsWith(SUFFIX) ? base.slice(0, -SUFFIX.length) : base;
}

/** The initiator port of every client of the socket with that name; different names are different ports. */
export function initiatorOfSocket(name: string): TransportId {
  return defaultInitiator(`path-${name}`);
}

/**
 * Checks that each socket is a different initiator.
 * @param names one for each socket
 * @param what an option or variable, for the message
 * @throws QomError `limit` for too many or a name that is too long for an initiator, `duplicate` for one that comes twice
 */
export function checkSocketNames(names: readonly string[], what: string): void {
  if (names.length > SOCKETS_MAX) throw new QomError("limit", `${what}: ${names.length} sockets are more than ${SOCKETS_MAX}`);
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name))
      throw new QomError("duplicate", `${what}: two sockets have the name '${printable(name)}', and would be one initiator`);
    known.add(name);
    try {
      initiatorOfSocket(name);
    } catch (cause) {
      throw new QomError("limit", `${what}: '${printable(name)}' is too long for the name of an initiator`, { cause });
    }
  }
}
