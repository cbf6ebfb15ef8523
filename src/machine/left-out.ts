/**
 * What a command line of QEMU has and a machine here has not: found, left out, and named in one warning. qemu/kinds.ts says what is of this
 * kind; here is decided what of the rest is there for its sake alone: block nodes and character devices that only such things use, and
 * disks on such an adapter.
 */
import { printable } from "../base/limits.js";
import type { Steps } from "../base/slices.js";
import { asksForOtherProtocol } from "../chardev/spec.js";
import { DEVICE_TYPE } from "../devices/set/device-set.js";
import { parseQemuOpts } from "../options/qemu-opts.js";
import { isOptionMap, isPlainList } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { isForeign } from "../qemu/kinds.js";
import type { CommandLine, GivenOption } from "./arguments.js";
import { BlockUse } from "./block-use.js";
import { isMonitorObject } from "./build.js";
import type { GivenMonitoring } from "./monitoring.js";
import type { TypeRegistries } from "./types.js";

/** What is left of a command line. */
export interface Selection {
  readonly options: readonly GivenOption[];
  readonly monitoring: readonly GivenMonitoring[];
  /** Buses that the devices left out would have: an adapter that stays may sit on one. */
  readonly foreignBuses: ReadonlySet<string>;
  /** The one warning; null when nothing is left out. */
  readonly warning: string | null;
}

/** The type that passthrough devices descend from. */
const SCSI_DEVICE_TYPE = "scsi-device";

/** Everything as it was given: for a machine that is to be strict, and where nothing is left out. */
export function selectAll({ options, monitoring }: CommandLine): Selection {
  return { options, monitoring, foreignBuses: new Set(), warning: null };
}

/**
 * Takes out what is not ours, as work that can be interrupted between two options. What QEMU does not know either stays, to be refused by
 * whoever makes it.
 */
export function* selectingOurs(line: CommandLine, registries: TypeRegistries): Steps<Selection> {
  const { options, monitoring, foreign } = line;
  const devices = yield* foreignDevices(options, registries);
  const objects = options.filter((option) => option.argument === "object" && isForeignObject(option, registries));
  const words = new Set([
    ...foreign.flatMap(({ text }) => wordsOf(text ?? "")),
    ...[...devices, ...objects].flatMap(({ parsed }) => textsOf(parsed.values)),
  ]);
  const use = new BlockUse({
    nodes: options.filter(({ argument }) => argument === "blockdev" || argument === "drive"),
    users: () =>
      options.filter((option) => option.argument === "device" && !devices.has(option)).flatMap(({ parsed }) => textsOf(parsed.values)),
    foreignWords: words,
    hasBoard: foreign.length > 0,
    isForeignDriver: (driver) => registries.drivers.find(driver) === undefined && isForeign("driver", driver),
  });
  const nodes = yield* use.leftOut();
  const monitors = options.filter(isMonitorObject);
  const talk = foreignMonitoring(monitoring, words, monitors.flatMap(chardevOfObject));
  const silent = monitors.filter((option) => chardevOfObject(option).some((id) => talk.ids.has(id)));
  const out = new Set<GivenOption | GivenMonitoring>([...devices, ...objects, ...silent, ...nodes, ...talk.options]);
  if (out.size === 0 && foreign.length === 0) return selectAll(line);
  const isChardev = ({ argument }: GivenMonitoring): boolean => argument === "chardev";
  return {
    options: options.filter((option) => !out.has(option)),
    monitoring: monitoring.filter((option) => !out.has(option)),
    foreignBuses: new Set([...devices].flatMap(({ parsed }) => textOf(parsed.values, "id") ?? [])),
    warning: warningOf([
      [
        "options",
        [
          ...foreign.map(({ name }) => `-${name}`),
          ...[...talk.options].flatMap((option) => (isChardev(option) ? [] : `-${option.argument}`)),
        ],
      ],
      ["objects", [...objects, ...silent].map((option) => labelOf(option, "qom-type", "id"))],
      ["character devices", [...talk.options].filter(isChardev).map(chardevLabel)],
      ["block nodes", [...nodes].map((option) => labelOf(option, option.argument === "drive" ? "file" : "driver", nameKey(option)))],
      ["devices", [...devices].map((option) => labelOf(option, "driver", "id"))],
    ]),
  };
}

/** Devices of types that are not ours, and disks on an adapter of such a type. */
function* foreignDevices(options: readonly GivenOption[], { objects }: TypeRegistries): Steps<ReadonlySet<GivenOption>> {
  const devices = options.filter(({ argument }) => argument === "device");
  const typeOf = ({ parsed }: GivenOption): string => textOf(parsed.values, "driver") ?? "";
  const isOurs = (name: string, type: string): boolean => objects.find(name) !== undefined && objects.isA(name, type);
  const foreign = new Set<GivenOption>();
  for (const option of devices) {
    if (!isOurs(typeOf(option), DEVICE_TYPE) && isForeign("device", typeOf(option))) foreign.add(option);
    yield;
  }
  if (foreign.size === 0) return foreign;
  const adapters = new Set([...foreign].flatMap(({ parsed }) => textOf(parsed.values, "id") ?? []));
  for (const option of devices) {
    const adapter = textOf(option.parsed.values, "bus")?.replace(/\.\d+$/, "");
    if (adapter !== undefined && adapters.has(adapter) && isOurs(typeOf(option), SCSI_DEVICE_TYPE)) foreign.add(option);
  }
  return foreign;
}

