/** What a command line comes to: what is to be made, and what is left out. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import type { Steps } from "../base/slices.js";
import type { ChardevUser } from "../monitor/monitors.js";
import { atOption } from "../options/option-error.js";
import type { MachineCompat } from "../qemu/compat.js";
import { parsingArguments } from "./arguments.js";
import type { GivenOption } from "./arguments.js";
import { isMonitorObject } from "./build.js";
import { machineCompat } from "./compat.js";
import { selectAll, selectingOurs } from "./left-out.js";
import type { Selection } from "./left-out.js";
import type { MachineOptions } from "./machine-options.js";
import { monitoringOf } from "./monitoring.js";
import type { Monitoring } from "./monitoring.js";
import { typeRegistries } from "./types.js";
import type { TypeRegistries } from "./types.js";

/** A command line of which all that is to be made is known. */
export interface MachineArguments extends Pick<Selection, "options" | "foreignBuses">, Monitoring {
  readonly name: string | undefined;
  readonly stopped: boolean;
  readonly registries: TypeRegistries;
  readonly compat: MachineCompat;
  /** Something was left out: the line was made for QEMU. */
  readonly borrowed: boolean;
  readonly warnings: readonly string[];
}

/** What is to be made, as work that can be interrupted between two options. @throws QomError as Machine.create */
export function* readingArguments(argv: readonly string[], given: MachineOptions): Steps<MachineArguments> {
  const { types = [], strict = false, compat } = given;
  const line = yield* parsingArguments(argv, strict);
  const asking = line.options.find(({ parsed }) => parsed.help);
  if (asking !== undefined) {
    throw new QomError("syntax", `-${asking.argument} ${printable(asking.text)} asks for help and does not describe a machine`, {
      context: { argument: asking.argument, text: asking.text },
      hint: "Machine.help gives it",
    });
  }
  const followed = machineCompat(line, compat);
  const registries = typeRegistries(types, followed.version);
  const { options, monitoring, foreignBuses, warning } = strict ? selectAll(line) : yield* selectingOurs(line, registries);
  const spellings = options.flatMap(({ argument, text, parsed }) =>
    parsed.warnings.map((message) => `-${argument} ${printable(text)}: ${message}`),
  );
  const warnings = [...line.warnings, ...(warning === null ? [] : [warning]), ...spellings];
  return {
    name: line.name,
    stopped: line.stopped,
    registries,
    compat: followed,
    options,
    foreignBuses,
    warnings,
    ...monitoringOf(monitoring, chardevUsers(options)),
    borrowed: warning !== null,
  };
}

/** The monitors that are objects. */
function chardevUsers(options: readonly GivenOption[]): readonly ChardevUser[] {
  return options.filter(isMonitorObject).flatMap(({ argument, text, parsed }) => {
    const chardev = parsed.values.get("chardev");
    return typeof chardev === "string" ? [{ chardev, blame: (error) => atOption(argument, text, error) }] : [];
  });
}
