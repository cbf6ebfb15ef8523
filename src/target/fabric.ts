/** The simulated storage network: logical units by name, for all the machines that are given it. */

import { emitWarning } from "node:process";
import {
  aBoolean,
  aFunction,
  anObject,
  aNumber,
  aString,
  check,
  checkMembers,
  having,
  instanceOf,
  optional,
  type Kind,
} from "../base/check.js";
import { systemClock } from "../base/clock.js";
import type { Clock } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { thoseThere } from "../options/nearest.js";
import { tellAll } from "../base/listeners.js";
import { runAll } from "../base/run-all.js";
import { completeBehaviour } from "./behaviour.js";
import type { TargetBehaviour } from "./behaviour.js";
import type { CommandTable } from "./command-table.js";
import { diskCommands, shadowCommands } from "./device-server.js";
import { DirectoryStore } from "./directory-store.js";
import { FabricMembers } from "./fabric-members.js";
import { FileMedium } from "./file-medium.js";
import { LogicalUnit } from "./logical-unit.js";
import { SERIAL_LENGTH_MAX } from "./limits.js";
import type { Medium } from "./medium.js";
import { MemoryMedium } from "./memory-medium.js";
import { memoryStore } from "./reservation-store.js";
import type { ReservationStore } from "./reservation-store.js";
import { canonicalFilename, checkAgreement, checkSize, checkSpec, DEFAULT_SIZE_BYTES, define, normalizeWwn } from "./unit-spec.js";
import type { UnitDefinition, UnitSpec } from "./unit-spec.js";

/** How a fabric is set up; everything has a default. */
export interface FabricOptions {
  /** Time of command deadlines. Default the real clock. */
  readonly clock?: Clock;
  /** What its units do where targets differ. Default: what the standard says, every feature on. */
  readonly behaviour?: Partial<TargetBehaviour>;
  /** Where reservations are kept. Default: in memory, so that power loss forgets them and APTPL is not supported. */
  readonly store?: ReservationStore;
}

/** How a fabric is opened whose reservations survive power loss. */
export interface DurableFabricOptions extends Omit<FabricOptions, "store"> {
  /** Folder of the reservations, made when it is missing; one process uses it at a time. */
  readonly stateDir: string;
}

/** How a unit is attached whose users come later, see {@link Fabric.attachPath}. */
export interface PathOptions {
  /** Whether its users may write. */
  readonly writes: boolean;
  /** Told, in one line, why the file is used without a lock. */
  readonly warn: (line: string) => void;
  /** Told of the unit if the call creates it, for who may have to {@link Fabric.discard} it. */
  readonly onCreate: (unit: LogicalUnit) => void;
}

/** What is done with a unit before anyone has it. */
interface Admission {
  readonly warn: (line: string) => void;
  readonly onCreate: ((unit: LogicalUnit) => void) | undefined;
  /** Refuses by an error. */
  readonly admit: (unit: LogicalUnit) => void;
}

/** Told that registrations or the reservation of a unit have changed: before the command that did it is answered. */
export type ReservationListener = (unit: LogicalUnit) => void;

const CLOCK = having("a Clock", { nowMs: aFunction, after: aFunction });
const STORE = having("a reservation store", { load: aFunction, commit: aFunction });

const SPEC: Readonly<Record<keyof UnitSpec, Kind>> = {
  wwn: aString,
  sizeBytes: optional(aNumber),
  filename: optional(aString),
  blockSizeBytes: optional(aNumber),
  physicalBlockSizeBytes: optional(aNumber),
  serial: optional(aString),
  writeProtected: optional(aBoolean),
  thinProvisioned: optional(aBoolean),
  locking: optional(aString),
  sharesWrites: optional(aBoolean),
};