function isForeignObject({ parsed }: GivenOption, { objects }: TypeRegistries): boolean {
  const type = textOf(parsed.values, "qom-type") ?? "";
  return objects.find(type) === undefined && isForeign("object", type);
}

/**
 * Character devices of another kind with the monitors on them, and those that no monitor has and something that is left out names.
 * @param words of what is left out
 * @param ofObjects those that monitors have which are objects
 */
function foreignMonitoring(
  all: readonly GivenMonitoring[],
  words: ReadonlySet<string>,
  ofObjects: readonly string[],
): { readonly options: ReadonlySet<GivenMonitoring>; readonly ids: ReadonlySet<string> } {
  const chardevs = all
    .filter(({ argument }) => argument === "chardev")
    .map((option) => ({ option, values: optsOf(option.text, "backend") }));
  const foreign = chardevs.filter(({ values }) => isForeign("chardev", textOf(values, "backend") ?? "") || asksForOtherProtocol(values));
  const foreignIds = new Set(foreign.flatMap(({ values }) => textOf(values, "id") ?? []));
  const monitors = all.filter((option) => option.argument !== "chardev");
  const ofMonitors = new Set([...monitors.map(chardevOfMonitor), ...ofObjects]);
  const named = chardevs.filter(({ values }) => {
    const id = textOf(values, "id");
    return id !== undefined && words.has(id) && !ofMonitors.has(id);
  });
  const withoutDevice = monitors.filter((option) => {
    const id = chardevOfMonitor(option);
    return id === undefined ? option.argument !== "mon" && isForeignDeviceText(option.text) : foreignIds.has(id);
  });
  return { options: new Set([...[...foreign, ...named].map(({ option }) => option), ...withoutDevice]), ids: foreignIds };
}

function chardevOfObject({ parsed }: GivenOption): readonly string[] {
  const id = textOf(parsed.values, "chardev");
  return id === undefined ? [] : [id];
}

/** Beginnings of the short texts of character devices that only such texts know. */
const SHORT_TEXTS = ["telnet", "websocket", "con", "mon", "COM1"] as const;

function isForeignDeviceText(text: string): boolean {
  const [kind = ""] = text.split(/[:,]/, 1);
  if (isForeign("chardev", kind) || SHORT_TEXTS.some((known) => known === kind) || text.startsWith("/dev/")) return true;
  return (kind === "unix" || kind === "tcp") && asksForOtherProtocol(optsOf(text.slice(kind.length + 1), "address"));
}

function chardevOfMonitor({ argument, text }: GivenMonitoring): string | undefined {
  if (argument === "chardev") return undefined;
  if (argument === "mon") return textOf(optsOf(text, "chardev"), "chardev");
  return /^chardev:(.*)$/.exec(text)?.[1];
}

/** No values of a text that is wrong: whoever makes something of it says so. */
function optsOf(text: string, impliedKey: string): OptionMap {
  try {
    return parseQemuOpts(text, { impliedKey }).values;
  } catch {
    return new Map();
  }
}

/** The words in the text of an option that nobody here can read: among them are names of nodes and character devices. */
function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,=:"{}[\]]+/).filter((word) => word !== "");
}

function textsOf(value: PlainValue): readonly string[] {
  if (typeof value === "string") return [value];
  if (isOptionMap(value)) return [...value].flatMap(([name, member]) => (name === "id" ? [] : textsOf(member)));
  return isPlainList(value) ? value.flatMap(textsOf) : [];
}

function textOf(values: OptionMap, name: string): string | undefined {
  const value = values.get(name);
  return typeof value === "string" ? value : undefined;
}

function nameKey({ argument }: GivenOption): string {
  return argument === "drive" ? "id" : "node-name";
}

function labelOf({ parsed }: GivenOption, typeKey: string, idKey: string): string {
  const [type, id] = [textOf(parsed.values, typeKey), textOf(parsed.values, idKey)];
  return [type, id === undefined ? undefined : `'${id}'`].filter((part) => part !== undefined).join(" ");
}

function chardevLabel({ text }: GivenMonitoring): string {
  const values = optsOf(text, "backend");
  return `${textOf(values, "backend") ?? ""} '${textOf(values, "id") ?? ""}'`;
}

/** Names of one kind that the warning lists, the first: a line of libvirt has fewer of each, and a warning is one line to be read. */
export const LEFT_OUT_NAMES_MAX = 32;

/** Each label once. */
function warningOf(groups: readonly (readonly [string, readonly string[]])[]): string | null {
  const parts = groups.flatMap(([noun, labels]) => (labels.length === 0 ? [] : `${noun} ${listOf([...new Set(labels)])}`));
  return parts.length === 0 ? null : `left out, since QEMU has it and this machine does not: ${parts.join("; ")}`;
}

function listOf(names: readonly string[]): string {
  const more = names.length - LEFT_OUT_NAMES_MAX;
  return names.slice(0, LEFT_OUT_NAMES_MAX).map(printable).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
