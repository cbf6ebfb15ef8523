/** Block nodes as monitors show them: in query-named-block-nodes, and as `inserted` in query-block (QEMU: qapi/block-core.json, BlockDeviceInfo). */
import * as z from "zod";
import type { BlockGraph } from "../block/graph.js";
import { inertOptionsOf } from "../block/inert-options.js";
import type { BlockNode, MediumInfo } from "../block/node.js";
import type { QemuAnswers } from "../qemu/compat.js";
import type { MonitorHost } from "./host.js";

/** What QEMU has memory for I/O begin at multiples of, if it can choose: a page. */
const OPTIMAL_MEMORY_ALIGNMENT = 4096;

/** Most pieces of memory of a request (IOV_MAX of Linux). */
const PIECES_MAX = 1024;

/** What direct I/O needs of a medium that says nothing else. */
const BLOCK_BYTES_DEFAULT = 512;

/** QAPI: BlockLimitsInfo. */
const limitsSchema = () =>
  z.strictObject({
    "request-alignment": z.int(),
    "max-hw-transfer": z.int().optional(),
    "max-iov": z.int(),
    "max-hw-iov": z.int().optional(),
    "min-mem-alignment": z.int(),
    "opt-mem-alignment": z.int(),
  });

/** Members of an image that QEMU 7.2 does not have. */
const newImageMembers = () => ({
  limits: limitsSchema(),
  "format-specific": z.strictObject({ type: z.enum(["file"]), data: z.strictObject({}) }).optional(),
});

/** The same of a node. */
const newNodeMembers = () => ({
  active: z.boolean(),
  children: z.array(z.strictObject({ child: z.string(), "node-name": z.string() })),
});

const schemaOf = ({ nodeState }: QemuAnswers) =>
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
    image: z.strictObject({
      filename: z.string(),
      format: z.string(),
      "virtual-size": z.int(),
      "dirty-flag": z.boolean(),
      ...(nodeState ? newImageMembers() : {}),
    }),
    ...(nodeState ? newNodeMembers() : {}),
  });

/** Of a node of a machine that follows that QEMU. Limits of throughput and what concerns encryption and snapshots is always 0 here. */
export const nodeInfoSchema: (answers: QemuAnswers) => ReturnType<typeof schemaOf> = schemaOf;

/** What is told of a node. */
export type NodeInfo = z.output<ReturnType<typeof nodeInfoSchema>>;

/** A node, and what of it may be another at the next moment. */
export interface AskedNode {
  readonly node: BlockNode;
  readonly readOnly: boolean;
  readonly active: boolean;
  readonly children: ReturnType<BlockGraph["childrenOf"]>;
}

/** The node as it is at this moment. Of many nodes that is asked at once, so it is no more than that. */
export function asking(node: BlockNode, graph: BlockGraph): AskedNode {
  return { node, readOnly: node.isReadOnly, active: node.takesRequests, children: graph.childrenOf(node) };
}

/** The node at the end of a chain. */
function mediumNode({ node, children: [below] }: Pick<AskedNode, "node" | "children">, graph: BlockGraph): BlockNode {
  return below === undefined ? node : mediumNode({ node: below.node, children: graph.childrenOf(below.node) }, graph);
}

/** As {@link nodeInfoSchema} describes it. */
export function nodeInfo(asked: AskedNode, medium: MediumInfo, { graph, answers }: Pick<MonitorHost, "graph" | "answers">): NodeInfo {
  const { node, readOnly, active, children } = asked;
  const { cache, detectZeroes } = inertOptionsOf(node);
  return {
    "node-name": node.nodeName,
    drv: node.typeName,
    file: medium.name,
    ro: readOnly,
    encrypted: false,
    backing_file_depth: 0,
    detect_zeroes: detectZeroes,
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops: 0,
    iops_rd: 0,
    iops_wr: 0,
    write_threshold: 0,
    cache: { writeback: true, direct: cache.direct, "no-flush": cache["no-flush"] },
    image: {
      filename: medium.name,
      format: node.typeName,
      "virtual-size": medium.sizeBytes,
      "dirty-flag": false,
      ...(answers.nodeState ? newImageInfo(asked, medium, graph) : {}),
    },
    ...(answers.nodeState
      ? { active, children: children.map(({ name, node: child }) => ({ child: name, "node-name": child.nodeName })) }
      : {}),
  };
}

/** A format passes requests on whatever they are multiples of; the memory for them is what the node below needs. */
function newImageInfo(asked: AskedNode, medium: MediumInfo, graph: BlockGraph): Pick<NodeInfo["image"], "limits" | "format-specific"> {
  const { blockSizeBytes = BLOCK_BYTES_DEFAULT, hardware = {}, specificKind } = medium;
  const hasMedium = asked.children.length === 0;
  const alignment = inertOptionsOf(mediumNode(asked, graph)).cache.direct ? blockSizeBytes : 1;
  return {
    limits: {
      "request-alignment": hasMedium ? alignment : 1,
      ...(hardware.transferBytesMax === undefined ? {} : { "max-hw-transfer": hardware.transferBytesMax }),
      "max-iov": PIECES_MAX,
      ...(hardware.segmentsMax === undefined ? {} : { "max-hw-iov": hardware.segmentsMax }),
      "min-mem-alignment": alignment,
      "opt-mem-alignment": Math.max(alignment, OPTIMAL_MEMORY_ALIGNMENT),
    },
    ...(hasMedium && specificKind !== undefined ? { "format-specific": { type: specificKind, data: {} } } : {}),
  };
}
