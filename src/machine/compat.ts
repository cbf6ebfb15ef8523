/** `-compat` and the machine type of `-machine`: which QEMU a machine follows. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { parseJson } from "../options/json.js";
import { parseKeyval } from "../options/keyval.js";
import { didYouMean } from "../options/nearest.js";
import { atText } from "../options/option-error.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { describeValue } from "../options/take.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap } from "../options/value.js";
import { compatOf, QEMU_VERSIONS } from "../qemu/compat.js";
import type { MachineCompat, MachineTypeVersion, QemuVersion } from "../qemu/compat.js";

/** Keys of `-compat` that QEMU has, and that have no effect here, with the words that each takes (QEMU: qapi/compat.json, CompatPolicy). */
const INERT_KEYS: Readonly<Record<string, readonly string[]>> = {
  "deprecated-input": ["accept", "reject", "crash"],
  "deprecated-output": ["accept", "hide"],
  "unstable-input": ["accept", "reject", "crash"],
  "unstable-output": ["accept", "hide"],
};

/** The key that is ours. */
const VERSION_KEY = "qemu";

/**
 * The version that the text of `-compat` asks for; undefined when it says nothing of it.
 * @throws QomError `unknown-name`, `invalid-value`, and as the two languages: keyval and JSON
 */
export function compatVersionOf(text: string): QemuVersion | undefined {
  try {
    return versionIn(valuesOf(text));
  } catch (error) {
    throw atText("compat", text, error);
  }
}

function versionIn(values: OptionMap): QemuVersion | undefined {
  let version: QemuVersion | undefined;
  for (const [key, value] of values) {
    const words = key === VERSION_KEY ? QEMU_VERSIONS : Object.hasOwn(INERT_KEYS, key) ? INERT_KEYS[key] : undefined;
    if (words === undefined) throw unknownKey(key);
    const word = typeof value === "string" ? words.find((each) => each === value) : undefined;
    if (word === undefined) {
      throw new QomError("invalid-value", `'${key}' expects ${words.join(" or ")}, not ${describeValue(value)}`, {
        context: { option: key, value: describeValue(value) },
      });
    }
    if (key === VERSION_KEY) version = QEMU_VERSIONS.find((each) => each === word);
  }
  return version;
}

function valuesOf(text: string): OptionMap {
  if (!text.startsWith("{")) return parseKeyval(text).values;
  const value = parseJson(text);
  if (isOptionMap(value)) return value;
  throw new QomError("syntax", "an object is expected");
}

function unknownKey(key: string): QomError {
  const hint = didYouMean(key, [VERSION_KEY, ...Object.keys(INERT_KEYS)]);
  return new QomError("unknown-name", `there is no option '${printable(key)}'`, {
    context: { option: printable(key) },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Options that name a machine type. */
const MACHINE_OPTIONS = ["machine", "M"];

/**
 * `pc-q35-10.2`, `virt-9.0`, `s390-ccw-virtio-8.2`; Proxmox's `pc-q35-9.2+pve1`; RHEL's `pc-q35-rhel9.6.0`, whose version is RHEL's and is
 * compared as if it were QEMU's: those up to 10.2 count as older than 11.0. Ubuntu's `pc-q35-noble` has no version in it and counts as
 * the newest: `migrate-pr=off` of the device says otherwise.
 */
const VERSIONED_TYPE = /-(\d{1,3})\.(\d{1,3})(?:\+pve\d{1,3})?$|-rhel(\d{1,3})\.(\d{1,3})\.\d{1,3}$/;

/**
 * The version in the name of the machine type that a command line asks for: of several the last counts, as in QEMU. Of what is wrong in that
 * option nothing is said here: it is not ours.
 */
function machineTypeOf(options: readonly { readonly name: string; readonly text: string | null }[]): MachineTypeVersion | undefined {
  const named = options.filter(({ name }) => MACHINE_OPTIONS.includes(name)).map(({ text }) => typeIn(text ?? ""));
  const found = VERSIONED_TYPE.exec(named.findLast((type) => type !== undefined) ?? "");
  return found === null ? undefined : { major: Number(found[1] ?? found[3]), minor: Number(found[2] ?? found[4]) };
}

function typeIn(text: string): string | undefined {
  try {
    const type = parseQemuOpts(text, { impliedKey: "type" }).values.get("type");
    return typeof type === "string" ? type : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a machine follows.
 * @param line of its command line: `-compat`, and the options that are not ours
 * @param preset for a line without `-compat qemu=VERSION`
 */
export function machineCompat(
  line: { readonly compat: QemuVersion | undefined; readonly foreign: readonly { readonly name: string; readonly text: string | null }[] },
  preset: QemuVersion | undefined,
): MachineCompat {
  return compatOf({ version: line.compat ?? preset, machineType: machineTypeOf(line.foreign) });
}
