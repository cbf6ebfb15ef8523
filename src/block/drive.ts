/** `-drive`: the older way to make a block node; its options are translated into those of a node. */
import { stat } from "node:fs/promises";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { requireWellFormedId } from "../options/id.js";
import { thoseThere } from "../options/nearest.js";
import { unflatten } from "../options/dotted.js";
import { describeValue, takeText } from "../options/take.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { drivePolicies, takeInertDriveOptions } from "./drive-inert.js";
import type { BlockGraph } from "./graph.js";

/** Which driver the file of that name needs; `option` is what gave the name. */
type DriverOfFile = (filename: string, option: string) => Promise<string>;

/** What a file name may begin with, for drivers that the file itself tells. */
const FILE_PROTOCOL = /^(?:file|host_device):/;

/** Any file, looked at or not: the drivers for files have the same options. */
const anyFile: DriverOfFile = () => Promise.resolve("file");

/** Interfaces that QEMU's `if=` knows; a drive that a -device picks up by its id has `none`. */
const INTERFACES_ELSEWHERE = ["ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen"];

/**
 * Makes a drive: -drive, drive_add. One without `id` is none0, none1, … as in QEMU.
 * @param given options as text, dotted keys flat
 * @throws QomError; nothing is left open then
 */
export async function addDrive(graph: BlockGraph, given: OptionMap): Promise<void> {
  const id = idOf(given) ?? freeId(graph);
  if (graph.isDrive(id))
    throw new QomError("duplicate", `a drive with id '${id}' exists already`, { context: { option: "id", value: id } });
  await graph.openDrive(await driveToNode(given, id, (driver) => graph.isProtocol(driver)), drivePolicies(given));
}

/**
 * Refuses what {@link addDrive} would refuse whatever files, nodes and objects there are.
 * @throws QomError as {@link addDrive}
 */
export async function checkDrive(graph: BlockGraph, given: OptionMap): Promise<void> {
  graph.check(await driveToNode(given, idOf(given) ?? freeId(graph), (driver) => graph.isProtocol(driver), anyFile), "text");
}

/**
 * Removes a drive that no device uses: drive_del.
 * @throws QomError `not-found` (DeviceNotFound), also for a node that is no drive; `in-use`
 */
export async function removeDrive(graph: BlockGraph, id: string): Promise<void> {
  const drives = graph.drives.map(({ nodeName }) => nodeName);
  if (!drives.includes(id)) {
    const isNode = graph.nodes.some(({ nodeName }) => nodeName === id);
    throw new QomError("not-found", `no drive '${printable(id)}'`, {
      context: { value: id },
      qmpClass: "DeviceNotFound",
      hint: isNode ? "blockdev-del removes a block node" : thoseThere(id, drives),
    });
  }
  await graph.close(id);
}

function idOf(given: OptionMap): string | undefined {
  const id = given.get("id");
  if (typeof id !== "string") return undefined;
  requireWellFormedId(id, { option: "id", value: id });
  return id;
}

function freeId(graph: BlockGraph): string {
  let index = 0;
  while (graph.has(`none${index}`)) index += 1;
  return `none${index}`;
}

/**
 * The node options that a drive's options mean. Keys of -drive that describe the drive itself are consumed here; all others reach
 * the node, where an unknown one is refused.
 *
 * @param drive options of -drive, dotted keys flat, as they were given
 * @param id name that the node gets
 * @param isProtocol whether a driver talks to a medium: then `file=PATH` is its own `filename`
 * @param driverOf gives the driver for a file, by what it is; by default the file is looked at
 */
