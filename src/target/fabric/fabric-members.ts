/**
 * Machines that have initiators on a fabric. The default initiator of a path is derived from the names of the machine and the node
 * (scsi/default-initiator.ts), so two machines with the same name would be one initiator to every unit: each could do what the other
 * may, and neither could fence the other.
 */

/** A machine on a fabric. */
export interface FabricMember {
  readonly name: string;
  /** Called with a warning for the machine's user, one line. */
  readonly warn: (line: string) => void;
}

/** See the module text. */
export class FabricMembers {
  readonly #present = new Set<FabricMember>();
  /** Names of all members so far; an automatic name is never used again. */
  readonly #names = new Set<string>();
  #automatic = 0;

  /** The next of m0, m1, … that no member has had so far. */
  nextName(): string {
    for (;;) {
      const name = `m${this.#automatic}`;
      this.#automatic += 1;
      if (!this.#names.has(name)) return name;
    }
  }

  /** Adds a machine; it and the machines with the same name are warned. May be called again. */
  join(member: FabricMember): void {
    if (this.#present.has(member)) return;
    const { name } = member;
    const namesakes = [...this.#present].filter((other) => other.name === name);
    this.#present.add(member);
    this.#names.add(name);
    if (namesakes.length === 0) return;
    const line =
      `machine '${name}' and another machine '${name}' are on one fabric: their nodes of the same name are one initiator there ` +
      `(give each machine a -name of its own, or each disk an initiator)`;
    for (const each of [...namesakes, member]) each.warn(line);
  }

  /** Removes a machine; another one may then use its name. */
  leave(member: FabricMember): void {
    this.#present.delete(member);
  }
}
