/** `-name`: what a machine is called. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { didYouMean } from "../options/nearest.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { parseBool } from "../options/scalars.js";
import { valueText } from "../options/take.js";

/** Names of machines become part of initiator names, which iSCSI limits to 223 bytes. */
const MACHINE_NAME_LENGTH_MAX = 64;

/**
 * The name that the text of `-name` gives.
 * @throws QomError `limit`, `bad-id`
 */
export function machineName(text: string): string {
  const context = { argument: "name", value: printable(text) };
  if (text.length > MACHINE_NAME_LENGTH_MAX) {
    throw new QomError("limit", `-name '${printable(text)}' is longer than ${MACHINE_NAME_LENGTH_MAX} characters`, { context });
  }
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) return text;
  throw new QomError("bad-id", `-name '${printable(text)}' is not a machine name`, {
    context,
    hint: "letters, digits, '-', '.' and '_', beginning with a letter or digit",
  });
}

/** Options of `-name` besides the name. */
const NAME_MEMBERS = ["guest", "process", "debug-threads"] as const;

/**
 * The same for a machine, whose `-name` may be in QEMU's longer form: `guest=NAME,process=NAME,debug-threads=on`. QEMU takes any name: what
 * cannot be in a name here becomes a dash, with a warning.
 * @param strict a name without members is refused as {@link machineName} refuses it
 * @throws QomError as {@link machineName}; `unknown-name`, `invalid-value`
 */
export function machineNameOf(text: string, strict = false): { readonly name: string | undefined; readonly warning?: string } {
  if (strict && !text.includes("=")) return { name: machineName(text) };
  const { values } = parseQemuOpts(text, { impliedKey: "guest" });
  for (const [option, value] of values) {
    const context = { argument: "name", option };
    if (!NAME_MEMBERS.some((member) => member === option)) {
      const hint = didYouMean(option, NAME_MEMBERS);
      throw new QomError("unknown-name", `-name has no option '${printable(option)}'`, {
        context,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    if (option !== "debug-threads" || (typeof value === "string" && parseBool(value) !== undefined)) continue;
    throw new QomError("invalid-value", `-name: option '${option}' expects 'on' or 'off', not '${valueText(value)}'`, { context });
  }
  const given = values.get("guest");
  if (typeof given !== "string") return { name: undefined };
  const name = given
    .replaceAll(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, MACHINE_NAME_LENGTH_MAX);
  if (name === "")
    return {
      name: undefined,
      warning: `-name '${printable(text)}': the machine has a name of its own, since this one has no letter or digit`,
    };
  return name === given ? { name } : { name, warning: `-name '${printable(given)}': the machine is called '${name}' here` };
}
