/** Block nodes as monitors show them: in query-named-block-nodes, and as `inserted` in query-block (QEMU: qapi/block-core.json, BlockDeviceInfo). */
import * as z from "zod";
import { present } from "../base/assert.js";
import type { BlockGraph } from "../block/graph.js";
import { inertOptionsOf } from "../block/inert-options.js";
import type { InertOptions } from "../block/inert-options.js";
import type { BlockNode, MediumInfo } from "../block/node.js";
import type { QemuAnswers } from "../qemu/compat.js";

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

/** What differs from node to node, at the moment of the question. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly driver: string;
  readonly readOnly: boolean;
  readonly active: boolean;
  readonly options: InertOptions;
  /** The options of the node that has the medium. */
  readonly ofMedium: InertOptions;
  readonly children: readonly { readonly child: string; readonly "node-name": string }[];
  readonly hasMedium: boolean;
  readonly medium: MediumInfo;
}

/** Begins to ask all of them before it returns, so that the answers belong together. */
export async function factsOf(nodes: readonly BlockNode[], graph: BlockGraph): Promise<readonly NodeFacts[]> {
  const known = nodes.map((node) => {
    const children = graph.childrenOf(node);
    return {
      nodeName: node.nodeName,
      driver: node.typeName,
      readOnly: node.isReadOnly,
      active: node.active,
      options: inertOptionsOf(node),
      ofMedium: inertOptionsOf(mediumNode(node, graph)),
      children: children.map(({ name, node: child }) => ({ child: name, "node-name": child.nodeName })),
      hasMedium: children.length === 0,
    };
  });
  const media = await Promise.all(nodes.map((node) => node.protocol.medium()));
  return known.map((facts, index) => ({ ...facts, medium: present(media[index], "every node has a medium") }));
}

/** The node at the end of a chain. */
function mediumNode(node: BlockNode, graph: BlockGraph): BlockNode {
  const [below] = graph.childrenOf(node);
  return below === undefined ? node : mediumNode(below.node, graph);
}

/** As {@link nodeInfoSchema} describes it. */
export function nodeInfo(facts: NodeFacts, { nodeState }: QemuAnswers): NodeInfo {
  const { nodeName, driver, readOnly, options, medium } = facts;
  return {
    "node-name": nodeName,
    drv: driver,
    file: medium.name,
    ro: readOnly,
    encrypted: false,
    backing_file_depth: 0,
    detect_zeroes: options.detectZeroes,
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops: 0,
    iops_rd: 0,
    iops_wr: 0,
    write_threshold: 0,
    cache: { writeback: true, direct: options.cache.direct, "no-flush": options.cache["no-flush"] },
    image: {
      filename: medium.name,
      format: driver,
      "virtual-size": medium.sizeBytes,
      "dirty-flag": false,
      ...(nodeState ? newImageInfo(facts) : {}),
    },
    ...(nodeState ? { active: facts.active, children: [...facts.children] } : {}),
  };
}

/** A format passes requests on whatever they are multiples of; the memory for them is what the node below needs. */
function newImageInfo({ ofMedium, hasMedium, medium }: NodeFacts): Pick<NodeInfo["image"], "limits" | "format-specific"> {
  const { blockSizeBytes = BLOCK_BYTES_DEFAULT, hardware = {}, specificKind } = medium;
  const alignment = ofMedium.cache.direct ? blockSizeBytes : 1;
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
