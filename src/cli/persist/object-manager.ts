/** A manager that is an object among others, for `persist`: one that keeps reservations itself, or has properties of its own. */
import { PrManagerMemory } from "../../backends/memory.js";
import { PrManagerSgio } from "../../backends/sgio.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { ObjectSpace } from "../../machine/object-space.js";
import { PrManager } from "../../pr-manager/pr-manager.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiUnit } from "../../scsi/unit.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import { withFolder } from "./folder-wait.js";
import type { DiskManager, ManagerOptions, NamedManager } from "./manager.js";

/** READ KEYS without keys. */
const KEYS_HEADER_LENGTH = 8;

const CAPABILITIES_LENGTH = 8;

/** See the module text. */
export class ObjectManager implements DiskManager {
  readonly #space: ObjectSpace;
  readonly #manager: PrManager;

  private constructor(space: ObjectSpace, manager: PrManager) {
    this.#space = space;
    this.#manager = manager;
  }

  /**
   * Makes the objects and the manager; waits for their state folder.
   * @throws FolderBusyError; QomError for what the options get wrong
   */
  static async create({ id, text }: NamedManager, { name, objects, clock, folderWaitMs }: ManagerOptions): Promise<ObjectManager> {
    const space = await withFolder(clock, folderWaitMs, () =>
      ObjectSpace.create({ objects: [...objects, text], name, folderUse: "moment" }),
    );
    const manager = space.object(id);
    if (manager instanceof PrManager) return new ObjectManager(space, manager);
    await space.close();
    throw new QomError("wrong-type", `--manager ${printable(text)}: '${manager.typeName}' is not a PR manager`);
  }

  get sendsItself(): boolean {
    return this.#manager instanceof PrManagerSgio;
  }

  get warnings(): readonly string[] {
    return this.#space.warnings;
  }

  admit(unit: ScsiUnit): void {
    this.#manager.admit(unit);
  }

  execute(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return this.#manager.execute(unit, command);
  }

  /** A folder has what was registered with APTPL, of everyone or, since the latest registration decides, of nobody. */
  async notesAfter(unit: ScsiUnit): Promise<readonly string[]> {
    const manager = this.#manager;
    if (!(manager instanceof PrManagerMemory)) return [];
    const { dataIn: keys } = await manager.execute(unit, PersistentReserveIn.readKeys(KEYS_HEADER_LENGTH));
    const { dataIn: capabilities } = await manager.execute(unit, PersistentReserveIn.reportCapabilities(CAPABILITIES_LENGTH));
    // A disk that does not say so now has done what it was told all the same.
    if (keys.length < KEYS_HEADER_LENGTH || capabilities.length < CAPABILITIES_LENGTH) return [];
    if (PersistentReserveIn.completeLength("read-keys", keys) === KEYS_HEADER_LENGTH) return [];
    if (PersistentReserveIn.parse("report-capabilities", capabilities).persistThroughPowerLossActive) return [];
    const { state, store } = manager.fabric ?? {};
    const where = state === undefined && store === undefined ? "keep them in a folder ('--object scsi-fabric,id=…,state=…') and " : "";
    return [
      `all registrations and reservations of this disk are forgotten now: to keep them for the next run, ${where}register with '-Z' (APTPL)`,
    ];
  }

  close(): Promise<void> {
    return this.#space.close();
  }
}
