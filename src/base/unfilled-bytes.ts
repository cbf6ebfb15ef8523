/** Memory that will be filled. */

/**
 * A large block of malloc(3) begins 16 bytes into a page. Copying there from the beginning of a page, as the kernel does from its page
 * cache, takes six times as long on many processors: each load seems to depend on the store before it, since only the last 12 bits of
 * addresses are compared. At this distance from the beginning of the block it does not.
 */
const HEAD_BYTES = 48;

/** Blocks of at least this size begin at that distance. */
const LARGE_BYTES = 64 * 1024;

/**
 * `length` uninitialised bytes, which may hold old memory of this process: the caller must write all of them before anybody else sees one.
 * Filling a megabyte with zeros takes as long as reading it from the page cache. The ArrayBuffer contains only these bytes, and up to 48
 * zeros before them.
 */
export function unfilledBytes(length: number): Uint8Array<ArrayBuffer> {
  const head = length < LARGE_BYTES ? 0 : HEAD_BYTES;
  const { buffer } = Buffer.allocUnsafeSlow(head + length);
  new Uint8Array(buffer, 0, head).fill(0);
  return new Uint8Array(buffer, head, length);
}
