/** What a row of the table comes to: the same for QEMU and for this library. */
import type { QomErrorKind } from "#src/base/errors.js";

/** A value as JSON; integers of 64 bits are strings of digits, since JSON.parse would round them. */
export type Read = null | boolean | string | number | readonly Read[] | { readonly [name: string]: Read };

/** Refused for what kind of reason; `type` stands for the three kinds that QEMU does not tell apart. */
export type Family = Exclude<QomErrorKind, "unknown-type" | "abstract-type" | "wrong-type"> | "type";

/**
 * Values by the name of what was made (object id, node name, device id), and whether a spelling is deprecated; or refused; or help was
 * asked for.
 */
export type Result = { readonly accepted: Readonly<Record<string, Read>>; readonly warned?: true } | { readonly refused: Family } | "help";

/** Properties that are read back, by type. */
export const READ_BACK: Readonly<Record<string, readonly string[]>> = {
  secret: ["data", "format"],
  iothread: ["poll-max-ns"],
  "authz-list": ["policy", "rules"],
  "memory-backend-ram": ["size", "share"],
  "virtio-rng-pci": ["max-bytes", "period", "event_idx"],
  "virtio-scsi-pci": ["num_queues", "virtqueue_size", "max_sectors", "cmd_per_lun", "hotplug", "param_change"],
};

/** The members in order of their names: QEMU's order is arbitrary. */
export function sorted(values: Iterable<readonly [string, Read]>): Record<string, Read> {
  return Object.fromEntries([...values].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
