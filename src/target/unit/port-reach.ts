/**
 * Through which target ports an initiator port comes, as far as a unit knows: what ALL_TG_PT = 1 stands for.
 *
 * | learnt from | kept |
 * |---|---|
 * | a nexus that is here, or was | until it is forgotten |
 * | a registration that was read, after power loss or from another fabric | until the next ones are read; for an initiator port that is here, or was, as the row above |
 *
 * A target port that was known once stays one: there are 65,535 at most.
 */

import { SLICE_ITEMS } from "../../base/slices.js";
import type { Steps } from "../../base/slices.js";
import type { Nexus } from "../../scsi/nexus.js";
import type { TransportId } from "../../scsi/transport-id.js";

/** Target ports by key of the initiator port. */
type Ports = Map<string, readonly number[]>;

const NONE: readonly number[] = Object.freeze([]);

/** See the module text. */
export class PortReach {
  readonly #seen: Ports = new Map();
  #read: Ports = new Map();
  readonly #targetPorts = new Set<number>();

  /** Every target port, by relative target port identifier. */
  get targetPorts(): ReadonlySet<number> {
    return this.#targetPorts;
  }

  /** Those of `initiator`; the ones that were read come first. */
  of(initiator: TransportId): readonly number[] {
    const seen = this.#seen.get(initiator.key);
    const read = this.#read.get(initiator.key);
    if (seen === undefined || read === undefined) return seen ?? read ?? NONE;
    return [...read, ...seen.filter((port) => !read.includes(port))];
  }

  /** A nexus is here. */
  see({ initiator, targetPort }: Nexus): void {
    this.#targetPorts.add(targetPort);
    add(this.#seen, initiator.key, targetPort);
  }

  /** Neither is the nexus here nor registered. */
  forget({ initiator, targetPort }: Nexus): void {
    remove(this.#seen, initiator.key, targetPort);
    remove(this.#read, initiator.key, targetPort);
  }

  /**
   * Takes note in slices of registrations that were read: without them, those that ALL_TG_PT made together would not go together. What it
   * gives puts them in force, in place of those that were read before.
   */
  *read(registrations: Iterable<{ readonly nexus: Nexus }>): Steps<() => void> {
    const read: Ports = new Map();
    let count = 0;
    for (const { nexus } of registrations) {
      this.#targetPorts.add(nexus.targetPort);
      add(read, nexus.initiator.key, nexus.targetPort);
      count += 1;
      if (count % SLICE_ITEMS === 0) yield;
    }
    for (const [initiator, ports] of this.#read) {
      if (this.#seen.has(initiator)) for (const port of ports) add(this.#seen, initiator, port);
      count += 1;
      if (count % SLICE_ITEMS === 0) yield;
    }
    return () => {
      this.#read = read;
    };
  }
}

function add(to: Ports, initiator: string, targetPort: number): void {
  const ports = to.get(initiator) ?? NONE;
  if (!ports.includes(targetPort)) to.set(initiator, [...ports, targetPort]);
}

function remove(from: Ports, initiator: string, targetPort: number): void {
  const ports = (from.get(initiator) ?? NONE).filter((port) => port !== targetPort);
  if (ports.length === 0) from.delete(initiator);
  else from.set(initiator, ports);
}
