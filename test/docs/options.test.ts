/** README.md's tables of types and options say what the types are: every property, and the defaults that are told. */
import { expect } from "chai";
import { BLOCK_NODE_TYPE } from "#src/block/node.js";
import { DEVICE_TYPE } from "#src/devices/set/device-set.js";
import { typeRegistries } from "#src/machine/types.js";
import { formatSize } from "#src/options/scalars.js";
import { HOST_FILE_INERT, NODE_INERT } from "#src/qemu/block.js";
import { CCW_INERT, PCI_GENERATIONS_INERT, PCI_INERT, SCSI_BLOCK_INERT, VIRTIO_SCSI_INERT } from "#src/qemu/devices.js";
import { inertObjects } from "#src/qemu/objects.js";
import { USER_CREATABLE } from "#src/qom/interfaces.js";
import type { RegisteredType, TypeRegistry } from "#src/qom/type-registry.js";
import { DEFAULT_SIZE_BYTES } from "#src/target/unit/unit-spec.js";
import { projectFile } from "../lint/planted-tree.js";
import { quoted, tableOf } from "../support/page-table.js";

const README = projectFile("README.md");
const { objects, drivers } = typeRegistries([]);

/** A key of the table, and the default behind it, if it tells one. */
interface Key {
  readonly name: string;
  readonly default: string | undefined;
}

/** What the table says of one type. */
interface Told {
  readonly type: string;
  readonly keys: readonly Key[];
}

/** Keys that no property stands for: ids, and the bus a device is on. */
const NO_PROPERTIES = ["id", "bus"];

/** Defaults of properties that are left unset, since something else may say them: the default that holds where nothing does. */
const DEFAULTS_ELSEWHERE: Readonly<Record<string, string>> = { size: formatSize(BigInt(DEFAULT_SIZE_BYTES)), locking: "auto" };

/** `name` and `name` (default) in a cell. A word that is no name, such as `file.driver=…`, is no key. */
function keysIn(cell: string): readonly Key[] {
  return Array.from(cell.matchAll(/`([a-z_-]+)`(?: \(([^)`, ]+)(?: s)?\))?/g), ([, name = "", value]) => ({ name, default: value }));
}

function optionRow(option: RegExp): readonly [string, string] {
  const found = tableOf(README, ["option", "keys"]).filter(([first = ""]) => option.test(first));
  expect(found, String(option)).to.have.lengthOf(1);
  const [[first = "", keys = ""] = []] = found;
  return [first, keys];
}

/** `type`: keys; `type`: keys. */
function toldOfObjects(): readonly Told[] {
  const [, cell] = optionRow(/^`-object /);
  return cell.split("; ").map((part) => {
    const [type = "", keys = ""] = part.split(": ");
    return { type: quoted(type)[0] ?? "", keys: keysIn(keys) };
  });
}

/** A row for drivers with the same keys, and one for the keys of all. */
function toldOfDrivers(): readonly Told[] {
  const [, cell] = optionRow(/^`-blockdev /);
  const ofAll = keysIn(cell.replace("every driver: ", ""));
  return tableOf(README, ["option", "keys"])
    .filter(([first = ""]) => first.startsWith("… "))
    .flatMap(([first = "", keys = ""]) => quoted(first).map((type) => ({ type, keys: [...ofAll, ...keysIn(keys)] })));
}

/** A row for devices with the same keys; `type` also … for what one of them has beside those. */
function toldOfDevices(): readonly Told[] {
  const rows = tableOf(README, ["option", "keys"]).filter(([first = ""]) => first.startsWith("`-device "));
  return rows.flatMap(([first = "", cell = ""]) => {
    const [common = "", ...also] = cell.split("; ");
    const own = also.map((part) => /^`([a-z-]+)` also (.*)$/.exec(part));
    // without "also" all types of the row have the keys
    const ofAll = [common, ...also.filter((_, index) => own[index] === null)].flatMap(keysIn);
    return quoted(first.replace("-device ", "")).map((type) => ({
      type,
      keys: [...ofAll, ...own.flatMap((match) => (match?.[1] === type ? keysIn(match[2] ?? "") : []))],
    }));
  });
}

/** Names of properties that have no effect, which the table leaves to `help`. */
const INERT: ReadonlySet<string> = new Set(
  [NODE_INERT, HOST_FILE_INERT, VIRTIO_SCSI_INERT, PCI_INERT, PCI_GENERATIONS_INERT, CCW_INERT, SCSI_BLOCK_INERT].flatMap((properties) =>
    Object.keys(properties()),
  ),
);

/** The properties that options can set to an effect. */
function settable(type: RegisteredType): readonly string[] {
  return [...type.properties.values()].filter(({ name, set }) => set !== undefined && !INERT.has(name)).map(({ name }) => name);
}

/** A default as a user writes it. */
function defaultText(type: RegisteredType, name: string): string | undefined {
  const property = type.properties.get(name);
  if (property === undefined) return undefined;
  if (property.default === undefined) return DEFAULTS_ELSEWHERE[name];
  const text = property.type.text?.encode(property.default);
  return typeof text === "string" ? text : JSON.stringify(property.type.json.encode(property.default));
}

describe("README.md's options", () => {
  const kinds: readonly (readonly [string, TypeRegistry, string, readonly Told[]])[] = [
    ["-object", objects, USER_CREATABLE.name, toldOfObjects()],
    ["-blockdev", drivers, BLOCK_NODE_TYPE, toldOfDrivers()],
    ["-device", objects, DEVICE_TYPE, toldOfDevices()],
  ];
  for (const [option, registry, kind, told] of kinds) {
    it(`have every type that ${option} makes, and no other`, () => {
      const inert = inertObjects().map(({ name }) => name);
      const types = registry.list({ implements: kind }).flatMap(({ name }) => (inert.includes(name) ? [] : [name]));
      expect(told.map(({ type }) => registry.get(type).name)).to.have.members(types);
    });

    for (const { type, keys } of told) {
      it(`have every property of ${type}, with its default if they tell one`, () => {
        const registered = registry.get(type);
        const names = keys.map(({ name }) => name).filter((name) => !NO_PROPERTIES.includes(name));
        expect(names).to.have.members(settable(registered));
        for (const key of keys) if (key.default !== undefined) expect(key.default, key.name).to.equal(defaultText(registered, key.name));
      });
    }
  }
});

describe("README.md's managers", () => {
  it("are the types of PR managers", () => {
    const told = tableOf(README, ["type", "what it does", "who uses it"]).map(([type = ""]) => quoted(type)[0]);
    const types = objects.list({ implements: "pr-manager", abstract: true }).map(({ name }) => name);
    expect(told).to.have.members(types);
  });
});
