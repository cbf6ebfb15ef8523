/** Memory that is about to be filled. */

/**
 * A large block of malloc(3) begins 16 bytes into a page, and copying to there from the beginning of a page, as the kernel does from its
 * page cache, takes six times as long on many processors: each load seems to depend on the store before it (addresses are compared by
 * their last 12 bits). So far from the block's beginning it does not.
 */
const HEAD_BYTES = 48;

/** Blocks from this size on begin there. */
const LARGE_BYTES = 64 * 1024;

/**
 * `length` bytes of any content, which may be what this process had in memory before: for who writes all of them before anybody else sees
 * one. Filling a megabyte with zeros takes as long as reading it from the page cache. Nothing else of the memory is in the same ArrayBuffer,
 * but up to 48 zeros before them.
 */
export function unfilledBytes(length: number): Uint8Array<ArrayBuffer> {
  const head = length < LARGE_BYTES ? 0 : HEAD_BYTES;
  const { buffer } = Buffer.allocUnsafeSlow(head + length);
  new Uint8Array(buffer, 0, head).fill(0);
  return new Uint8Array(buffer, head, length);
}
