/** What a command line comes to: what is to be made, and what is left out. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import type { ChardevUser } from "../monitor/monitors.js";
import { atOption } from "../options/option-error.js";
import type { CommandLine, GivenOption } from "./arguments.js";
import { isMonitorObject } from "./build.js";
import { selectAll, selectOurs } from "./left-out.js";
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
  /** Something was left out: the line was made for QEMU. */
  readonly borrowed: boolean;
  readonly warnings: readonly string[];
}

/** What a command line comes to. @throws QomError */
export function argumentsOf(line: CommandLine, { types = [], strict = false }: MachineOptions): MachineArguments {
  const asking = line.options.find(({ parsed }) => parsed.help);
  if (asking !== undefined) {
    throw new QomError("syntax", `-${asking.argument} ${printable(asking.text)} asks for help and does not describe a machine`, {
      context: { argument: asking.argument, text: asking.text },
      hint: "Machine.help gives it",
    });
  }
  const registries = typeRegistries(types);
  const { options, monitoring, foreignBuses, warning } = strict ? selectAll(line) : selectOurs(line, registries);
  const spellings = options.flatMap(({ argument, text, parsed }) =>
    parsed.warnings.map((message) => `-${argument} ${printable(text)}: ${message}`),
  );
  const warnings = [...line.warnings, ...(warning === null ? [] : [warning]), ...spellings];
  return {
    name: line.name,
    stopped: line.stopped,
    registries,
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
