/** The simulated storage network: logical units by name, shared by all machines that are given it. */

import { aFunction, aString, check, instanceOf, optional } from "../../base/check.js";
import { systemClock } from "../../base/clock.js";
import type { Clock } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { thoseThere } from "../../options/nearest.js";
import { tellAll } from "../../base/listeners.js";
import { runAll } from "../../base/run-all.js";
import { Warnings } from "../../base/warnings.js";
import type { WarningListener } from "../../base/warnings.js";
import { anAccount } from "../../scsi/account.js";
import type { Account } from "../../scsi/account.js";
import { aNexus } from "../../scsi/nexus.js";
import type { Nexus } from "../../scsi/nexus.js";
import { completeBehaviour } from "../behaviour.js";
import type { TargetBehaviour } from "../behaviour.js";
import { checkDurableOptions, checkFabricOptions, checkPathOptions, checkSpecKinds } from "./fabric-options.js";
import type { DurableFabricOptions, FabricOptions, PathOptions, ReservationListener } from "./fabric-options.js";
import type { CommandTable } from "../unit/command-table.js";
import { diskCommands, shadowCommands } from "../commands/tables.js";
import { DirectoryStore } from "../../stores/folder/store.js";
import { FabricMembers } from "./fabric-members.js";
import { checkMediumAgreement, mediumOfDriver } from "./driver-medium.js";
import { MediumFiles } from "./medium-files.js";
import { FileMedium } from "../medium/file-medium.js";
import { LogicalUnit } from "../unit/logical-unit.js";
import { pastedWwn } from "../../scsi/pasted-names.js";
import { REFUSALS_TOLD_MAX, SERIAL_LENGTH_MAX } from "../limits.js";
import type { Medium } from "../medium/medium.js";
import { MemoryMedium } from "../medium/memory-medium.js";
import { memoryStore } from "../../stores/memory.js";
import type { ReservationStore } from "../../reservation/store.js";
import { formerShadowName, outlivesRestart, shadowUnitName } from "../../base/shadow-name.js";
import { ShadowUnits } from "./shadow-units.js";
import { canonicalFilename, checkAgreement, checkSize, checkSpec, DEFAULT_SIZE_BYTES, define, normalizeWwn } from "../unit/unit-spec.js";
import type { UnitDefinition, UnitSpec } from "../unit/unit-spec.js";

/** What happens to a unit before anything can use it. */
interface Admission {
  readonly warn: (line: string) => void;
  readonly onCreate: ((unit: LogicalUnit) => void) | undefined;
  /** See {@link PathOptions.medium}. */
  readonly medium?: Medium | undefined;
  /** Throws to refuse the unit. */
  readonly admit: (unit: LogicalUnit) => void;
}

/** A simulated storage network. Two fabrics share nothing. */
export class Fabric {
  readonly #clock: Clock;
  readonly #behaviour: TargetBehaviour;
  readonly #store: ReservationStore;
  readonly #thinDiskCommands: CommandTable;
  readonly #fullDiskCommands: CommandTable;
  readonly #shadowCommands: CommandTable;
  readonly #units = new Map<string, LogicalUnit>();
  readonly #shadows = new ShadowUnits(
    (identity, account) => this.#createShadow(identity, account),
    (identity) => {
      // what is shared is not this fabric's to forget
      if (this.#store.watch === undefined) this.#store.forget?.(shadowUnitName(identity));
    },
  );
  /** Units whose medium is being opened, by name. */
  readonly #opening = new Map<string, Promise<LogicalUnit>>();
  readonly #files = new MediumFiles();
  /** The store that is closed with this fabric; one from the options is closed by its owner. */
  #ownStore: DirectoryStore | null = null;
  /** Warnings of the store and of units. */
  readonly #warnings = new Warnings();
  readonly #endWarnings: () => void;
  readonly #members = new FabricMembers();
  readonly #reservationListeners = new Set<ReservationListener>();
  /** Units whose file {@link attach} has claimed, and whether others may write it. */
  readonly #claims = new WeakMap<LogicalUnit, boolean>();
  /** Warnings that were emitted for units attached without a machine. */
  readonly #emitted = new Set<string>();
  /** Shadow units that {@link #tellRefusal} has reported. */
  readonly #refusalsTold = new Set<string>();
  #closing: Promise<void> | null = null;

