/** `-msg`: how the program's messages begin (QEMU: util/error-report.c). */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { machineNameOf } from "../machine/name.js";
import { atText } from "../options/option-error.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { parseBool } from "../options/scalars.js";

/** What `-msg` takes. */
const MEMBERS = ["timestamp", "guest-name"] as const;

/**
 * What comes before a message, given the texts of all `-msg` and the words of the machine.
 * @throws QomError `unknown-name`, `invalid-value`
 */
export function messagePrefix(texts: readonly string[], machine: readonly string[]): () => string {
  const flags = new Map<string, boolean>();
  for (const text of texts) {
    try {
      for (const [name, value] of parseQemuOpts(text).values) flags.set(memberNamed(name), flagOf(name, value));
    } catch (error) {
      throw atText("msg", text, error);
    }
  }
  const name = flags.get("guest-name") === true ? nameIn(machine) : undefined;
  const guest = name === undefined ? "" : `${name} `;
  return flags.get("timestamp") === true ? (): string => `${timestamp()} ${guest}` : (): string => guest;
}

function memberNamed(name: string): string {
  if (MEMBERS.some((member) => member === name)) return name;
  throw new QomError("unknown-name", `there is no option '${printable(name)}': options are ${MEMBERS.join(", ")}`, {
    context: { option: printable(name) },
  });
}

function flagOf(option: string, value: unknown): boolean {
  const flag = typeof value === "string" ? parseBool(value) : undefined;
  if (flag !== undefined) return flag;
  throw new QomError("invalid-value", `option '${option}' expects 'on' or 'off'`, { context: { option } });
}

function nameIn(machine: readonly string[]): string | undefined {
  const text = machine.findLast((_, index) => /^--?name$/.test(machine[index - 1] ?? ""));
  return text === undefined ? undefined : machineNameOf(text).name;
}

/** Of the host's clock, in UTC, with microseconds. */
function timestamp(): string {
  const nowMs = performance.timeOrigin + performance.now();
  const microseconds = String(Math.floor((nowMs % 1) * 1000)).padStart(3, "0");
  return new Date(nowMs).toISOString().replace("Z", `${microseconds}Z`);
}
