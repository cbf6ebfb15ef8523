/** The I_T nexuses that a logical unit knows: who is logged in, and what each of them has not been told yet. */

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

/** A nexus that is there. */
export class NexusState {
  readonly attentions: UnitAttentionQueue;
  /** Logins minus logouts: 0 for a nexus that was seen in a command only. */
  logins = 0;

  constructor(
    readonly nexus: Nexus,
    /** {@link nexusKey} of `nexus`. */
    readonly key: string,
    settings: UnitAttentionSettings,
    /** Who answers for it. */
    readonly account: Account | null,
  ) {
    this.attentions = new UnitAttentionQueue(settings);
  }
}

/** The nexuses that are there, by nexusKey, and the target ports that were used. */
export class NexusTable implements UnitAttentionQueues, TargetPorts {
  readonly #states = new Map<string, NexusState>();
  /** By key of the initiator port: the target ports it has ever come through, as far as is known. A port stays one after a logout. */
  readonly #reach = new Map<string, readonly number[]>();
  readonly #targetPorts = new Set<number>();

  constructor(private readonly settings: UnitAttentionSettings) {}

  /**
   * The state of `nexus`; one that was not there appears.
   * @param account who answers for one that appears, null for nobody
   * @throws QomError `invalid-value` for a target port that no device has: what it registered could not be read back
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
   * Takes note that the initiator port comes through that target port, without being there: it is registered so by what survived power
   * loss. Else the registrations that ALL_TG_PT made together would not go together.
   */
  noteReach({ initiator, targetPort }: Nexus): void {
    this.#targetPorts.add(targetPort);
    const ports = this.#reach.get(initiator.key) ?? [];
    if (!ports.includes(targetPort)) this.#reach.set(initiator.key, [...ports, targetPort]);
  }

  /** The nexus is gone, and with it what it has not been told. */
  leave(state: NexusState): void {
    if (!this.#states.delete(state.key)) return;
    state.account?.ledger.change(state.account.owner, negative(nexusHoldings(state.nexus.initiator)));
  }

  /** Forgets that the initiator port came through that target port, for who is not there and not registered. */
  forgetReach({ initiator, targetPort }: Nexus): void {
    const ports = (this.#reach.get(initiator.key) ?? []).filter((port) => port !== targetPort);
    if (ports.length === 0) this.#reach.delete(initiator.key);
    else this.#reach.set(initiator.key, ports);
  }

  /** The state of `nexus`, or undefined when it is not there. */
  find(nexus: Nexus): NexusState | undefined {
    return this.#states.get(nexusKey(nexus));
  }

  /** All that are there. */
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

  /** Those that the initiator port has come through: nodes of a simulated unit are paths, and there is none that no node made. */
  reachedBy(initiator: TransportId): readonly number[] {
    return this.#reach.get(initiator.key) ?? [];
  }

  /** Those of the nexuses that are there. */
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
