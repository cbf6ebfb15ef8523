/** How a disk image is used: what the user does, what others may do, and whether locks enforce that. */

/** `locking=` of QEMU's `file` driver: locks where the system has them, locks or a refusal, no locks. */
export const LOCKINGS = ["auto", "on", "off"] as const;

/** One of {@link LOCKINGS}. */
export type Locking = (typeof LOCKINGS)[number];

/** What a user of an image does, and what it lets others do. Reading is always included. */
export interface ImageAccess {
  readonly writes: boolean;
  /** Others may write too. */
  readonly sharesWrites: boolean;
}
