/** Commands about block nodes (QEMU: qapi/block-core.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import { present } from "../../base/assert.js";
import { inSlices } from "../../base/slices.js";
import type { BlockNode, MediumInfo } from "../../block/node.js";
import { reopen } from "../../block/reopen.js";
import { givenId } from "../../devices/set/device-set.js";
import { ScsiBlock } from "../../devices/disk/scsi-block.js";
import { ScsiDevice } from "../../devices/disk/scsi-device.js";
import type { OptionMap } from "../../options/value.js";
import { defineCommand, noArgumentsSchema, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { LIST_SLICE_LENGTH } from "../values.js";

const blockdevAdd = defineCommand({
  name: "blockdev-add",
  arguments: () => z.looseObject({ driver: z.string(), "node-name": z.string().optional() }),
  result: nothingSchema,
  run: async (_given, { host }, raw) => {
    await host.graph.open(raw, "json");
    return {};
  },
});

const blockdevDel = defineCommand({
  name: "blockdev-del",
  arguments: () => z.strictObject({ "node-name": z.string() }),
  result: nothingSchema,
  run: async (given, { host }) => {
    await host.graph.close(given["node-name"]);
    return {};
  },
});

/** Options of a node, whose members depend on its driver. */
const nodeOptions = lazily(() => z.custom<OptionMap>((value) => value instanceof Map));

/** Nodes of one blockdev-reopen. */
const REOPENED_NODES_MAX = 1024;

const blockdevReopen = defineCommand({
  name: "blockdev-reopen",
  arguments: () => z.strictObject({ options: z.array(nodeOptions()).max(REOPENED_NODES_MAX) }),
  result: nothingSchema,
  run: ({ options }, { host }) => {
    for (const given of options) reopen(host.graph, given);
    return {};
  },
});

/** What QEMU knows of a node and its medium (QAPI: BlockDeviceInfo). Limits of throughput and what concerns images are always 0 here. */
const nodeInfoSchema = lazily(() =>
  z.strictObject({
    "node-name": z.string(),
    drv: z.string(),
    file: z.string(),
    ro: z.boolean(),
    encrypted: z.boolean(),
    backing_file_depth: z.int(),
    detect_zeroes: z.enum(["off", "on", "unmap"]),
    bps: z.int(),
    bps_rd: z.int(),
    bps_wr: z.int(),
    iops: z.int(),
    iops_rd: z.int(),
    iops_wr: z.int(),
    write_threshold: z.int(),
    cache: z.strictObject({ writeback: z.boolean(), direct: z.boolean(), "no-flush": z.boolean() }),
    image: z.strictObject({ filename: z.string(), format: z.string(), "virtual-size": z.int(), "dirty-flag": z.boolean() }),
  }),
);

/** What differs from node to node, at the moment of the question. */
interface NodeFacts {
  readonly nodeName: string;
  readonly driver: string;
  readonly readOnly: boolean;
  readonly medium: MediumInfo;
}

/** Begins to ask all of them before it returns, so that the answers belong together. */
async function factsOf(nodes: readonly BlockNode[]): Promise<readonly NodeFacts[]> {
  const known = nodes.map(({ nodeName, typeName, isReadOnly }) => ({ nodeName, driver: typeName, readOnly: isReadOnly }));
  const media = await Promise.all(nodes.map((node) => node.protocol.medium()));
  return known.map((facts, index) => ({ ...facts, medium: present(media[index], "every node has a medium") }));
}

function nodeInfo({ nodeName, driver, readOnly, medium: { name, sizeBytes } }: NodeFacts): z.output<ReturnType<typeof nodeInfoSchema>> {
  return {
    "node-name": nodeName,
    drv: driver,
    file: name,
    ro: readOnly,
    encrypted: false,
    backing_file_depth: 0,
    detect_zeroes: "off",
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops: 0,
    iops_rd: 0,
    iops_wr: 0,
    write_threshold: 0,
    cache: { writeback: true, direct: false, "no-flush": false },
    image: { filename: name, format: driver, "virtual-size": sizeBytes, "dirty-flag": false },
  };
}

