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

/** Relative target port identifiers are 1 to 65,535 (SPC-4 7.8.5). */
const TARGET_PORT_MAX = 0xffff;

/** A known nexus. */
export class NexusState {
  readonly attentions: UnitAttentionQueue;
  /** Logins minus logouts: 0 for a nexus known only from a command. */
  logins = 0;

  constructor(
    readonly nexus: Nexus,
    /** {@link nexusKey} of `nexus`. */
    readonly key: string,
    settings: UnitAttentionSettings,
    /** The account that is charged for it; null for none. */
    readonly account: Account | null,
  ) {
    this.attentions = new UnitAttentionQueue(settings);
  }
}

/** The known nexuses by nexusKey, and the target ports used so far. */
export class NexusTable implements UnitAttentionQueues, TargetPorts {
  readonly #states = new Map<string, NexusState>();
  /** By key of the initiator port: the target ports that it is known to have used. They stay after a logout. */
  readonly #reach = new Map<string, readonly number[]>();
  readonly #targetPorts = new Set<number>();

  constructor(private readonly settings: UnitAttentionSettings) {}

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
    const state = new NexusState(nexus, key, this.settings, account);
    account?.ledger.change(account.owner, nexusHoldings(nexus.initiator));
    this.#states.set(key, state);
    this.noteReach(nexus);
    return state;
  }

  /**
   * Records that the initiator port uses that target port, although the nexus is not known yet: it has a registration that survived a power
   * loss. Otherwise registrations made together with ALL_TG_PT would not be removed together.
   */
  noteReach({ initiator, targetPort }: Nexus): void {
    this.#targetPorts.add(targetPort);
    const ports = this.#reach.get(initiator.key) ?? [];
    if (!ports.includes(targetPort)) this.#reach.set(initiator.key, [...ports, targetPort]);
  }

  /** Removes a nexus with its pending unit attentions. */
  leave(state: NexusState): void {
    if (!this.#states.delete(state.key)) return;
    state.account?.ledger.change(state.account.owner, negative(nexusHoldings(state.nexus.initiator)));
  }

  /** Forgets that the initiator port has used that target port; for a nexus that is neither known nor registered. */
  forgetReach({ initiator, targetPort }: Nexus): void {
    const ports = (this.#reach.get(initiator.key) ?? []).filter((port) => port !== targetPort);
    if (ports.length === 0) this.#reach.delete(initiator.key);
    else this.#reach.set(initiator.key, ports);
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
    return this.#targetPorts.has(targetPort);
  }

  /** The target ports that the initiator port has used: a simulated unit has no paths but those of its nodes. */
  reachedBy(initiator: TransportId): readonly number[] {
    return this.#reach.get(initiator.key) ?? [];
  }

  /** The initiator ports of all known nexuses. */
  *initiators(): Iterable<TransportId> {
    for (const { nexus } of this.#states.values()) yield nexus.initiator;
  }

  /** Every target port, lowest first. */
  targetPortIdentifiers(): readonly number[] {
    return [...this.#targetPorts].toSorted((a, b) => a - b);
  }
}

function checkTargetPort(targetPort: number): void {
  if (Number.isInteger(targetPort) && targetPort >= 1 && targetPort <= TARGET_PORT_MAX) return;
  throw new QomError("invalid-value", `target port ${targetPort} is not a relative target port identifier, 1 to ${TARGET_PORT_MAX}`, {
    context: { option: "targetPort", value: String(targetPort) },
  });
}
