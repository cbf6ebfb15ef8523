/** The PR manager that the text of `--manager` asks for, made of as little as it needs. */
import { HANDSHAKE_TIMEOUT_SECONDS_DEFAULT, HelperClient, TIMEOUT_SECONDS_DEFAULT } from "../../backends/helper-socket/client.js";
import type { Clock } from "../../base/clock.js";
import { parseOption } from "../../options/arguments.js";
import { printJson } from "../../options/json.js";
import { atOption } from "../../options/option-error.js";
import { reserveRefusal } from "../../scsi/command-problem.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiUnit } from "../../scsi/unit.js";
import { normalizeHostStatus } from "../../scsi/host-status.js";
import type { DiskManager, ManagerOptions, NamedManager } from "./manager.js";

/** The manager that a user who names none gets: this process itself sends the command. */
const MANAGER_DEFAULT = "pr-manager-sgio";

/** Id of a manager that is given without one. */
const MANAGER_ID = "manager";

/**
 * Makes the manager. The two that need nothing but their text are made of what does their work; all others of objects, as in a machine.
 * @throws FolderBusyError; QomError for what the options, or a connection, get wrong
 */
export async function openManager(options: ManagerOptions): Promise<DiskManager> {
  const { manager: given = MANAGER_DEFAULT, objects, name } = options;
  if (objects.length === 0 && name === undefined) {
    if (given === MANAGER_DEFAULT) return new SgIoManager();
    const path = helperPath(given);
    if (path !== undefined) return HelperManager.connect(path, managerWithId(given).text, options.clock);
  }
  const { ObjectManager } = await import("./object-manager.js");
  return ObjectManager.create(managerWithId(given), options);
}

/** The path in a text that asks for a helper and says no more; undefined for any other text. */
function helperPath(text: string): string | undefined {
  const [, path] = /^pr-manager-helper,path=([^,=\s]+)$/.exec(text) ?? [];
  return path;
}

/** The manager's text with an id, since a user of this program has no use for one. */
function managerWithId(text: string): NamedManager {
  const { values, form } = parseOption("object", text);
  const id = values.get("id");
  if (typeof id === "string") return { id, text };
  if (form === "text") return { id: MANAGER_ID, text: `${text},id=${MANAGER_ID}` };
  return { id: MANAGER_ID, text: printJson(new Map([...values, ["id", MANAGER_ID]])) };
}

/** `pr-manager-sgio`: the unit's own way. */
class SgIoManager implements DiskManager {
  readonly sendsItself = true;
  readonly warnings: readonly string[] = [];

  admit(): void {}

  async execute(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return reserveRefusal(command, unit.readOnly) ?? normalizeHostStatus(await unit.sgio(command));
  }

  notesAfter(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** `pr-manager-helper`: a connection to a helper. */
class HelperManager implements DiskManager {
  readonly sendsItself = false;
  readonly warnings: readonly string[] = [];
  readonly #client: HelperClient;

  private constructor(client: HelperClient) {
    this.#client = client;
  }

  /** @param text of -object, for an error */
  static async connect(path: string, text: string, clock: Clock): Promise<HelperManager> {
    const client = new HelperClient({
      clock,
      connectionsMax: 1,
      path: () => path,
      timeoutMs: () => TIMEOUT_SECONDS_DEFAULT * 1000,
      handshakeTimeoutMs: () => HANDSHAKE_TIMEOUT_SECONDS_DEFAULT * 1000,
      changed: () => undefined,
    });
    try {
      await client.start();
    } catch (error) {
      client.close();
      throw atOption("object", text, error);
    }
    return new HelperManager(client);
  }

  admit(): void {}

  async execute(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return reserveRefusal(command, unit.readOnly) ?? this.#client.execute(unit, command);
  }

  notesAfter(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}
