/**
 * A random stream of PERSISTENT RESERVE OUT commands, the same for the process that executes it and the one that checks what is left of
 * it: the seed says everything.
 */
import type { ReserveOutAction } from "#src/scsi/persistent-reserve.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ScsiCommand } from "#src/scsi/command.js";
import { TransportId } from "#src/scsi/transport-id.js";
import type { ModelCommand } from "../../reservation/support/model.js";
import { randomNumbers } from "../../support/random.js";

/** Name of the unit that is sent the stream. */
export const WWN = "naa.5000000000000001";

const HOSTS = ["A", "B", "C"] as const;

/** The nexuses as the model calls them: host and target port. */
export const NEXUSES: readonly string[] = HOSTS.flatMap((host) => [`${host}1`, `${host}2`]);

const ACTIONS: Readonly<Record<ModelCommand["action"], ReserveOutAction>> = {
  REG: "register",
  RSV: "reserve",
  REL: "release",
  CLR: "clear",
  PRE: "preempt",
  "P&A": "preempt-and-abort",
  RAI: "register-and-ignore-existing-key",
  MOVE: "register-and-move",
};

/** Frequent ones more than once. */
const DEALT_ACTIONS = ["REG", "REG", "REG", "RAI", "RSV", "RSV", "REL", "CLR", "PRE", "PRE", "P&A", "MOVE"] as const;

/** Makes the next command; `keyOf` gives the key that a nexus has now, since most commands should have the right one. */
export type Stream = (keyOf: (nexus: string) => number | undefined) => ModelCommand;

/** The stream of that seed. */
export function reservationStream(seed: number): Stream {
  const random = randomNumbers(seed);
  const chance = (probability: number): boolean => random() < probability;
  const pick = <T>(first: T, ...others: readonly T[]): T => [first, ...others][Math.floor(random() * (others.length + 1))] ?? first;
  return (keyOf) => {
    const nexus = pick("A1", ...NEXUSES);
    const own = keyOf(nexus) ?? 0;
    return {
      nexus,
      action: pick(...DEALT_ACTIONS),
      rk: chance(0.9) ? own : pick(0, 1, 2, 3),
      sark: chance(0.8) ? pick(1, 2, 3) : 0,
      type: chance(0.95) ? pick(1, 3, 5, 6, 7, 8) : 2,
      scope: chance(0.97) ? 0 : 1,
      aptpl: chance(0.85),
      allTargetPorts: chance(0.15),
      hosts: chance(0.9) ? null : [pick(...HOSTS)],
      destination: pick("A1", ...NEXUSES),
      unregister: chance(0.5),
    };
  };
}

/** Initiator port of a host, by its name as text. */
export function initiatorName(host: string): string {
  return `iqn.2026-11.org.example:${host.toLowerCase()}`;
}

/** The nexus that the model calls so. */
export function nexusOf(name: string): Nexus {
  return { initiator: TransportId.parse(initiatorName(name.slice(0, 1))), targetPort: Number(name.slice(1)) };
}

/** The command in bytes. */
export function toScsi(command: ModelCommand): ScsiCommand {
  const destination = nexusOf(command.destination);
  return PersistentReserveOut.encode({
    action: ACTIONS[command.action],
    key: BigInt(command.rk),
    serviceActionKey: BigInt(command.sark),
    type: command.type,
    scope: command.scope,
    aptpl: command.aptpl,
    ...(command.action === "MOVE"
      ? { transportIds: [destination.initiator], relativeTargetPort: destination.targetPort, unregister: command.unregister }
      : {
          allTargetPorts: command.allTargetPorts,
          ...(command.hosts === null ? {} : { transportIds: command.hosts.map((host) => nexusOf(`${host}1`).initiator) }),
        }),
  });
}