  /** @throws QomError `invalid-value` for options of the wrong kind */
  constructor(options: FabricOptions = {}) {
    checkFabricOptions("new Fabric", options);
    this.#clock = options.clock ?? systemClock;
    this.#behaviour = completeBehaviour(options.behaviour ?? {});
    const { persistentReservations } = this.#behaviour;
    this.#thinDiskCommands = diskCommands(true, persistentReservations);
    this.#fullDiskCommands = diskCommands(false, persistentReservations);
    this.#shadowCommands = shadowCommands(persistentReservations);
    this.#store = options.store ?? memoryStore;
    this.#endWarnings = this.#store.onWarning?.(this.#warnings.add) ?? ((): void => {});
  }

  /**
   * A fabric that keeps reservations in a folder: while APTPL is on, anything answered GOOD is still there the next time the folder is
   * opened, however this process ended. {@link close} releases the folder.
   *
   * @throws QomError `in-use`, which names the process that has the folder; `io` if the system refuses; or an error about a file in it
   */
  static async open(given: DurableFabricOptions): Promise<Fabric> {
    checkDurableOptions("Fabric.open", given);
    const { stateDir, use = "lasting", ...options } = given;
    // before the folder is locked
    completeBehaviour(options.behaviour ?? {});
    const store = await DirectoryStore.open(stateDir, { use });
    const fabric = new Fabric({ ...options, store });
    fabric.#ownStore = store;
    return fabric;
  }

