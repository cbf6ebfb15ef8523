/** Which connections an initiator has, so that it is known when the last of them has ended. */

import type { Nexus } from "../../scsi/nexus.js";
import { nexusKey } from "../../scsi/nexus.js";

interface Presence {
  readonly nexus: Nexus;
  readonly sessions: Set<number>;
}

/** Sessions by their number, see ClientEntry; as many as there are connections at most. */
export class ClientSessions {
  readonly #gone: (nexus: Nexus) => void;
  readonly #bySession = new Map<number, Presence>();
  readonly #byNexus = new Map<string, Presence>();

  /** @param gone called with a nexus when its last connection has ended */
  constructor(gone: (nexus: Nexus) => void) {
    this.#gone = gone;
  }

  /** The nexus that a session sends its commands from; made when it sends the first. */
  nexusOf(session: number, make: () => Nexus): Nexus {
    const known = this.#bySession.get(session);
    if (known !== undefined) return known.nexus;
    const nexus = make();
    const key = nexusKey(nexus);
    const presence = this.#byNexus.get(key) ?? { nexus, sessions: new Set<number>() };
    presence.sessions.add(session);
    this.#byNexus.set(key, presence);
    this.#bySession.set(session, presence);
    return presence.nexus;
  }

  /** A session has ended, whether it ever sent a command or not. */
  end(session: number): void {
    const presence = this.#bySession.get(session);
    if (presence === undefined) return;
    this.#bySession.delete(session);
    presence.sessions.delete(session);
    if (presence.sessions.size > 0) return;
    this.#byNexus.delete(nexusKey(presence.nexus));
    this.#gone(presence.nexus);
  }
}
