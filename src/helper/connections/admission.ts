/** Who may connect, and how often. */

import type { PeerCredentials } from "../../native/server/peer-credentials.js";
import type { ClientRegister } from "../shared/client-register.js";

/** Rules that a connection is checked by, once, when it is accepted. */
export interface AdmissionRules {
  /** User ids that may connect. With both lists empty, everybody may whom the socket file's mode lets. */
  readonly allowedUids: readonly number[];
  /** Group ids that may connect. */
  readonly allowedGids: readonly number[];
  /** Most connections of one user. */
  readonly connectionsPerUser: number;
  /** Most connections of one process. */
  readonly connectionsPerProcess: number;
}

/**
 * Half of all connections: virtual machines often run as one user, with a connection for each manager object; and whatever a user does,
 * others still get in.
 */
export const CONNECTIONS_PER_USER_DEFAULT = 2048;

/** {@link AdmissionRules} as the options give them. */
export interface AdmissionOptions extends Omit<AdmissionRules, "connectionsPerUser"> {
  /** Null when nobody chose it. */
  readonly connectionsPerUser: number | null;
}

/**
 * The rules of a helper that lets in `connectionsMax` connections: few where it may have few descriptors. Beyond them nobody gets as far as
 * being counted, so unless a user was given more, each has half of them at most.
 */
export function rulesFor(options: AdmissionOptions, connectionsMax: number): AdmissionRules {
  const half = Math.floor(connectionsMax / 2);
  return { ...options, connectionsPerUser: options.connectionsPerUser ?? Math.min(CONNECTIONS_PER_USER_DEFAULT, half) };
}

/** More than one emulator has disks. */
export const CONNECTIONS_PER_PROCESS_DEFAULT = 1024;

/**
 * Why the client of a connection that is in the register is not let in, in words for the log; null when it is.
 */
export function refusalOf(client: PeerCredentials, rules: AdmissionRules, register: ClientRegister): string | null {
  if (!isAllowed(client, rules)) return "neither its user nor its group is allowed";
  if (register.countWith("uid", client.uid) > rules.connectionsPerUser) {
    return `its user has ${rules.connectionsPerUser} connections, the most allowed`;
  }
  // All processes of other pid namespaces are number 0.
  if (client.pid !== 0 && register.countWith("pid", client.pid) > rules.connectionsPerProcess) {
    return `its process has ${rules.connectionsPerProcess} connections, the most allowed`;
  }
  return null;
}

function isAllowed({ uid, gid }: PeerCredentials, { allowedUids, allowedGids }: AdmissionRules): boolean {
  if (allowedUids.length === 0 && allowedGids.length === 0) return true;
  return allowedUids.includes(uid) || allowedGids.includes(gid);
}
