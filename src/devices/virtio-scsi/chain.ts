/** Descriptor chains: the buffers of one request, as a transport takes them from a virtqueue (virtio 1.2, 2.6.4). */

/** The buffers of one request, as views of the guest's memory and in the order of the chain. Where one ends and the next begins means nothing. */
export interface VirtioChain {
  /** What the driver has written for the device. */
  readonly readable: readonly Uint8Array[];
  /** What the device writes into. */
  readonly writable: readonly Uint8Array[];
}

/** Bytes of all segments together. A segment that a hostile driver repeats counts each time. */
export function lengthOf(segments: readonly Uint8Array[]): number {
  let length = 0;
  for (const segment of segments) length += segment.length;
  return length;
}

/** A copy of `length` bytes from `offset` on; shorter when there are fewer. The guest cannot change it any more. */
export function copyOf(segments: readonly Uint8Array[], offset: number, length: number): Uint8Array {
  const view = viewIn(segments, offset, length);
  // A Buffer's own slice would be another view.
  if (view !== null) return new Uint8Array(view);
  const copy = new Uint8Array(Math.max(0, Math.min(length, lengthOf(segments) - offset)));
  walk(segments, offset, copy.length, (part, at) => {
    copy.set(part, at);
  });
  return copy;
}

/** Bytes that begin with the first `length` of all: the first segment where it has them, which costs nothing, else a copy of them. */
export function headOf(segments: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = segments;
  return first !== undefined && first.length >= length ? first : copyOf(segments, 0, length);
}

/** Those bytes where they are, if one segment has all of them, and itself if it has no others; else null. */
export function viewIn(segments: readonly Uint8Array[], offset: number, length: number): Uint8Array | null {
  let before = 0;
  for (const segment of segments) {
    const from = offset - before;
    if (from === 0 && length === segment.length && length > 0) return segment;
    if (from < segment.length) return from + length <= segment.length ? segment.subarray(from, from + length) : null;
    before += segment.length;
  }
  return null;
}

/** Writes `bytes` into the segments from `offset` on, as far as there is room. */
export function writeTo(segments: readonly Uint8Array[], offset: number, bytes: Uint8Array): void {
  walk(segments, offset, bytes.length, (part, at) => {
    part.set(bytes.subarray(at, at + part.length));
  });
}

/** Calls `visit` with the pieces of a range and where in the range each begins. */
function walk(segments: readonly Uint8Array[], offset: number, length: number, visit: (part: Uint8Array, at: number) => void): void {
  let before = 0;
  for (const segment of segments) {
    const from = Math.max(0, offset - before);
    const to = Math.min(segment.length, offset + length - before);
    if (from < to) visit(segment.subarray(from, to), before + from - offset);
    before += segment.length;
    if (before >= offset + length) return;
  }
}
