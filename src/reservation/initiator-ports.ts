/**
 * Which initiator ports the TransportIDs of a parameter list name (SPC-5 7.6.4, TransportID identifiers; 5.14.7, Registering).
 *
 * | TransportID | names |
 * |---|---|
 * | of an initiator port: with ISID, or of another transport than iSCSI | that port, known or not |
 * | an iSCSI name without ISID | every port of the name that the unit knows: logged in or registered, through whatever target port |
 */

import { allAtOnce, SLICE_ITEMS } from "../base/slices.js";
import type { Steps } from "../base/slices.js";
import type { Nexus } from "../scsi/nexus.js";
import type { TransportId } from "../scsi/transport-id.js";
import type { Outcome, Preparation } from "./effects.js";
import type { TargetPorts } from "./settings.js";
import type { ReservationState } from "./state.js";

/** Where initiator ports are known from. */
export interface KnownFrom {
  readonly state: ReservationState;
  /** Who sent the command. */
  readonly sender: Nexus;
  readonly targetPorts: TargetPorts;
}

/**
 * The ports that `ids` name, in their order. Takes time with the number of known ports, and only when there is a name without ISID.
 * @returns null when nobody has one of the names, or when a port is named twice
 */
export function namedPorts(ids: readonly TransportId[], from: KnownFrom): readonly TransportId[] | null {
  return allAtOnce(namedPortSteps(ids, from));
}

/** What `use` makes of the {@link namedPorts}, which are looked for in slices where that takes time. */
export function withNamedPorts(
  ids: readonly TransportId[],
  from: KnownFrom,
  use: (ports: readonly TransportId[] | null) => Outcome,
): Outcome | Preparation {
  return ids.every(({ namesPort }) => namesPort) ? use(ids) : prepare(namedPortSteps(ids, from), use);
}

function* prepare(steps: Steps<readonly TransportId[] | null>, use: (ports: readonly TransportId[] | null) => Outcome): Preparation {
  const ports = yield* steps;
  return () => use(ports);
}

function* namedPortSteps(ids: readonly TransportId[], from: KnownFrom): Steps<readonly TransportId[] | null> {
  const names = new Map<string, Map<string, TransportId>>();
  for (const id of ids) if (!id.namesPort) names.set(id.deviceKey, new Map());
  if (names.size === 0) return ids;
  let count = 0;
  for (const port of knownPorts(from)) {
    names.get(port.deviceKey)?.set(port.key, port);
    count += 1;
    if (count % SLICE_ITEMS === 0) yield;
  }
  const ports: TransportId[] = [];
  for (const id of ids) {
    const named = id.namesPort ? [id] : [...(names.get(id.deviceKey)?.values() ?? [])];
    if (named.length === 0) return null;
    ports.push(...named);
  }
  return new Set(ports.map(({ key }) => key)).size === ports.length ? ports : null;
}

/** The sender's port, those that are registered, those that are logged in; some more than once. */
function* knownPorts({ state, sender, targetPorts }: KnownFrom): Generator<TransportId> {
  yield sender.initiator;
  for (const { nexus } of state.registrations()) yield nexus.initiator;
  yield* targetPorts.initiators();
}
