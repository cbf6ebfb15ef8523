/** What scripts are made of. */
import { QemuRecord } from "../support/qemu-record.js";
import type { Transcript } from "./conversation.js";

/** QEMU's answers by name of the script. */
export const RECORD = new QemuRecord<Transcript>("qmp-compare/record");

/** How the answer to a step is compared. */
export type Comparison =
  /** The value itself; lists in any order. */
  | "value"
  /** Names and types of what is in it. */
  | "shape"
  /** The members of each element that are named, `image.limits` for one that is deeper. */
  | readonly string[];

/** One message to the server. */
export interface Step {
  /** Text as it is, or a message to be printed. */
  readonly send: string | object;
  readonly as?: Comparison;
  /** An event that is waited for before the next step: it comes when it comes. */
  readonly until?: string;
}

/** A conversation from the greeting on. */
export interface Script {
  readonly name: string;
  /** Whether negotiation is the first step (default: yes). */
  readonly raw?: boolean;
  /** Whether the greeting is compared: once is enough. */
  readonly greeting?: boolean;
  /** Whether a machine with a PCI bus and an HBA `s0` is needed. */
  readonly hba?: boolean;
  readonly steps: readonly Step[];
}

/** A command. */
export function run(execute: string, args?: object, as?: Comparison): Step {
  return { send: args === undefined ? { execute } : { execute, arguments: args }, ...(as === undefined ? {} : { as }) };
}

/** Messages as they are, negotiation included. */
export function raw(name: string, ...texts: readonly (string | object)[]): Script {
  return { name, raw: true, steps: texts.map((send) => ({ send })) };
}

/** Commands to a machine without anything. */
export function script(name: string, ...steps: readonly Step[]): Script {
  return { name, steps };
}

/** Commands to a machine with an HBA. */
export function onHba(name: string, ...steps: readonly Step[]): Script {
  return { name, hba: true, steps };
}

/** Unplugs a device and waits for its end. */
export function unplug(id: string): Step {
  return { ...run("device_del", { id }), until: "DEVICE_DELETED" };
}

/** The first command of every session. */
export const CAPABILITIES = { execute: "qmp_capabilities" };
/** A PR manager. */
export const HELPER = { "qom-type": "pr-manager-helper", id: "h0", path: "$HELPER" };
/** Nodes: of a file, of a device, and of a device with the manager. */
export const DISK_NODE = { driver: "raw", "node-name": "hd", file: { driver: "file", filename: "$FILE" } };
export const NULL_NODE = { driver: "host_device", "node-name": "n", filename: "/dev/null" };
export const HELPED_NODE = { ...NULL_NODE, "pr-manager": "h0" };
/** Members of query-named-block-nodes whose values mean something here. */
export const NODE_MEMBERS = ["node-name", "drv", "ro", "file"];
/** The same of those that have a state. */
export const NODE_STATE = ["node-name", "active", "children", "cache", "detect_zeroes", "image.virtual-size"];
/** Of its image. */
export const NODE_IMAGE = ["node-name", "image.limits", "image.format-specific", "image.format", "image.dirty-flag"];
