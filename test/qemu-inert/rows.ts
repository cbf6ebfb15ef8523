/**
 * Wrong values of every option that a type here has and QEMU's type of that name too: made from the kinds of the options, so that a new option
 * has its rows at once.
 */
import { typeRegistries } from "#src/machine/types.js";
import type { PropertyType } from "qom-pr";
import { KINDS } from "#src/qemu/kinds.js";

/** How the values are given: as the text of an option, or in JSON. */
export type Way = "object" | "object-json" | "device" | "device-json" | "blockdev-json";

/** One wrong value. */
export interface Row {
  readonly way: Way;
  readonly type: string;
  readonly option: string;
  readonly wrong: unknown;
  /** All options, the wrong one among them, without type and name. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** An option of a type, as far as rows are made from it. */
interface Option {
  readonly name: string;
  readonly kind: string;
  readonly isRequired: boolean;
  /** Of an enumeration and of an object, what it may be. */
  readonly isClosed: boolean;
}

/** Wrong values of a kind, as text and in JSON. */
interface WrongValues {
  readonly kind: RegExp;
  readonly text: readonly string[];
  readonly json: readonly unknown[];
}

/** The first row that fits counts; the last is for enumerations and objects. */
const WRONG: readonly WrongValues[] = [
  { kind: /^bool$/, text: ["maybe", "1", ""], json: ["on", 1, null] },
  { kind: /^size$/, text: ["x", "-1", "1Q"], json: ["1M", 1.5, true] },
  { kind: /^u?int\d+$/, text: ["x", "1K", "1.5"], json: ["5", 1.5, true] },
  { kind: /^str(?:ing)?$/, text: [], json: [5, true, { nope: 1 }] },
  { kind: /^link</, text: ["nope"], json: [5] },
  { kind: /List$/, text: ["x"], json: ["x", [true], { nope: 1 }] },
];
const WRONG_WORDS: Omit<WrongValues, "kind"> = { text: ["nope", ""], json: ["nope", 5, [], { nope: 1 }] };

/** What QEMU computes and a user cannot give wrongly, or gives otherwise than here. */
const NOT_COMPARED: readonly string[] = ["type", "node-name", "initiator", "target-port", "fabric"];

/** Devices and drivers whose options are looked at. */
const DEVICES = ["virtio-scsi-pci", "scsi-block", "scsi-generic"] as const;
const DRIVERS = ["raw", "file", "host_device"] as const;

const registries = typeRegistries([]);

/** The kind of a value as a device's option would call it: of objects QEMU calls every integer and lists of them `int`. */
function kindOf({ name, expects, expectsJson = expects }: Pick<PropertyType<unknown>, "name" | "expects" | "expectsJson">): string {
  if (/^an? (?:list|array)/.test(expectsJson)) return "List";
  if (expects.startsWith("a size")) return "size";
  return /\((u?int\d+)\)$/.exec(expects)?.[1] ?? name;
}

function optionsOf(registry: keyof typeof registries, type: string): readonly Option[] {
  return [...registries[registry].get(type).properties]
    .filter(([name, { set }]) => set !== undefined && !NOT_COMPARED.includes(name))
    .map(([name, { type: kind, required }]) => ({ name, kind: kindOf(kind), isRequired: required, isClosed: kind.values !== undefined }));
}

/** What a type needs besides. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  secret: { data: "x" },
  "scsi-block": { drive: "n" },
  "scsi-generic": { drive: "n" },
  raw: { file: "n" },
  file: { filename: "/dev/zero" },
  host_device: { filename: "/dev/zero" },
};

/** A value of the right kind for an option that must be given. */
function rightValue({ kind }: Option, isText: boolean): unknown {
  // QEMU must not make a file of it.
  if (kind.startsWith("str")) return "/nowhere/x";
  return isText ? "1048576" : 1_048_576;
}

function rowsOf(way: Way, registry: keyof typeof registries, type: string): readonly Row[] {
  const isText = !way.endsWith("-json");
  const options = optionsOf(registry, type);
  const needed = Object.fromEntries(options.filter(({ isRequired }) => isRequired).map((each) => [each.name, rightValue(each, isText)]));
  const values = { ...needed, ...NEEDED[type] };
  const wrong = options.flatMap(({ name, kind }) => {
    const found = WRONG.find((each) => each.kind.test(kind)) ?? WRONG_WORDS;
    return (isText ? found.text : found.json).map((value) => ({
      way,
      type,
      option: name,
      wrong: value,
      values: { ...values, [name]: value },
    }));
  });
  return [...wrong, { way, type, option: "nope", wrong: "1", values: { ...values, nope: "1" } }];
}

const inertObjects = KINDS.filter(({ subject, kind }) => subject === "object" && kind === "inert").flatMap(({ names }) => names.split(" "));

/** All rows. */
export const ROWS: readonly Row[] = [
  ...inertObjects.flatMap((type) => [...rowsOf("object", "objects", type), ...rowsOf("object-json", "objects", type)]),
  ...DEVICES.flatMap((type) => [...rowsOf("device", "objects", type), ...rowsOf("device-json", "objects", type)]),
  ...DRIVERS.flatMap((type) => rowsOf("blockdev-json", "drivers", type)),
];

/** Name of a row. */
export function keyOf({ way, type, option, wrong }: Row): string {
  return `${way} ${type} ${option}=${JSON.stringify(wrong)}`;
}

/** The row as an option of the command line, or as what a command of the same meaning takes, given the name of what is made. */
export function givenOf({ way, type, values }: Row, name: string): string {
  const key = way.startsWith("object") ? "qom-type" : "driver";
  const id = way === "blockdev-json" ? "node-name" : "id";
  if (way.endsWith("-json")) return JSON.stringify({ [key]: type, [id]: name, ...values });
  const members = Object.entries(values).map(([option, value]) => `,${option}=${String(value)}`);
  return `${type},${id}=${name}${members.join("")}`;
}
