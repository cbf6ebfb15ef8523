/** Memory whose address may stand in a structure for C. */

import { addressOf } from "./libc.js";

/**
 * A zeroed block of memory at an address that never changes, owned by this object: there is nothing to release, and the one rule is
 * that whoever hands `address` to C keeps this object reachable until C is done with it.
 */
export class NativeMemory {
  /** The block. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same block for multi-byte fields; C structures are little-endian here. */
  readonly view: DataView<ArrayBuffer>;
  /** Address of the first byte, aligned to at least 8. */
  readonly address: bigint;

  constructor(sizeBytes: number) {
    const buffer = new ArrayBuffer(sizeBytes);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = addressOf(buffer);
  }
}