/** One piece of information for each of `items`, as work that can be interrupted. */
function* informing<T, Info>(items: readonly T[], info: (item: T) => Info): Generator<void, Info[]> {
  const all: Info[] = [];
  for (const item of items) {
    all.push(info(item));
    yield;
  }
  return all;
}

const queryNamedBlockNodes = defineCommand({
  name: "query-named-block-nodes",
  /** `flat` leaves out backing images; there are none here. */
  arguments: () => z.strictObject({ flat: z.boolean().optional() }),
  result: () => z.array(nodeInfoSchema()),
  run: async (_given, { host }) => inSlices(informing(await factsOf(host.graph.nodes.toReversed()), nodeInfo), LIST_SLICE_LENGTH),
});

/** Drives, and nodes that a device uses (QAPI: BlockInfo). `qdev` is the device's id, or its path when it has none. */
const blockInfoSchema = lazily(() =>
  z.strictObject({
    device: z.string(),
    qdev: z.string().optional(),
    type: z.string(),
    removable: z.boolean(),
    locked: z.boolean(),
    "io-status": z.enum(["ok", "failed", "nospace"]).optional(),
    inserted: nodeInfoSchema().optional(),
  }),
);

/** A node that is listed, with the id of its drive, or "", and what to call the device that uses it. */
interface ListedNode {
  readonly node: BlockNode;
  readonly driveId: string;
  readonly qdev: string | undefined;
  readonly ioStatus: ScsiBlock["ioStatus"];
}

function blockInfo({
  driveId,
  qdev,
  ioStatus,
  facts,
}: Omit<ListedNode, "node"> & { readonly facts: NodeFacts }): z.output<ReturnType<typeof blockInfoSchema>> {
  return {
    device: driveId,
    ...(qdev === undefined ? {} : { qdev }),
    type: "unknown",
    removable: false,
    locked: false,
    ...(ioStatus === null ? {} : { "io-status": ioStatus }),
    inserted: nodeInfo(facts),
  };
}

function ioStatusOf(device: ScsiDevice | undefined): ScsiBlock["ioStatus"] {
  return device instanceof ScsiBlock ? device.ioStatus : null;
}

/** Drives first, then the nodes of devices that use no drive. */
function listedNodes(host: MonitorHost): readonly ListedNode[] {
  const { drives } = host.graph;
  const devices = host.devices.all.filter((device) => device instanceof ScsiDevice);
  const nameOf = (device: ScsiDevice): string => givenId(device) ?? device.canonicalPath ?? "";
  const users = new Map<string, ScsiDevice>();
  // Of several devices on a node the oldest is named.
  for (const device of devices.toReversed()) users.set(device.drive, device);
  const names = new Set(drives.map(({ nodeName }) => nodeName));
  return [
    ...drives.map((node) => {
      const user = users.get(node.nodeName);
      return { node, driveId: node.nodeName, qdev: user === undefined ? undefined : nameOf(user), ioStatus: ioStatusOf(user) };
    }),
    ...devices
      .filter((device) => !names.has(device.drive))
      .map((device) => ({ node: host.graph.node(device.drive), driveId: "", qdev: nameOf(device), ioStatus: ioStatusOf(device) })),
  ];
}

const queryBlock = defineCommand({
  name: "query-block",
  arguments: noArgumentsSchema,
  result: () => z.array(blockInfoSchema()),
  run: async (_given, { host }) => {
    const listed = listedNodes(host);
    const facts = await factsOf(listed.map(({ node }) => node));
    const both = listed.map((each, index) => ({ ...each, facts: present(facts[index], "there are facts of every node") }));
    return inSlices(informing(both, blockInfo), LIST_SLICE_LENGTH);
  },
});

/** See the file text. */
export const BLOCK_COMMANDS: readonly QmpCommand[] = [blockdevAdd, blockdevDel, blockdevReopen, queryBlock, queryNamedBlockNodes];
