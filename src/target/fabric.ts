/** The simulated storage network: logical units by name, for all the machines that are given it. */

import { systemClock } from "../base/clock.js";
import type { Clock } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { tellAll } from "../base/listeners.js";
import { runAll } from "../base/run-all.js";
import type { Account } from "../reservation/account.js";
import type { Nexus } from "../scsi/nexus.js";
import { defaultBehaviour } from "./behaviour.js";
import type { TargetBehaviour } from "./behaviour.js";
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
import { ShadowUnits } from "./shadow-units.js";
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

/** Told that registrations or the reservation of a unit have changed: before the command that did it is answered. */
export type ReservationListener = (unit: LogicalUnit) => void;

/** Logical units and nothing global: two fabrics share nothing. */
export class Fabric {
  readonly #clock: Clock;
  readonly #behaviour: TargetBehaviour;
  readonly #store: ReservationStore;
  readonly #thinDiskCommands = diskCommands(true);
  readonly #fullDiskCommands = diskCommands(false);
  readonly #shadowCommands = shadowCommands();
  readonly #units = new Map<string, LogicalUnit>();
  readonly #shadows = new ShadowUnits((identity, account) => this.#createShadow(identity, account));
  /** Units whose medium is being opened, by name. */
  readonly #opening = new Map<string, Promise<LogicalUnit>>();
  /** Names of units by device and inode of their file. */
  readonly #files = new Map<string, string>();
  /** The store that goes with this fabric; one that it was given is the giver's. */
  #ownStore: DirectoryStore | null = null;
  readonly #members = new FabricMembers();
  readonly #reservationListeners = new Set<ReservationListener>();
  #closing: Promise<void> | null = null;

  constructor(options: FabricOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#behaviour = { ...defaultBehaviour, ...options.behaviour };
    this.#store = options.store ?? memoryStore;
  }

  /**
   * A fabric whose units support APTPL: while it is on, what was answered GOOD is there again when the folder is opened the next time,
   * however this process ended. {@link close} lets go of the folder.
   *
   * @throws QomError `in-use` that names the process that has the folder, `io` when the system refuses, or what is wrong with a file in it
   */
  static async open({ stateDir, ...options }: DurableFabricOptions): Promise<Fabric> {
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
   * The unit of that name.
   * @throws QomError `not-found`
   */
  unit(wwn: string): LogicalUnit {
    const unit = this.#units.get(wwn.toLowerCase());
    if (unit !== undefined) return unit;
    throw new QomError("not-found", `no logical unit "${printable(wwn)}" on this fabric`, {
      context: { option: "wwn", value: printable(wwn) },
    });
  }

  /**
   * The unit that `spec` describes; it is created when nobody has attached it before.
   * @throws QomError `invalid-value` for a member that is wrong by itself, `conflict` for one that contradicts the unit or its file,
   *   `in-use` for the file of another unit, `io` for a file that cannot be opened, `closed`
   * @param onCreate told of the unit if this call creates it, for who may have to {@link discard} it
   */
  async attach(spec: UnitSpec, onCreate?: (unit: LogicalUnit) => void): Promise<LogicalUnit> {
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
      return unit;
    }
    const created = this.#create(spec).finally(() => this.#opening.delete(wwn));
    this.#opening.set(wwn, created);
    onCreate?.(await created);
    return created;
  }

  /** Takes a unit back whose creation was part of something that failed, unless somebody else uses it by now. */
  async discard(unit: LogicalUnit): Promise<void> {
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
    this.#checkOpen();
    return this.#shadows.get(identity);
  }

  /**
   * The same in the name of an owner, to whom the unit counts if it is new; null when there is no room for one more. Such units are
   * forgotten when nobody would miss them.
   */
  shadowFor(identity: string, account: Account): LogicalUnit | null {
    this.#checkOpen();
    return this.#shadows.getFor(identity, account);
  }

  /** Nothing comes from that nexus before it is there again: what shadow units know of it is forgotten, if nobody would miss it. */
  forgetNexus(nexus: Nexus): void {
    this.#shadows.forgetNexus(nexus);
  }

  #createShadow(identity: string, account: Account | null): LogicalUnit {
    const definition: UnitDefinition = {
      wwn: identity,
      sizeBytes: 0,
      filename: null,
      blockSizeBytes: 512,
      serial: identity.slice(0, SERIAL_LENGTH_MAX),
      writeProtected: false,
      thinProvisioned: false,
    };
    return new LogicalUnit({
      definition,
      medium: new MemoryMedium(0),
      commands: this.#shadowCommands,
      behaviour: this.#behaviour,
      store: this.#store,
      storeName: `shadow ${identity}`,
      clock: this.#clock,
      account,
      reservationsChanged: this.#reservationsChanged,
    });
  }

  /** Calls `listener` whenever reservations of a unit have changed; the returned function ends that. */
  onReservationChange(listener: ReservationListener): () => void {
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
    await Promise.all([...this.#units.values(), ...this.shadows].map((unit) => unit.powerCycle()));
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
    const units = [...this.#units.values(), ...this.shadows];
    await runAll([...units.map((unit) => () => unit.close()), () => this.#ownStore?.close()]);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new QomError("closed", "the fabric is closed");
  }

  async #create(spec: UnitSpec): Promise<LogicalUnit> {
    const { definition, medium } = await this.#openMedium(spec);
    if (this.#closing !== null) {
      await medium.close();
      this.#checkOpen();
    }
    try {
      return this.#add(definition, medium);
    } catch (error) {
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

  async #openMedium(spec: UnitSpec): Promise<{ readonly definition: UnitDefinition; readonly medium: Medium }> {
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
      return { definition, medium };
    } catch (error) {
      await medium.close();
      throw error;
    }
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
