/** Files that a user names: short ones, read whole, and never more of them than their limit, since a device may have no end. */
import { closeSync, openSync, readSync } from "node:fs";

/**
 * Reads a file, or what a pipe gives, to its end.
 * @param file a path, or a descriptor, which stays open
 * @returns null when there are more than `limitBytes`
 * @throws the errors of node:fs
 */
export function readBounded(file: string | number, limitBytes: number): Buffer | null {
  const fd = typeof file === "number" ? file : openSync(file, "r");
  try {
    const room = Buffer.alloc(limitBytes + 1);
    let length = 0;
    while (length < room.length) {
      const count = readSync(fd, room, length, room.length - length, null);
      if (count === 0) return room.subarray(0, length);
      length += count;
    }
    return null;
  } finally {
    if (fd !== file) closeSync(fd);
  }
}