/** Logical units and nothing global: two fabrics share nothing. */
export class Fabric {
  readonly #clock: Clock;
  readonly #behaviour: TargetBehaviour;
  readonly #store: ReservationStore;
  readonly #thinDiskCommands: CommandTable;
  readonly #fullDiskCommands: CommandTable;
  readonly #shadowCommands: CommandTable;
  readonly #units = new Map<string, LogicalUnit>();
  readonly #shadows = new Map<string, LogicalUnit>();
  /** Units whose medium is being opened, by name. */
  readonly #opening = new Map<string, Promise<LogicalUnit>>();
  /** Names of units by device and inode of their file. */
  readonly #files = new Map<string, string>();
  /** The store that goes with this fabric; one that it was given is the giver's. */
  #ownStore: DirectoryStore | null = null;
  readonly #members = new FabricMembers();
  readonly #reservationListeners = new Set<ReservationListener>();
  /** Warnings that were given for who attached a unit without a machine. */
  readonly #warnings = new Set<string>();
  #closing: Promise<void> | null = null;

  /** @throws QomError `invalid-value` for options of another kind */
  constructor(options: FabricOptions = {}) {
    checkMembers("new Fabric", "options", options, { clock: optional(CLOCK), behaviour: optional(anObject), store: optional(STORE) });
    this.#clock = options.clock ?? systemClock;
    this.#behaviour = completeBehaviour(options.behaviour ?? {});
    const { persistentReservations } = this.#behaviour;
    this.#thinDiskCommands = diskCommands(true, persistentReservations);
    this.#fullDiskCommands = diskCommands(false, persistentReservations);
    this.#shadowCommands = shadowCommands(persistentReservations);
    this.#store = options.store ?? memoryStore;
  }

  /**
   * A fabric whose units support APTPL: while it is on, what was answered GOOD is there again when the folder is opened the next time,
   * however this process ended. {@link close} lets go of the folder.
   *
   * @throws QomError `in-use` that names the process that has the folder, `io` when the system refuses, or what is wrong with a file in it
   */
  static async open(given: DurableFabricOptions): Promise<Fabric> {
    checkMembers("Fabric.open", "options", given, { stateDir: aString, clock: optional(CLOCK), behaviour: optional(anObject) });
    const { stateDir, ...options } = given;
    // before the folder is locked
    completeBehaviour(options.behaviour ?? {});
    const store = await DirectoryStore.open(stateDir);
    const fabric = new Fabric({ ...options, store });
    fabric.#ownStore = store;
    return fabric;
  }

