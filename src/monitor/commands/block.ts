/** Commands about block nodes (QEMU: qapi/block-core.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import type { BlockNode } from "../../block/node.js";
import { reopen } from "../../block/reopen.js";
import { givenId } from "../../devices/set/device-set.js";
import { ScsiDevice } from "../../devices/disk/scsi-device.js";
import type { OptionMap } from "../../options/value.js";
import { defineCommand, noArguments, nothing, type QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";

const blockdevAdd = defineCommand({
  name: "blockdev-add",
  arguments: () => z.looseObject({ driver: z.string(), "node-name": z.string().optional() }),
  result: nothing,
  run: async (_given, { host }, raw) => {
    await host.graph.open(raw, "json");
    return {};
  },
});

const blockdevDel = defineCommand({
  name: "blockdev-del",
  arguments: () => z.strictObject({ "node-name": z.string() }),
  result: nothing,
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
  result: nothing,
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

async function nodeInfo(node: BlockNode): Promise<z.output<ReturnType<typeof nodeInfoSchema>>> {
  const { name, sizeBytes } = await node.protocol.medium();
  return {
    "node-name": node.nodeName,
    drv: node.typeName,
    file: name,
    ro: node.isReadOnly,
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
    image: { filename: name, format: node.typeName, "virtual-size": sizeBytes, "dirty-flag": false },
  };
}

const queryNamedBlockNodes = defineCommand({
  name: "query-named-block-nodes",
  /** `flat` leaves out images below an image, of which there are none here. */
  arguments: () => z.strictObject({ flat: z.boolean().optional() }),
  result: () => z.array(nodeInfoSchema()),
  run: (_given, { host }) => Promise.all(host.graph.nodes.toReversed().map(nodeInfo)),
});

/** Drives, and nodes that a device uses (QAPI: BlockInfo). `qdev` is the device's id, or its path when it has none. */
const blockInfoSchema = lazily(() =>
  z.strictObject({
    device: z.string(),
    qdev: z.string().optional(),
    type: z.string(),
    removable: z.boolean(),
    locked: z.boolean(),
    inserted: nodeInfoSchema().optional(),
  }),
);

async function blockInfo(
  node: BlockNode,
  driveId: string,
  user: ScsiDevice | undefined,
): Promise<z.output<ReturnType<typeof blockInfoSchema>>> {
  return {
    device: driveId,
    ...(user === undefined ? {} : { qdev: givenId(user) ?? user.canonicalPath ?? "" }),
    type: "unknown",
    removable: false,
    locked: false,
    inserted: await nodeInfo(node),
  };
}

const queryBlock = defineCommand({
  name: "query-block",
  arguments: noArguments,
  result: () => z.array(blockInfoSchema()),
  run: (_given, { host }) => {
    const { drives } = host.graph;
    const devices = scsiDevices(host);
    const ofDrives = drives.map((node) =>
      blockInfo(
        node,
        node.nodeName,
        devices.find((device) => device.drive === node.nodeName),
      ),
    );
    const names = new Set(drives.map((node) => node.nodeName));
    const others = devices.filter((device) => !names.has(device.drive));
    return Promise.all([...ofDrives, ...others.map((device) => blockInfo(host.graph.node(device.drive), "", device))]);
  },
});

function scsiDevices(host: MonitorHost): readonly ScsiDevice[] {
  return host.devices.all.filter((device) => device instanceof ScsiDevice);
}

/** See the file text. */
export const BLOCK_COMMANDS: readonly QmpCommand[] = [blockdevAdd, blockdevDel, blockdevReopen, queryBlock, queryNamedBlockNodes];
