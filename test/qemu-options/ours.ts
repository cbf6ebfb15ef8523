/** Asks this library, with types of its own that stand for QEMU's devices of the same names. */
import { Machine, qom, QomError, qomProperty, qomType } from "qom-pr";
import type { PlainValue, QomType } from "qom-pr";
import { Device } from "#src/devices/device.js";
import { parseOption } from "#src/options/arguments.js";
import { parseKeyval } from "#src/options/keyval.js";
import type { QemuVersion } from "#src/qemu/compat.js";
import { isOptionMap, isPlainList } from "#src/options/value.js";
import { addObject } from "#src/qom/add-object.js";
import { READ_BACK, sorted } from "./result.js";
import type { Family, Read, Result } from "./result.js";
import type { Row, Way } from "./rows.js";

@qomType({ name: "virtio-device", description: "a virtio device", abstract: true })
abstract class VirtioDevice extends Device {}

/** QEMU's default of max-bytes, and the largest that it takes. */
const MAX_BYTES = 2n ** 63n - 1n;

@qomType({ name: "virtio-rng-pci", description: "random numbers", aliases: ["virtio-rng"] })
class VirtioRng extends VirtioDevice {
  @qomProperty(qom.uint64({ max: MAX_BYTES }), { description: "bytes per period", default: MAX_BYTES })
  accessor maxBytes!: bigint;

  @qomProperty(qom.uint32(), { description: "length of the period in ms", default: 65536 })
  accessor period!: number;

  @qomProperty(qom.bool(), { name: "event_idx", description: "a ring feature", default: true })
  accessor eventIndex!: boolean;

  override complete(): void {
    if (this.busName !== undefined) throw new QomError("not-found", `no bus '${this.busName}'`);
  }
}

/** The stand-ins. */
export const TYPES: readonly QomType[] = [VirtioDevice, VirtioRng];

/** What this library makes of a row that follows that QEMU. */
export async function askOurselves(row: Row, file: string, compat: QemuVersion): Promise<Result> {
  const texts = row.texts.map((text) => text.replaceAll("FILE", file));
  try {
    if (texts.some((text) => asksHelp(row.way, text))) return "help";
    const argv = row.way === "keyval-object" ? [] : texts.flatMap((text) => [`-${row.way}`, text]);
    const machine = await Machine.create(argv, { types: TYPES, compat });
    try {
      if (row.way === "keyval-object") for (const text of texts) await addObject(machine.qom, parseKeyval(text, OBJECT_SYNTAX));
      return {
        accepted: sorted(row.way === "blockdev" || row.way === "drive" ? nodes(machine, row.way, file) : objects(machine, row.way)),
        ...(machine.warnings.length > 0 ? { warned: true } : {}),
      };
    } finally {
      await machine.close();
    }
  } catch (error) {
    if (error instanceof QomError) return { refused: familyOf(error) };
    throw error;
  }
}

const OBJECT_SYNTAX = { impliedKey: "qom-type", permitHelp: true };

function asksHelp(way: Way, text: string): boolean {
  return (way === "keyval-object" ? parseKeyval(text, OBJECT_SYNTAX) : parseOption(way, text)).help;
}

function familyOf({ kind }: QomError): Family {
  return kind === "unknown-type" || kind === "abstract-type" || kind === "wrong-type" ? "type" : kind;
}

function nodes(machine: Machine, way: Way, file: string): (readonly [string, Read])[] {
  // QEMU's list begins with the youngest node.
  return machine.graph.nodes.toReversed().map((node, index) => {
    const filename = "filename" in node.protocol ? String(node.protocol.filename) : "";
    const values = { driver: node.typeName, "read-only": node.readOnly, filename: filename.replace(file, "FILE") };
    // QEMU's drives have an id, and their nodes have none.
    return [way === "drive" || node.nodeName.startsWith("#") ? `#block ${index}` : node.nodeName, values];
  });
}

function objects(machine: Machine, way: Way): (readonly [string, Read])[] {
  const folders = way === "device" ? ["/machine/peripheral", "/machine/peripheral-anon"] : ["/objects"];
  return folders
    .flatMap((folder) => machine.qom.children(machine.qom.resolve(folder)))
    .map((object) => {
      const properties = READ_BACK[object.typeName] ?? [];
      const path = object.canonicalPath ?? "";
      const values = properties.map((property) => [property, tidy(machine.qom.get(path, property))] as const);
      return [object.id ?? "", { type: object.typeName, ...sorted(values) }];
    });
}

function tidy(value: PlainValue): Read {
  if (typeof value === "bigint") return value > BigInt(Number.MAX_SAFE_INTEGER) ? String(value) : Number(value);
  if (isPlainList(value)) return value.map(tidy);
  if (isOptionMap(value)) return sorted([...value].map(([name, member]) => [name, tidy(member)]));
  return value;
}