  /** All units with a medium, in order of creation. */
  get units(): readonly LogicalUnit[] {
    return [...this.#units.values()];
  }

  /** Units that stand for real disks or files, in order of first use; see {@link shadow}. */
  get shadows(): readonly LogicalUnit[] {
    return [...this.#shadows.values()];
  }

  /**
   * The unit of that name; also when the fabric is closed, as what its reservations were can still be read.
   * @throws QomError `not-found`, which names those that are there
   */
  unit(wwn: string): LogicalUnit {
    check("Fabric.unit", "wwn", wwn, aString);
    const unit = this.#units.get(wwn.toLowerCase());
    if (unit !== undefined) return unit;
    throw noLogicalUnit(wwn, this.units);
  }

  /**
   * The unit that `spec` describes; it is created when nobody has attached it before. Until the fabric is closed the medium's file is kept
   * from other processes and fabrics, unless `spec` shares it.
   * @throws QomError `invalid-value` for a member that is wrong by itself, `conflict` for one that contradicts the unit or its file,
   *   `in-use` for the file of another unit, process or fabric, `unsupported` for locks that there are not, `io` for a file that cannot be
   *   opened, `closed`
   * @param onCreate told of the unit if this call creates it, for who may have to {@link discard} it
   */
  async attach(spec: UnitSpec, onCreate?: (unit: LogicalUnit) => void): Promise<LogicalUnit> {
    checkMembers("Fabric.attach", "spec", spec, SPEC);
    check("Fabric.attach", "onCreate", onCreate, optional(aFunction));
    const access = { writes: true, sharesWrites: spec.sharesWrites === true };
    return this.#attach(spec, { onCreate, warn: (line) => this.#warn(line), admit: (unit) => void unit.claimMedium(access) });
  }

  /**
   * The same for who has no use for the medium until {@link LogicalUnit.claimMedium} is called: the file is refused while others let nobody
   * write it, and not kept from anybody. `spec.sharesWrites` does not count.
   */
  attachPath(spec: UnitSpec, options: PathOptions): Promise<LogicalUnit> {
    checkMembers("Fabric.attachPath", "spec", spec, SPEC);
    checkMembers("Fabric.attachPath", "options", options, { writes: aBoolean, warn: aFunction, onCreate: aFunction });
    const { writes, warn, onCreate } = options;
    return this.#attach(spec, { onCreate, warn, admit: (unit) => unit.checkMedium({ writes, sharesWrites: true }) });
  }

  async #attach(spec: UnitSpec, admission: Admission): Promise<LogicalUnit> {
    const wwn = normalizeWwn(spec.wwn);
    checkSpec(spec);
    for (let opening = this.#opening.get(wwn); opening !== undefined; opening = this.#opening.get(wwn)) {
      // whoever opens it hears of a failure
      await opening.catch(() => {});
    }
    this.#checkOpen();
    const unit = this.#units.get(wwn);
    if (unit !== undefined) {
      checkAgreement(unit.definition, spec, spec.filename === undefined ? null : await canonicalFilename(spec.filename));
      admission.admit(unit);
      return unit;
    }
    const created = this.#create(spec, admission).finally(() => this.#opening.delete(wwn));
    this.#opening.set(wwn, created);
    admission.onCreate?.(await created);
    return created;
  }

  /** Takes a unit back whose creation was part of something that failed, unless somebody else uses it by now. */
  async discard(unit: LogicalUnit): Promise<void> {
    check("Fabric.discard", "unit", unit, instanceOf(LogicalUnit, "a LogicalUnit"));
    if (unit.hasNexuses || this.#units.get(unit.wwn) !== unit) return;
    this.#units.delete(unit.wwn);
    this.#releaseFile(unit.wwn);
    await unit.close();
  }

  /**
   * The unit that stands for a real disk or file: it has reservations and no medium, and executes TEST UNIT READY, REQUEST SENSE,
   * INQUIRY, REPORT LUNS and the two PERSISTENT RESERVE commands. `identity` is any text that tells the disk from all others.
   */
  shadow(identity: string): LogicalUnit {
    check("Fabric.shadow", "identity", identity, aString);
    this.#checkOpen();
    const known = this.#shadows.get(identity);
    if (known !== undefined) return known;
    const definition: UnitDefinition = {
      wwn: identity,
      sizeBytes: 0,
      filename: null,
      blockSizeBytes: 512,
      physicalBlockSizeBytes: 512,
      serial: identity.slice(0, SERIAL_LENGTH_MAX),
      writeProtected: false,
      thinProvisioned: false,
    };
    const unit = new LogicalUnit({
      definition,
      medium: new MemoryMedium(0),
      commands: this.#shadowCommands,
      behaviour: this.#behaviour,
      store: this.#store,
      storeName: `shadow ${identity}`,
      clock: this.#clock,
      reservationsChanged: this.#reservationsChanged,
    });
    this.#shadows.set(identity, unit);
    return unit;
  }

  /** Calls `listener` whenever reservations of a unit have changed; the returned function ends that. */
  onReservationChange(listener: ReservationListener): () => void {
    check("Fabric.onReservationChange", "listener", listener, aFunction);
    this.#reservationListeners.add(listener);
    return () => {
      this.#reservationListeners.delete(listener);
    };
  }

  /** The machines that have initiators on this fabric. */
  get members(): FabricMembers {
    return this.#members;
  }

  /** Switches every unit off and on, as a power failure does. */
  async powerCycle(): Promise<void> {
    this.#checkOpen();
    await Promise.all([...this.#units.values(), ...this.#shadows.values()].map((unit) => unit.powerCycle()));
  }

  /** Aborts what is in flight and closes all media, and the folder of reservations. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  readonly #reservationsChanged = (unit: LogicalUnit): void => {
    tellAll(this.#reservationListeners, unit);
  };

  async #close(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    const units = [...this.#units.values(), ...this.#shadows.values()];
    await runAll([...units.map((unit) => () => unit.close()), () => this.#ownStore?.close()]);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new QomError("closed", "the fabric is closed");
  }

  async #create(spec: UnitSpec, { warn, admit }: Admission): Promise<LogicalUnit> {
    const { definition, medium } = await this.#openMedium(spec, warn);
    if (this.#closing !== null) {
      await medium.close();
      this.#checkOpen();
    }
    try {
      const unit = this.#add(definition, medium);
      admit(unit);
      return unit;
    } catch (error) {
      this.#units.delete(definition.wwn);
      this.#releaseFile(definition.wwn);
      await medium.close();
      throw error;
    }
  }

  /** @throws what the store does when it cannot tell the unit's reservations */
  #add(definition: UnitDefinition, medium: Medium): LogicalUnit {
    const unit = new LogicalUnit({
      definition,
      medium,
      commands: definition.thinProvisioned ? this.#thinDiskCommands : this.#fullDiskCommands,
      behaviour: this.#behaviour,
      store: this.#store,
      storeName: definition.wwn,
      clock: this.#clock,
      reservationsChanged: this.#reservationsChanged,
    });
    this.#units.set(definition.wwn, unit);
    return unit;
  }

  async #openMedium(spec: UnitSpec, warn: PathOptions["warn"]): Promise<{ readonly definition: UnitDefinition; readonly medium: Medium }> {
    const newSizeBytes = spec.sizeBytes ?? DEFAULT_SIZE_BYTES;
    if (spec.filename === undefined) {
      return { definition: define(spec, newSizeBytes, null), medium: new MemoryMedium(newSizeBytes) };
    }
    const medium = await FileMedium.open(spec.filename, newSizeBytes);
    try {
      const filename = await canonicalFilename(spec.filename);
      const definition = define(spec, medium.sizeBytes, filename);
      checkSize(spec, medium.sizeBytes, definition.blockSizeBytes);
      checkAgreement(definition, spec, filename);
      this.#claimFile(medium, definition.wwn, filename);
      medium.useLocks(filename, spec.locking ?? "auto", warn);
      return { definition, medium };
    } catch (error) {
      this.#releaseFile(normalizeWwn(spec.wwn));
      await medium.close();
      throw error;
    }
  }

  #warn(line: string): void {
    if (this.#warnings.has(line)) return;
    this.#warnings.add(line);
    emitWarning(line);
  }

  /** Two units in one file would write over each other. */
  #claimFile({ identity }: FileMedium, wwn: string, filename: string): void {
    const file = `${identity.device}:${identity.inode}`;
    const owner = this.#files.get(file);
    if (owner !== undefined) {
      throw new QomError("in-use", `"${printable(filename)}" is the medium of ${owner} and cannot be that of ${wwn} too`, {
        context: { option: "filename", value: printable(filename), object: wwn },
      });
    }
    this.#files.set(file, wwn);
  }

  #releaseFile(wwn: string): void {
    for (const [file, owner] of this.#files) if (owner === wwn) this.#files.delete(file);
  }
}

/** The error for a logical unit that is not among `units`, which are. */
export function noLogicalUnit(name: string, units: readonly LogicalUnit[]): QomError {
  return new QomError("not-found", `no logical unit "${printable(name)}"`, {
    context: { option: "wwn", value: printable(name) },
    hint: thoseThere(
      name,
      units.map(({ wwn }) => wwn),
    ),
  });
}
