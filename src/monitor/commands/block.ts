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
import type { QemuAnswers } from "../../qemu/compat.js";
import { defineCommand, noArgumentsSchema, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { asking, nodeInfo, nodeInfoSchema } from "../node-info.js";
import type { AskedNode } from "../node-info.js";
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

/** `flat` leaves out backing images; there are none here. */
const flatArguments = lazily(() => z.strictObject({ flat: z.boolean().optional() }));

function queryNamedBlockNodes(answers: QemuAnswers): QmpCommand {
  return defineCommand({
    name: "query-named-block-nodes",
    arguments: flatArguments,
    result: () => z.array(nodeInfoSchema(answers)),
    run: (_given, { host }) =>
      informing(
        host.graph.nodes.toReversed().map((node) => asking(node, host.graph)),
        (asked, medium) => nodeInfo(asked, medium, host),
      ),
  });
}

/** Drives, and nodes that a device uses (QAPI: BlockInfo). `qdev` is the device's id, or its path when it has none. */
function blockInfoSchema(answers: QemuAnswers) {
  return z.strictObject({
    device: z.string(),
    qdev: z.string().optional(),
    type: z.string(),
    removable: z.boolean(),
    locked: z.boolean(),
    "io-status": z.enum(["ok", "failed", "nospace"]).optional(),
    inserted: nodeInfoSchema(answers).optional(),
  });
}

/** A node that is listed, with the id of its drive, or "", and what to call the device that uses it. */
interface ListedNode extends AskedNode {
  readonly driveId: string;
  readonly qdev: string | undefined;
  readonly ioStatus: ScsiBlock["ioStatus"];
}

function blockInfo(listed: ListedNode, medium: MediumInfo, host: MonitorHost): z.output<ReturnType<typeof blockInfoSchema>> {
  const { driveId, qdev, ioStatus } = listed;
  return {
    device: driveId,
    ...(qdev === undefined ? {} : { qdev }),
    type: "unknown",
    removable: false,
    locked: false,
    ...(ioStatus === null ? {} : { "io-status": ioStatus }),
    inserted: nodeInfo(listed, medium, host),
  };
}

/** Drives first, then the nodes of devices that use no drive. */
function listedNodes({ graph, devices: { all } }: MonitorHost): readonly ListedNode[] {
  const { drives } = graph;
  const devices = all.filter((device) => device instanceof ScsiDevice);
  const nameOf = (device: ScsiDevice): string => givenId(device) ?? device.canonicalPath ?? "";
  const users = new Map<string, ScsiDevice>();
  // Of several devices on a node the oldest is named.
  for (const device of devices.toReversed()) users.set(device.drive, device);
  const names = new Set(drives.map(({ nodeName }) => nodeName));
  const listed = (node: BlockNode, driveId: string, user: ScsiDevice | undefined): ListedNode => {
    // Of many nodes a spread would take longer than all else here.
    const { readOnly, active, children } = asking(node, graph);
    const qdev = user === undefined ? undefined : nameOf(user);
    return { node, readOnly, active, children, driveId, qdev, ioStatus: user instanceof ScsiBlock ? user.ioStatus : null };
  };
  return [
    ...drives.map((node) => listed(node, node.nodeName, users.get(node.nodeName))),
    ...devices.filter(({ drive }) => !names.has(drive)).map((device) => listed(graph.node(device.drive), "", device)),
  ];
}

function queryBlock(answers: QemuAnswers): QmpCommand {
  return defineCommand({
    name: "query-block",
    arguments: answers.nodeState ? flatArguments : noArgumentsSchema,
    result: () => z.array(blockInfoSchema(answers)),
    run: (_given, { host }) => informing(listedNodes(host), (listed, medium) => blockInfo(listed, medium, host)),
  });
}

/** Which nodes take requests (QEMU 10.0). */
const blockdevSetActive = defineCommand({
  name: "blockdev-set-active",
  arguments: () => z.strictObject({ "node-name": z.string().optional(), active: z.boolean() }),
  result: nothingSchema,
  run: async (given, { host }) => {
    await host.graph.setActive(given["node-name"] ?? null, given.active);
    return {};
  },
});

/** See the file text. */
export function blockCommands(answers: QemuAnswers): readonly QmpCommand[] {
  return [blockdevAdd, blockdevDel, blockdevReopen, blockdevSetActive, queryBlock(answers), queryNamedBlockNodes(answers)];
}
