/** What a machine may be given besides its arguments, and the kinds of it. */
import { aBoolean, aFunction, anObject, arrayOf, aSignal, aString, having, instanceOf, oneOf, optional } from "../base/check.js";
import type { ChardevSurroundings } from "../chardev/chardev.js";
import type { QmpCommand } from "../monitor/command.js";
import { QEMU_VERSIONS } from "../qemu/compat.js";
import type { QemuVersion } from "../qemu/compat.js";
import type { QomType } from "../qom/decorators.js";
import type { FolderUse } from "../stores/folder/holder.js";
import { Fabric } from "../target/fabric/fabric.js";
import type { DependencyContainer } from "./container.js";

/** What a machine may be given besides its arguments. */
export interface MachineOptions {
  /** Storage network to join; it stays open when the machine closes. By default the machine has one of its own. */
  readonly fabric?: Fabric;
  /** Further types, the embedder's own; superclasses that are not built in must be listed too. */
  readonly types?: readonly QomType[];
  /** Further QMP commands, made by `defineCommand` of `qom-pr/extend`; none may have the name of another. */
  readonly commands?: readonly QmpCommand[];
  /** What a monitor on `stdio` talks through. Default: this process's standard input and output. */
  readonly stdio?: ChardevSurroundings["stdio"];
  /** Told, in one line, what the user may want to know of monitors: that the machine waits for a client, or could not accept one. */
  readonly notify?: (line: string) => void;
  /** Told, in one line, of each warning that comes when the machine has been made; {@link Machine.warnings} has those from before too. */
  readonly warn?: (line: string) => void;
  /** False: monitors with `wait=on` do not wait for their client (default: they do). */
  readonly wait?: boolean;
  /**
   * Ends the waiting for monitors' clients, and the making of the machine when the option at hand is done: {@link Machine.create} rejects
   * with the signal's reason then.
   */
  readonly signal?: AbortSignal;
  /** Refuse what QEMU has and this library has not, which is otherwise left out with a warning (default: false). */
  readonly strict?: boolean;
  /** Whose answers the machine gives where versions of QEMU differ, see docs/qmp.md; `-compat qemu=VERSION` goes before (default: 11.1). */
  readonly compat?: QemuVersion;
  /** Container whose registrations go before the machine's own (a fake Clock, dependencies of the embedder's types). */
  readonly container?: DependencyContainer;
  /** How long state folders will be held: another process that wants one is told so. Default: lasting. */
  readonly folderUse?: FolderUse;
}

/** Kinds of the members of {@link MachineOptions}. */
export const MACHINE_OPTIONS = {
  fabric: optional(instanceOf(Fabric, "a Fabric")),
  types: optional(arrayOf(aFunction)),
  commands: optional(
    arrayOf(having("a command made by defineCommand", { name: aString, arguments: anObject, result: anObject, run: aFunction })),
  ),
  stdio: optional(
    having("an object of streams, { input, output }", {
      input: having("a stream", { on: aFunction }),
      output: having("a stream", { write: aFunction }),
    }),
  ),
  notify: optional(aFunction),
  warn: optional(aFunction),
  wait: optional(aBoolean),
  strict: optional(aBoolean),
  compat: optional(oneOf(QEMU_VERSIONS)),
  signal: optional(aSignal),
  folderUse: optional(oneOf(["moment", "lasting"])),
  container: optional(having("a container of tsyringe", { createChildContainer: aFunction })),
} as const;
