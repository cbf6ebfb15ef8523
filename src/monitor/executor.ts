/** The commands of QMP, for sockets, the human monitor and the embedder. */
import { aFunction, anObject, aString, check, wrongValue } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { tellAll } from "../base/listeners.js";
import { inSlices } from "../base/slices.js";
import { didYouMean } from "../options/nearest.js";
import { isPlainList } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import type { QemuAnswers } from "../qemu/compat.js";
import { checkArguments } from "./command.js";
import type { QmpCommand } from "./command.js";
import { capabilitiesArguments } from "./commands/general.js";
import type { EventListener } from "./events.js";
import type { MonitorHost } from "./host.js";
import { fromPlain, isLong, LIST_SLICE_LENGTH, listFromPlain, toPlain } from "./values.js";
import type { QmpArguments, QmpValue } from "./values.js";

/** The answer to a command, and what is to be called once it is on its way, which does not throw. */
export interface CommandOutcome {
  readonly value: PlainValue;
  readonly afterReply: () => void;
}

/** See the file text. */
export class QmpExecutor {
  readonly #commands: ReadonlyMap<string, QmpCommand>;
  readonly #host: MonitorHost;

  constructor(commands: readonly QmpCommand[], host: MonitorHost) {
    this.#commands = new Map(commands.map((command) => [command.name, command]));
    this.#host = host;
  }

  /** What the QEMU that is followed answers where versions differ. */
  get answers(): QemuAnswers {
    return this.#host.answers;
  }

  /** All commands, sorted by name. */
  get commands(): readonly QmpCommand[] {
    return [...this.#commands.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Runs a command as if it had come over a QMP socket.
   * @returns what the answer's `return` is, as JavaScript values
   * @throws QomError whose `qmpClass` and message are those of the answer's `error`
   */
  async execute(command: string, args: QmpArguments = {}): Promise<QmpValue> {
    check("QmpExecutor.execute", "command", command, aString);
    check("QmpExecutor.execute", "args", args, anObject);
    const plain = plainArguments(args);
    if (!(plain instanceof Map)) throw new QomError("invalid-value", `the arguments of '${printable(command)}' are not an object`);
    const { value, afterReply } = await this.run(command, plain);
    setImmediate(afterReply);
    return isLong(value) && isPlainList(value) ? inSlices(listFromPlain(value), LIST_SLICE_LENGTH) : fromPlain(value);
  }

  /** Calls `listener` for every event of the machine from now on; the returned function ends that. */
  onEvent(listener: EventListener): () => void {
    check("QmpExecutor.onEvent", "listener", listener, aFunction);
    return this.#host.events.subscribe(listener);
  }

  /** qmp_capabilities of a session that has not had it. @throws QomError for wrong arguments */
  negotiate(given: OptionMap): CommandOutcome {
    const { enable = [] } = checkArguments(capabilitiesArguments(), given);
    const [refused] = enable;
    if (refused !== undefined)
      throw new QomError("unsupported", `capability '${refused}' is not available`, { context: { value: refused } });
    return { value: new Map(), afterReply: () => undefined };
  }

  /**
   * As {@link execute}, for monitors: in values of the JSON reader.
   * @param monitor id of the monitor that the command comes through
   * @throws QomError as {@link execute} does
   */
  async run(name: string, given: OptionMap, monitor: string | null = null): Promise<CommandOutcome> {
    const command = this.#commands.get(name);
    if (command === undefined) throw this.#unknown(name);
    this.#host.tree.requireOpen();
    const actions: (() => void)[] = [];
    const value = await command.run(given, { host: this.#host, monitor, afterReply: (action) => void actions.push(action) });
    return { value, afterReply: () => tellAll(actions) };
  }

  #unknown(name: string): QomError {
    const hint = didYouMean(name, this.#commands.keys());
    return new QomError("unknown-name", `the command '${printable(name)}' has not been found`, {
      context: { value: printable(name) },
      qmpClass: "CommandNotFound",
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The arguments as a plain value. @throws QomError, also where a getter or a Proxy throws something */
function plainArguments(args: QmpArguments): PlainValue {
  try {
    return toPlain(args);
  } catch (error) {
    throw error instanceof QomError ? error : wrongValue("QmpExecutor.execute", "args", args, "an object whose members can be read");
  }
}
