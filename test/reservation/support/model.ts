/**
 * The rules of PERSISTENT RESERVE OUT a second time, as plainly as possible: lists that are searched from end to end, nexuses by name,
 * no bytes. What property tests compare the state machine with.
 */

/** A command in the words of the standard. */
export interface ModelCommand {
  /** Sender: host and target port. */
  readonly nexus: string;
  readonly action: "REG" | "RSV" | "REL" | "CLR" | "PRE" | "P&A" | "RAI" | "MOVE";
  readonly rk: number;
  readonly sark: number;
  readonly type: number;
  readonly scope: number;
  readonly aptpl: boolean;
  readonly allTargetPorts: boolean;
  /** Hosts of SPEC_I_PT = 1; null for 0. */
  readonly hosts: readonly string[] | null;
  readonly destination: string;
  readonly unregister: boolean;
}

/** Answer, and who is told what. */
export interface ModelOutcome {
  readonly status: string;
  /** `nexus:ASC/ASCQ`, sorted. */
  readonly told: readonly string[];
}

/** All registrations, in order. */
export interface ModelRegistration {
  readonly nexus: string;
  readonly key: number;
}

const RC: ModelOutcome = { status: "RC", told: [] };
const PORTS: readonly string[] = ["1", "2"];
const VALID_TYPES: readonly number[] = [1, 3, 5, 6, 7, 8];
const REGISTRANTS_TYPES: readonly number[] = [5, 6, 7, 8];
const ALL_REGISTRANTS_TYPES: readonly number[] = [7, 8];

function check(status: string): ModelOutcome {
  return { status, told: [] };
}

function tell(nexuses: readonly string[], code: string): readonly string[] {
  return nexuses.map((nexus) => `${nexus}:${code}`);
}

function hostOf(nexus: string): string {
  return nexus.slice(0, 1);
}

/** One logical unit. */
export class Model {
  registrations: readonly ModelRegistration[] = [];
  reservation: { readonly type: number; readonly holder: string } | null = null;
  generation = 0;
  aptpl = false;

  keyOf(nexus: string): number | undefined {
    return this.registrations.find((registration) => registration.nexus === nexus)?.key;
  }

  isHolder(nexus: string): boolean {
    if (this.reservation === null || this.keyOf(nexus) === undefined) return false;
    return this.#isAllRegistrants() || this.reservation.holder === nexus;
  }

  /** READ and WRITE, for the invariants. */
  mayAccess(nexus: string, write: boolean): boolean {
    if (this.reservation === null || this.isHolder(nexus)) return true;
    const { type } = this.reservation;
    if (REGISTRANTS_TYPES.includes(type) && this.keyOf(nexus) !== undefined) return true;
    return !write && [1, 5, 7].includes(type);
  }

  apply(command: ModelCommand): ModelOutcome {
    const key = this.keyOf(command.nexus);
    const blocked = this.reservation !== null && key === undefined && command.action !== "REG" && command.action !== "RAI";
    const exclusive = this.reservation !== null && [1, 3].includes(this.reservation.type) && !this.isHolder(command.nexus);
    if (blocked || (exclusive && ["RSV", "MOVE"].includes(command.action))) return RC;
    if (command.hosts !== null && command.action !== "REG" && command.action !== "MOVE") return check("26/00");
    if (command.action === "REG") return this.#register(command, key);
    if (command.action === "RAI") return this.#ignoreKey(command, key);
    if (key !== command.rk) return RC;
    switch (command.action) {
      case "RSV":
        return this.#reserve(command);
      case "REL":
        return this.#release(command);
      case "CLR":
        return this.#clear(command);
      case "MOVE":
        return this.#move(command);
      default:
        return this.#preempt(command);
    }
  }