  /** All units with a medium, in order of creation. */
  get units(): readonly LogicalUnit[] {
    return [...this.#units.values()];
  }

  /** Units that stand for real disks or files, in order of first use, see {@link shadow}. */
  get shadows(): readonly LogicalUnit[] {
    return [...this.#shadows.values()];
  }

  /**
   * The unit of that name. Also works on a closed fabric, so that its last reservations can be read.
   * @throws QomError `not-found`, which names the units that exist
   */
  unit(wwn: string): LogicalUnit {
    check("Fabric.unit", "wwn", wwn, aString);
    const unit = this.#units.get(pastedWwn(wwn));
    if (unit !== undefined) return unit;
    throw noLogicalUnit(wwn, this.units);
  }

  /**
   * The unit that `spec` describes, which is created if it does not exist. Until the fabric is closed, the medium's file is locked against
   * other processes and fabrics, unless `spec` shares it.
   * @throws QomError `invalid-value` for a member that is wrong by itself, `conflict` for one that contradicts the unit or its file,
   *   `in-use` for the file of another unit, process or fabric, `unsupported` if locks are required and not available, `io` for a file that
   *   cannot be opened, `closed`
   * @param onCreate called with the unit if this call creates it, so that the caller can {@link discard} it
   */
  async attach(spec: UnitSpec, onCreate?: (unit: LogicalUnit) => void): Promise<LogicalUnit> {
    checkSpecKinds("Fabric.attach", spec);
    check("Fabric.attach", "onCreate", onCreate, optional(aFunction));
    const sharesWrites = spec.sharesWrites === true;
    return this.#attach(spec, { onCreate, warn: (line) => this.#warn(line), admit: (unit) => this.#claim(unit, sharesWrites) });
  }

  /**
   * The same without locking the file, for a caller that will call {@link LogicalUnit.claimMedium} before it uses the medium. The file is
   * refused if the locks of others rule out such a use now. `spec.sharesWrites` is ignored.
   */
  async attachPath(spec: UnitSpec, options: PathOptions): Promise<LogicalUnit> {
    checkSpecKinds("Fabric.attachPath", spec);
    checkPathOptions("Fabric.attachPath", options);
    const { writes, warn, onCreate, medium } = options;
    try {
      return await this.#attach(spec, { onCreate, warn, medium, admit: (unit) => unit.checkMedium({ writes, sharesWrites: true }) });
    } catch (error) {
      if (medium !== undefined && !this.units.some((unit) => unit.isOn(medium))) await medium.close();
      throw error;
    }
  }

  async #attach(spec: UnitSpec, admission: Admission): Promise<LogicalUnit> {
    const wwn = normalizeWwn(spec.wwn);
    checkSpec(spec);
    for (let opening = this.#opening.get(wwn); opening !== undefined; opening = this.#opening.get(wwn)) {
      // the caller that opens it gets the error
      await opening.catch(() => {});
    }
    this.#checkOpen();
    const unit = this.#units.get(wwn);
    if (unit !== undefined) {
      const filename = spec.filename === undefined ? null : await canonicalFilename(spec.filename);
      // it was discarded meanwhile
      if (this.#units.get(wwn) !== unit) return this.#attach(spec, admission);
      checkAgreement(unit.definition, spec, filename);
      checkMediumAgreement(unit, admission.medium);
      admission.admit(unit);
      return unit;
    }
    const created = this.#create(spec, admission).finally(() => this.#opening.delete(wwn));
    this.#opening.set(wwn, created);
    admission.onCreate?.(await created);
    return created;
  }

  /** Removes a unit that was created for something that failed, unless somebody else uses it by now. */
  async discard(unit: LogicalUnit): Promise<void> {
    check("Fabric.discard", "unit", unit, instanceOf(LogicalUnit, "a LogicalUnit"));
    if (unit.hasNexuses || this.#units.get(unit.wwn) !== unit) return;
    this.#units.delete(unit.wwn);
    this.#files.release(unit.wwn);
    await unit.close();
  }

  /**
   * The unit that stands for a real disk or file: it has reservations and no medium, and executes TEST UNIT READY, REQUEST SENSE,
   * INQUIRY, REPORT LUNS and the two PERSISTENT RESERVE commands. `identity` is any text that is unique to the disk.
   */
  shadow(identity: string): LogicalUnit {
    check("Fabric.shadow", "identity", identity, aString);
    this.#checkOpen();
    return this.#shadows.get(identity);
  }

  /**
   * The same on behalf of an owner, whose account is charged for the unit if it is new; null if the account has no room for it. Such units
   * are removed once they hold nothing that would be missed.
   */
  shadowFor(identity: string, account: Account): LogicalUnit | null {
    check("Fabric.shadowFor", "identity", identity, aString);
    check("Fabric.shadowFor", "account", account, anAccount);
    this.#checkOpen();
    return this.#shadows.getFor(identity, account);
  }

  /** The nexus is gone for now: removes what shadow units keep for it, except what would be missed. */
  forgetNexus(nexus: Nexus): void {
    check("Fabric.forgetNexus", "nexus", nexus, aNexus);
    this.#shadows.forgetNexus(nexus);
  }

  #createShadow(identity: string, account: Account | null): LogicalUnit {
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
    const storeName = shadowUnitName(identity);
    const former = formerShadowName(identity);
    if (former !== null) this.#store.adopt?.(storeName, { unit: shadowUnitName(former.former), birthNs: former.birthNs });
    return new LogicalUnit({
      definition,
      medium: new MemoryMedium(0),
      commands: this.#shadowCommands,
      behaviour: this.#behaviour,
      store: this.#store,
      storeName,
      persistent: this.#behaviour.persistThroughPowerLoss && this.#store.durable !== false && outlivesRestart(identity),
      persistenceRefused: () => this.#tellRefusal(identity),
      shareable: outlivesRestart(identity),
      warn: this.#warnings.add,
      clock: this.#clock,
      account,
      reservationsChanged: this.#reservationsChanged,
    });
  }

  /** Calls `listener` whenever reservations of a unit have changed, until the returned function is called. */
  onReservationChange(listener: ReservationListener): () => void {
    check("Fabric.onReservationChange", "listener", listener, aFunction);
    this.#reservationListeners.add(listener);
    return () => {
      this.#reservationListeners.delete(listener);
    };
  }

  /**
   * Calls `listener` with each line that the user of the program should see, until the returned function is called. The first listener also
   * gets the lines from before.
   */
  onWarning(listener: WarningListener): () => void {
    check("Fabric.onWarning", "listener", listener, aFunction);
    return this.#warnings.listen(listener);
  }

  /** Machines that have initiators on this fabric. */
  get members(): FabricMembers {
    return this.#members;
  }

  /** Switches every unit off and on, as a power failure does. */
  async powerCycle(): Promise<void> {
    this.#checkOpen();
    await Promise.all([...this.#units.values(), ...this.shadows].map((unit) => unit.powerCycle()));
  }

  /** Aborts commands in flight, closes all media, and releases the folder of reservations. Idempotent. */
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
    await runAll([...units.map((unit) => () => unit.close()), () => this.#ownStore?.close(), this.#endWarnings]);
  }

  /** Warns that APTPL is refused for a shadow unit, once: a client can have it forgotten and made again as often as it likes. */
  #tellRefusal(identity: string): void {
    const told = this.#refusalsTold;
    if (!this.#behaviour.persistThroughPowerLoss || told.has(identity) || told.size >= REFUSALS_TOLD_MAX) return;
    told.add(identity);
    const reason = outlivesRestart(identity)
      ? "nothing keeps its reservations when this process ends (--object scsi-fabric,id=san0,state=DIR, and fabric=san0 of pr-manager-memory, would)"
      : "it says no name of its own, by which it could be recognised after a restart of this host";
    this.#warnings.add(`${printable(identity)}: APTPL is refused, since ${reason}`);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new QomError("closed", "the fabric is closed");
  }

  async #create(spec: UnitSpec, { warn, admit, medium: own }: Admission): Promise<LogicalUnit> {
    const { definition, medium } = own === undefined ? await this.#openMedium(spec, warn) : mediumOfDriver(spec, own, this.units);
    if (this.#closing !== null) {
      await medium.close();
      this.#checkOpen();
    }
    let unit: LogicalUnit | undefined;
    try {
      unit = this.#add(definition, medium);
      if (unit.opened !== null) await unit.opened;
      this.#checkOpen();
      admit(unit);
      return unit;
    } catch (error) {
      this.#units.delete(definition.wwn);
      this.#files.release(definition.wwn);
      await (unit ?? medium).close();
      throw error;
    }
  }

  /** @throws what the store throws if it cannot tell the unit's reservations */
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
      warn: this.#warnings.add,
    });
    this.#units.set(definition.wwn, unit);
    return unit;
  }

  async #openMedium(spec: UnitSpec, warn: PathOptions["warn"]): Promise<{ readonly definition: UnitDefinition; readonly medium: Medium }> {
    const newSizeBytes = spec.sizeBytes ?? DEFAULT_SIZE_BYTES;
    if (spec.filename === undefined) {
      return { definition: define(spec, newSizeBytes, null), medium: new MemoryMedium(newSizeBytes) };
    }
    const medium = await FileMedium.open(spec.filename, newSizeBytes, { shortWrites: this.#store.sharedByHosts === true });
    try {
      const filename = await canonicalFilename(spec.filename);
      const definition = define(spec, medium.sizeBytes, filename);
      checkSize(spec, medium.sizeBytes, definition.blockSizeBytes);
      checkAgreement(definition, spec, filename);
      this.#files.claim(medium, definition.wwn, filename);
      medium.useLocks(filename, spec.locking ?? "auto", warn);
      return { definition, medium };
    } catch (error) {
      this.#files.release(normalizeWwn(spec.wwn));
      await medium.close();
      throw error;
    }
  }

  /** Locks the file of a unit until the fabric closes; once, however often it is attached. */
  #claim(unit: LogicalUnit, sharesWrites: boolean): void {
    const shared = this.#claims.get(unit);
    if (shared === false || (shared === true && sharesWrites)) return;
    unit.claimMedium({ writes: true, sharesWrites });
    this.#claims.set(unit, sharesWrites);
  }

  #warn(line: string): void {
    if (this.#emitted.has(line)) return;
    this.#emitted.add(line);
    process.emitWarning(line);
  }
}

/** The error for a logical unit that is not among `units`, which are. */
export function noLogicalUnit(name: string, units: readonly LogicalUnit[]): QomError {
  return new QomError("not-found", `no logical unit '${printable(name)}'`, {
    context: { option: "wwn", value: printable(name) },
    hint: thoseThere(
      name,
      units.map(({ wwn }) => wwn),
    ),
  });
}
