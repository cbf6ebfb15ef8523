/** The I_T nexuses that a logical unit knows, with their logins and pending unit attentions. */

import { QomError } from "../../base/errors.js";
import { negative, nexusHoldings } from "../../reservation/holdings.js";
import type { Account } from "../../scsi/account.js";
import type { TargetPorts } from "../../reservation/settings.js";
import { UnitAttentionQueue } from "../../reservation/unit-attentions.js";
import type { UnitAttentionQueues, UnitAttentionSettings } from "../../reservation/unit-attentions.js";
import { nexusKey } from "../../scsi/nexus.js";
import type { Nexus } from "../../scsi/nexus.js";
import type { TransportId } from "../../scsi/transport-id.js";
import type { Steps } from "../../base/slices.js";
import { News } from "./news.js";
import type { CodesFor, Listener } from "./news.js";
import { PortReach } from "./port-reach.js";

/** Relative target port identifiers are 1 to 65,535 (SPC-4 7.8.5). */
const TARGET_PORT_MAX = 0xffff;

/** A known nexus. */
export class NexusState implements Listener {
  readonly #attentions: UnitAttentionQueue;
  /** Announcements that it need not hear of any more. */
  #heard: number;
  /** Logins minus logouts: 0 for a nexus known only from a command. */
  logins = 0;

  constructor(
    readonly nexus: Nexus,
    /** {@link nexusKey} of `nexus`. */
    readonly key: string,
    settings: UnitAttentionSettings,
    /** The account that is charged for it; null for none. */
    readonly account: Account | null,
    private readonly news: News,
  ) {
    this.#attentions = new UnitAttentionQueue(settings);
    this.#heard = news.count;
  }

  /** What it has not been told yet, and what has been announced. */
  get attentions(): UnitAttentionQueue {
    if (this.#heard !== this.news.count) this.hear();
    return this.#attentions;
  }

  hear(): void {
    for (const code of this.news.since(this.#heard, this.key)) this.#attentions.raise(code);
    this.#heard = this.news.count;
  }
}

/** The known nexuses by nexusKey, and the target ports used so far. */
export class NexusTable implements UnitAttentionQueues, TargetPorts {
  readonly #states = new Map<string, NexusState>();
  readonly #news = new News(() => this.#states.values());
  /** A port stays one after a logout. */
  readonly #reach = new PortReach();

  constructor(private readonly settings: UnitAttentionSettings) {}

  /** Number of nexuses that are there. */
  get size(): number {
    return this.#states.size;
  }

  /** Settles when what was announced is told to all; null when that is so. */
  get telling(): Promise<void> | null {
    return this.#news.telling;
  }

  /**
   * The state of `nexus`, which is added if it is not known.
   * @param account charged for a nexus that is added; null for none
   * @throws QomError `invalid-value` for an impossible target port, whose registrations could not be read back
   */
  enter(nexus: Nexus, account: Account | null = null): NexusState {
    const key = nexusKey(nexus);
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    checkTargetPort(nexus.targetPort);
    const state = new NexusState(nexus, key, this.settings, account, this.#news);
    account?.ledger.change(account.owner, nexusHoldings(nexus.initiator));
    this.#states.set(key, state);
    this.#reach.see(nexus);
    return state;
  }

  /** Takes note in slices of the ports that `registrations` were made through. What it gives is called when they are in force. */
  read(registrations: Iterable<{ readonly nexus: Nexus }>): Steps<() => void> {
    return this.#reach.read(registrations);
  }

  /** All nexuses that are there have a unit attention for each of what `codesFor` gives, from now on. See {@link News.announce}. */
  announce(codesFor: CodesFor): Promise<void> | null {
    return this.#news.announce(codesFor);
  }

  /** Removes a nexus with its pending unit attentions. */
  leave(state: NexusState): void {
    if (!this.#states.delete(state.key)) return;
    state.account?.ledger.change(state.account.owner, negative(nexusHoldings(state.nexus.initiator)));
  }

  /** Forgets that the initiator port came through that target port, for who is not there and not registered. */
  forgetReach(nexus: Nexus): void {
    this.#reach.forget(nexus);
  }

  /** The state of `nexus`; undefined if it is not known. */
  find(nexus: Nexus): NexusState | undefined {
    return this.#states.get(nexusKey(nexus));
  }

  /** All known nexuses. */
  values(): Iterable<NexusState> {
    return this.#states.values();
  }

  get(key: string): UnitAttentionQueue | undefined {
    return this.#states.get(key)?.attentions;
  }

  keys(): Iterable<string> {
    return this.#states.keys();
  }

  has(targetPort: number): boolean {
    return this.#reach.targetPorts.has(targetPort);
  }

  /** The target ports that the initiator port has used: a simulated unit has no paths but those of its nodes. */
  reachedBy(initiator: TransportId): readonly number[] {
    return this.#reach.of(initiator);
  }

  /** The initiator ports of all known nexuses. */
  *initiators(): Iterable<TransportId> {
    for (const { nexus } of this.#states.values()) yield nexus.initiator;
  }

  /** Every target port, lowest first. */
  targetPortIdentifiers(): readonly number[] {
    return [...this.#reach.targetPorts].toSorted((a, b) => a - b);
  }
}

function checkTargetPort(targetPort: number): void {
  if (Number.isInteger(targetPort) && targetPort >= 1 && targetPort <= TARGET_PORT_MAX) return;
  throw new QomError("invalid-value", `target port ${targetPort} is not a relative target port identifier, 1 to ${TARGET_PORT_MAX}`, {
    context: { option: "targetPort", value: String(targetPort) },
  });
}
