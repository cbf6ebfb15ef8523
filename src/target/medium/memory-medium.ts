/** A medium in memory that costs only what was written. */

import { requireRange } from "./medium.js";
import type { Medium } from "./medium.js";

/** Unit of allocation: small enough for scattered writes (file system metadata), large enough that a full transfer touches few. */
const CHUNK_BYTES = 64 * 1024;

/** Bytes in memory, in chunks that exist from the first write on; the rest reads as zero. Every operation is done on return. */
export class MemoryMedium implements Medium {
  readonly fd = null;
  readonly deallocates = true;
  readonly fillsAll = true;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(readonly sizeBytes: number) {}

  /** Bytes of memory that the medium holds. */
  get allocatedBytes(): number {
    return this.#chunks.size * CHUNK_BYTES;
  }

  read(offset: number, into: Uint8Array): null {
    requireRange(this, offset, into.length);
    for (let done = 0; done < into.length;) {
      const start = (offset + done) % CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, into.length - done);
      const chunk = this.#chunks.get(Math.floor((offset + done) / CHUNK_BYTES));
      if (chunk === undefined) into.fill(0, done, done + length);
      else into.set(chunk.subarray(start, start + length), done);
      done += length;
    }
    return null;
  }

  write(offset: number, data: Uint8Array): null {
    requireRange(this, offset, data.length);
    for (let done = 0; done < data.length;) {
      const start = (offset + done) % CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, data.length - done);
      this.#chunk(Math.floor((offset + done) / CHUNK_BYTES)).set(data.subarray(done, done + length), start);
      done += length;
    }
    return null;
  }

  /** Whole chunks of the range are freed, parts of chunks at its ends are filled with zero. */
  deallocate(offset: number, length: number): void {
    requireRange(this, offset, length);
    const end = offset + length;
    const firstWhole = Math.ceil(offset / CHUNK_BYTES);
    const endWhole = Math.floor(end / CHUNK_BYTES);
    if (firstWhole > endWhole) {
      this.#zero(offset, end);
      return;
    }
    this.#zero(offset, firstWhole * CHUNK_BYTES);
    this.#zero(endWhole * CHUNK_BYTES, end);
    // a range may cover far more chunks than exist, or far fewer
    if (endWhole - firstWhole < this.#chunks.size) {
      for (let index = firstWhole; index < endWhole; index += 1) this.#chunks.delete(index);
      return;
    }
    for (const index of this.#chunks.keys()) {
      if (index >= firstWhole && index < endWhole) this.#chunks.delete(index);
    }
  }

  flush(): null {
    return null;
  }

  async close(): Promise<void> {
    this.#chunks.clear();
  }

  #chunk(index: number): Uint8Array {
    const existing = this.#chunks.get(index);
    if (existing !== undefined) return existing;
    const created = new Uint8Array(CHUNK_BYTES);
    this.#chunks.set(index, created);
    return created;
  }

  /** Zeroes a range that lies in one chunk. */
  #zero(start: number, end: number): void {
    if (start === end) return;
    const index = Math.floor(start / CHUNK_BYTES);
    this.#chunks.get(index)?.fill(0, start - index * CHUNK_BYTES, end - index * CHUNK_BYTES);
  }
}
