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

/** A node, and what of it may be another at the next moment. */
interface AskedNode {
  readonly node: BlockNode;
  readonly readOnly: boolean;
}

function nodeInfo(
  { node: { nodeName, typeName: driver }, readOnly }: AskedNode,
  { name, sizeBytes }: MediumInfo,
): z.output<ReturnType<typeof nodeInfoSchema>> {
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

function asking(node: BlockNode): AskedNode {
  return { node, readOnly: node.isReadOnly };
}

/**
 * Information on each of `nodes`, in slices. All media are asked before this returns, so that the answers belong together; of many nodes
 * that alone takes long, so everything else is done afterwards.
 */
async function informing<Asked extends AskedNode, Info>(
  nodes: readonly Asked[],
  info: (asked: Asked, medium: MediumInfo) => Info,
): Promise<Info[]> {
  const media = await Promise.all(nodes.map(({ node }) => node.protocol.medium()));
  return inSlices(informingSteps(nodes, media, info), LIST_SLICE_LENGTH);
}

function* informingSteps<Asked, Info>(
  nodes: readonly Asked[],
  media: readonly MediumInfo[],
  info: (asked: Asked, medium: MediumInfo) => Info,
): Generator<void, Info[]> {
  const all: Info[] = [];
  for (const [index, asked] of nodes.entries()) {
    all.push(info(asked, present(media[index], "every node has a medium")));
    yield;
  }
  return all;
}

const queryNamedBlockNodes = defineCommand({
  name: "query-named-block-nodes",
  /** `flat` leaves out backing images; there are none here. */
  arguments: () => z.strictObject({ flat: z.boolean().optional() }),
  result: () => z.array(nodeInfoSchema()),
  run: (_given, { host }) => informing(host.graph.nodes.toReversed().map(asking), nodeInfo),
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
interface ListedNode extends AskedNode {
  readonly driveId: string;
  readonly qdev: string | undefined;
  readonly ioStatus: ScsiBlock["ioStatus"];
}

function blockInfo(listed: ListedNode, medium: MediumInfo): z.output<ReturnType<typeof blockInfoSchema>> {
  const { driveId, qdev, ioStatus } = listed;
  return {
    device: driveId,
    ...(qdev === undefined ? {} : { qdev }),
    type: "unknown",
    removable: false,
    locked: false,
    ...(ioStatus === null ? {} : { "io-status": ioStatus }),
    inserted: nodeInfo(listed, medium),
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
      return {
        node,
        readOnly: node.isReadOnly,
        driveId: node.nodeName,
        qdev: user === undefined ? undefined : nameOf(user),
        ioStatus: ioStatusOf(user),
      };
    }),
    ...devices
      .filter((device) => !names.has(device.drive))
      .map((device) => ({ ...asking(host.graph.node(device.drive)), driveId: "", qdev: nameOf(device), ioStatus: ioStatusOf(device) })),
  ];
}

const queryBlock = defineCommand({
  name: "query-block",
  arguments: noArgumentsSchema,
  result: () => z.array(blockInfoSchema()),
  run: (_given, { host }) => informing(listedNodes(host), blockInfo),
});

/** See the file text. */
export const BLOCK_COMMANDS: readonly QmpCommand[] = [blockdevAdd, blockdevDel, blockdevReopen, queryBlock, queryNamedBlockNodes];
