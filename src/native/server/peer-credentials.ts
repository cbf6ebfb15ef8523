/**
 * Who is at the other end of a Unix socket (unix(7), SO_PEERCRED).
 *
 *     struct ucred (12)
 *      0  i32  process id; 0 for a process of another pid namespace
 *      4  u32  user id
 *      8  u32  group id
 */

import { succeeded } from "./libc.js";
import type { ServerLibc } from "./libc.js";
import { NativeMemory } from "../memory.js";
import { SOL_SOCKET } from "../socket/layout.js";

const SO_PEERCRED = 17;
const UCRED_SIZE = 12;
const UID_AT = 4;
const GID_AT = 8;

/** The process that connected, with its effective ids at that moment: a socket that it passed on later still names it. */
export interface PeerCredentials {
  /** 0 where the process is in a pid namespace that cannot be seen from here. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Asks for {@link PeerCredentials}, through memory that is made once. */
export class PeerCredentialsReader {
  readonly #server: ServerLibc;
  readonly #credentials = new NativeMemory(UCRED_SIZE);
  readonly #length = new NativeMemory(4);

  constructor(server: ServerLibc) {
    this.#server = server;
  }

  /**
   * Who connected to this accepted socket; or who listens, where this end has connected.
   * @throws QomError `io` when `fd` is no connected Unix socket
   */
  read(fd: number): PeerCredentials {
    this.#length.view.setUint32(0, UCRED_SIZE, true);
    const result = this.#server.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, this.#credentials.bytes, this.#length.bytes);
    succeeded(result, "getsockopt", "tell who has connected");
    const { view } = this.#credentials;
    return { pid: view.getInt32(0, true), uid: view.getUint32(UID_AT, true), gid: view.getUint32(GID_AT, true) };
  }
}
