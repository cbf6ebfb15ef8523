/** Commands about block nodes (QEMU: qapi/block-core.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import { present } from "../../base/assert.js";
import { inSlices } from "../../base/slices.js";
import type { BlockNode } from "../../block/node.js";
import { reopen } from "../../block/reopen.js";
import { givenId } from "../../devices/set/device-set.js";
import { ScsiBlock } from "../../devices/disk/scsi-block.js";
import { ScsiDevice } from "../../devices/disk/scsi-device.js";
import type { OptionMap } from "../../options/value.js";
import type { QemuAnswers } from "../../qemu/compat.js";
import { defineCommand, noArgumentsSchema, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { factsOf, nodeInfo, nodeInfoSchema } from "../node-info.js";
import type { NodeFacts } from "../node-info.js";
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

/** One piece of information for each of `items`, as work that can be interrupted. */
function* informing<T, Info>(items: readonly T[], info: (item: T) => Info): Generator<void, Info[]> {
  const all: Info[] = [];
  for (const item of items) {
    all.push(info(item));
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
    run: async (_given, { host: { graph } }) =>
      inSlices(
        informing(await factsOf(graph.nodes.toReversed(), graph), (facts) => nodeInfo(facts, answers)),
        LIST_SLICE_LENGTH,
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
interface ListedNode {
  readonly node: BlockNode;
  readonly driveId: string;
  readonly qdev: string | undefined;
  readonly ioStatus: ScsiBlock["ioStatus"];
}

function blockInfo(
  { driveId, qdev, ioStatus, facts }: Omit<ListedNode, "node"> & { readonly facts: NodeFacts },
  answers: QemuAnswers,
): z.output<ReturnType<typeof blockInfoSchema>> {
  return {
    device: driveId,
    ...(qdev === undefined ? {} : { qdev }),
    type: "unknown",
    removable: false,
    locked: false,
    ...(ioStatus === null ? {} : { "io-status": ioStatus }),
    inserted: nodeInfo(facts, answers),
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

function queryBlock(answers: QemuAnswers): QmpCommand {
  return defineCommand({
    name: "query-block",
    arguments: answers.nodeState ? flatArguments : noArgumentsSchema,
    result: () => z.array(blockInfoSchema(answers)),
    run: async (_given, { host }) => {
      const listed = listedNodes(host);
      const facts = await factsOf(
        listed.map(({ node }) => node),
        host.graph,
      );
      const both = listed.map((each, index) => ({ ...each, facts: present(facts[index], "there are facts of every node") }));
      return inSlices(
        informing(both, (each) => blockInfo(each, answers)),
        LIST_SLICE_LENGTH,
      );
    },
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