  #isAllRegistrants(): boolean {
    return this.reservation !== null && ALL_REGISTRANTS_TYPES.includes(this.reservation.type);
  }

  #others(nexus: string): readonly string[] {
    return this.registrations.map((registration) => registration.nexus).filter((other) => other !== nexus);
  }

  #set(nexus: string, key: number): void {
    const known = this.keyOf(nexus) !== undefined;
    this.registrations = known
      ? this.registrations.map((registration) => (registration.nexus === nexus ? { nexus, key } : registration))
      : [...this.registrations, { nexus, key }];
  }

  #remove(nexuses: readonly string[]): void {
    this.registrations = this.registrations.filter(({ nexus }) => !nexuses.includes(nexus));
    const holderGone = this.reservation !== null && !this.#isAllRegistrants() && nexuses.includes(this.reservation.holder);
    if (holderGone || this.registrations.length === 0) this.reservation = null;
  }

  #count(): void {
    this.generation = (this.generation + 1) % 2 ** 32;
  }

  #ports(command: ModelCommand, host: string): readonly string[] {
    const received = command.nexus.slice(1);
    return command.allTargetPorts ? [received, ...PORTS.filter((port) => port !== received)].map((port) => host + port) : [host + received];
  }

  #register(command: ModelCommand, key: number | undefined): ModelOutcome {
    if (key === undefined) {
      if (command.rk !== 0) return RC;
      if (command.sark === 0) return check("GOOD");
    } else {
      if (command.rk !== key) return RC;
      if (command.hosts !== null) return check("26/00");
    }
    const own = this.#ports(command, hostOf(command.nexus));
    if (command.sark === 0)
      return this.#unregister(
        command,
        own.filter((nexus) => this.keyOf(nexus) === command.rk),
      );
    if (own.some((nexus) => this.keyOf(nexus) !== undefined && this.keyOf(nexus) !== command.rk)) return RC;
    const hosts = command.hosts ?? [];
    if (new Set([hostOf(command.nexus), ...hosts]).size !== hosts.length + 1) return check("26/00");
    const listed = hosts.flatMap((host) => this.#ports(command, host));
    if (listed.some((nexus) => this.keyOf(nexus) !== undefined)) return check("26/00");
    return this.#enter(command, [...own, ...listed]);
  }

  #ignoreKey(command: ModelCommand, key: number | undefined): ModelOutcome {
    const own = this.#ports(command, hostOf(command.nexus));
    if (command.sark !== 0) return this.#enter(command, own);
    if (key === undefined) return check("GOOD");
    return this.#unregister(
      command,
      own.filter((nexus) => this.keyOf(nexus) !== undefined),
    );
  }

  #enter(command: ModelCommand, nexuses: readonly string[]): ModelOutcome {
    for (const nexus of nexuses) this.#set(nexus, command.sark);
    this.aptpl = command.aptpl;
    this.#count();
    return check("GOOD");
  }

  #unregister(command: ModelCommand, nexuses: readonly string[]): ModelOutcome {
    const former = this.reservation;
    this.#remove(nexuses);
    this.aptpl = command.aptpl;
    this.#count();
    const released = former !== null && this.reservation === null && [5, 6].includes(former.type);
    return { status: "GOOD", told: released ? tell(this.#others(command.nexus), "2A/04") : [] };
  }

  #reserve(command: ModelCommand): ModelOutcome {
    if (command.scope !== 0 || !VALID_TYPES.includes(command.type)) return check("24/00");
    if (this.reservation !== null) return this.isHolder(command.nexus) && this.reservation.type === command.type ? check("GOOD") : RC;
    this.reservation = { type: command.type, holder: command.nexus };
    return check("GOOD");
  }

  #release(command: ModelCommand): ModelOutcome {
    const former = this.reservation;
    if (former === null || !this.isHolder(command.nexus)) return check("GOOD");
    if (command.scope !== 0 || command.type !== former.type) return check("26/04");
    this.reservation = null;
    return { status: "GOOD", told: REGISTRANTS_TYPES.includes(former.type) ? tell(this.#others(command.nexus), "2A/04") : [] };
  }

  #clear(command: ModelCommand): ModelOutcome {
    const told = tell(this.#others(command.nexus), "2A/03");
    this.#remove(this.registrations.map(({ nexus }) => nexus));
    this.#count();
    return { status: "GOOD", told };
  }

  #preempt(command: ModelCommand): ModelOutcome {
    const former = this.reservation;
    const takesAll = this.#isAllRegistrants() && command.sark === 0;
    if (command.sark === 0 && !takesAll) return check("26/00");
    const named = this.registrations.filter(({ key }) => takesAll || key === command.sark).map(({ nexus }) => nexus);
    if (named.length === 0) return RC;
    const ofHolder = former !== null && !this.#isAllRegistrants() && this.keyOf(former.holder) === command.sark;
    const others = named.filter((nexus) => nexus !== command.nexus);
    if (!takesAll && !ofHolder) {
      this.#remove(named);
      this.#count();
      return { status: "GOOD", told: tell(others, "2A/05") };
    }
    if (command.scope !== 0 || !VALID_TYPES.includes(command.type)) return check("24/00");
    this.reservation = { type: command.type, holder: command.nexus };
    this.#remove(others);
    this.#count();
    const retyped = former !== null && former.type !== command.type;
    return { status: "GOOD", told: [...tell(others, "2A/05"), ...(retyped ? tell(this.#others(command.nexus), "2A/04") : [])] };
  }

  #move(command: ModelCommand): ModelOutcome {
    if (command.sark === 0) return check("26/00");
    if (!PORTS.includes(command.destination.slice(1))) return check("26/00");
    if (hostOf(command.destination) === hostOf(command.nexus)) return check("26/00");
    if (this.reservation === null) return check("24/00");
    if (this.#isAllRegistrants() || this.reservation.holder !== command.nexus) return RC;
    this.#set(command.destination, command.sark);
    this.reservation = { type: this.reservation.type, holder: command.destination };
    if (command.unregister) this.#remove([command.nexus]);
    this.aptpl = command.aptpl;
    this.#count();
    return check("GOOD");
  }
}
