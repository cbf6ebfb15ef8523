/** What a user of a disk image says of it: what it does there, what others may do, and whether locks enforce that. */

/** `locking=` of QEMU's `file` driver: locks where the system has them, locks or a refusal, no locks. */
export const LOCKINGS = ["auto", "on", "off"] as const;

/** One of {@link LOCKINGS}. */
export type Locking = (typeof LOCKINGS)[number];

/** What a user of an image does with it, and what it lets others do. Everybody reads, and lets others read. */
export interface ImageAccess {
  readonly writes: boolean;
  /** Others may write too. */
  readonly sharesWrites: boolean;
}