async function driveToNode(
  drive: OptionMap,
  id: string,
  isProtocol: (driver: string) => boolean,
  driverOf: DriverOfFile = probe,
): Promise<OptionMap> {
  const flat = new Map(drive);
  flat.delete("id");
  // `file=PATH` goes together with `file.pr-manager=ID`, which as nested keys would contradict each other.
  const filename = takeText(flat, "file")?.replace(FILE_PROTOCOL, "");
  const options = new Map(unflatten(flat));
  requireNoInterface(takeText(options, "if"));
  const format = takeText(options, "format");
  const driver = takeText(options, "driver");
  if (format !== undefined && driver !== undefined) {
    throw new QomError("conflict", "'format' and 'driver' mean the same: give one of them", {
      context: { option: "format", value: format },
    });
  }
  requireSingle(options, "readonly", "read-only");
  const readOnly = takeText(options, "readonly");
  if (readOnly !== undefined) options.set("read-only", readOnly);
  const aio = takeInertDriveOptions(options);
  const nodeName = takeText(options, "node-name");
  if (nodeName !== undefined) {
    throw new QomError("conflict", `'node-name=${printable(nodeName)}' on a drive: its node takes its name from the id, '${id}'`, {
      context: { option: "node-name", value: nodeName },
    });
  }
  const nodeDriver = driver ?? format ?? "raw";
  options.set("driver", nodeDriver);
  options.set("node-name", id);
  if (isProtocol(nodeDriver)) {
    if (aio !== undefined) options.set("aio", aio);
    if (filename === undefined) return options;
    requireOneName(options, filename, "filename");
    return options.set("filename", filename);
  }
  const file = options.get("file");
  if (file === undefined && filename === undefined && options.get("filename") === undefined) {
    throw new QomError("missing", "a drive needs 'file' or 'file.…' options: empty drives are not supported", {
      context: { option: "file" },
    });
  }
  if (file !== undefined || filename !== undefined) options.set("file", await fileOptions(file, filename, driverOf, aio));
  return options;
}

/** Refuses `file=PATH` where the node it is for has its file name already, in `options`, which the user calls `other`. */
function requireOneName(options: OptionMap, path: string, other: string): void {
  if (!options.has("filename")) return;
  throw new QomError("conflict", `'file' and '${other}' mean the same: give one of them`, { context: { option: "file", value: path } });
}

/** Refuses two spellings of one option. */
function requireSingle(options: OptionMap, one: string, other: string): void {
  if (!options.has(one) || !options.has(other)) return;
  throw new QomError("conflict", `'${one}' and '${other}' mean the same: give one of them`, { context: { option: one } });
}

/** A machine without a board has no drive interfaces, so `none` is the default, as it is under `-M none` in QEMU. */
function requireNoInterface(given = "none"): void {
  if (given === "none") return;
  const reason = INTERFACES_ELSEWHERE.includes(given) ? `no bus here takes 'if=${given}'` : `unknown interface 'if=${printable(given)}'`;
  throw new QomError("invalid-value", `${reason}: write 'if=none' and name the drive in a -device`, {
    context: { option: "if", value: given },
  });
}

/** `file=PATH`, or `file.driver=…,file.filename=…`; without a driver the kind of file decides, as in QEMU. */
async function fileOptions(
  file: PlainValue | undefined,
  path: string | undefined,
  driverOf: DriverOfFile,
  aio: string | undefined,
): Promise<PlainValue> {
  if (file !== undefined && !isOptionMap(file)) {
    throw new QomError("invalid-value", `option 'file' expects a file name, not ${describeValue(file)}`, { context: { option: "file" } });
  }
  const options = new Map(file);
  if (aio !== undefined && !options.has("aio")) options.set("aio", aio);
  if (path !== undefined) {
    requireOneName(options, path, "file.filename");
    options.set("filename", path);
  }
  const filename = options.get("filename");
  if (!options.has("driver") && typeof filename === "string")
    options.set("driver", await driverOf(filename, path === undefined ? "file.filename" : "file"));
  return options;
}

async function probe(filename: string, option: string): Promise<string> {
  try {
    const found = await stat(filename);
    return found.isBlockDevice() || found.isCharacterDevice() ? "host_device" : "file";
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    throw new QomError("io", `cannot open '${printable(filename)}': ${errnoOrMessage(error)}`, {
      context: { option, value: filename },
      cause: error,
    });
  }
}
