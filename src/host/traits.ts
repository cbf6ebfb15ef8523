/** What Linux reports about a device in /sys/dev (Documentation/ABI/stable/sysfs-block of Linux). */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrnoError } from "../base/errors.js";
import { deviceName, splitDeviceNumber } from "../base/device-number.js";
import type { HostTraits } from "../scsi/unit.js";

/** Major number of the sg driver's nodes (Documentation/admin-guide/devices.txt: SCSI_GENERIC_MAJOR). */
const GENERIC_MAJOR = 21;

/** A segment of a request is a page at least, and pages are no smaller than this. */
const SEGMENT_BYTES = 4096;

/** Sectors of sysfs have this size, whatever the device's own. */
const SYSFS_SECTOR_BYTES = 512;

/** A device node. */
export interface DeviceFile {
  readonly kind: "block" | "character";
  /** As stat(2) gives it. */
  readonly rdev: number;
}

/** Reads the traits of a device node. Without a queue in /sys there is no limit. */
export async function readHostTraits(device: DeviceFile): Promise<HostTraits> {
  const isGeneric = device.kind === "character" && splitDeviceNumber(device.rdev).major === GENERIC_MAJOR;
  return { genericNode: isGeneric, transferBytesMax: await transferLimit(await queuesOf(device)) };
}

/** What Linux reports about the medium of a device. */
export interface HostMedium {
  /** 0 if not known, as for a character device. Node cannot get the size of a block device from a descriptor. */
  readonly sizeBytes: number;
  /** Logical block size; 1 for a character device, whose blocks nobody counts. */
  readonly blockSizeBytes: number;
  /** Limits of one transfer. */
  readonly hardware: { readonly transferBytesMax?: number; readonly segmentsMax?: number };
}

/** Reads what there is to know of the medium at this moment. */
export async function readHostMedium(device: DeviceFile): Promise<HostMedium> {
  const queues = await queuesOf(device);
  const limitOf = async (file: string): Promise<number> =>
    (await Promise.all(queues.map((queue) => readNumber(join(queue, file))))).find((limit) => limit > 0) ?? 0;
  const [transferKilobytes, segmentsMax] = [await limitOf("max_sectors_kb"), await limitOf("max_segments")];
  const hardware = {
    ...(transferKilobytes > 0 ? { transferBytesMax: transferKilobytes * 1024 } : {}),
    ...(segmentsMax > 0 ? { segmentsMax } : {}),
  };
  if (device.kind !== "block") return { sizeBytes: 0, blockSizeBytes: 1, hardware };
  const sectors = await readNumber(`/sys/dev/block/${deviceName(splitDeviceNumber(device.rdev))}/size`);
  const blockSizeBytes = await limitOf("logical_block_size");
  return { sizeBytes: sectors * SYSFS_SECTOR_BYTES, blockSizeBytes: blockSizeBytes > 0 ? blockSizeBytes : SYSFS_SECTOR_BYTES, hardware };
}

/** Folders in which there may be the queue of a device. */
async function queuesOf({ kind, rdev }: DeviceFile): Promise<readonly string[]> {
  const device = deviceName(splitDeviceNumber(rdev));
  if (kind === "block") return [`/sys/dev/block/${device}/queue`, `/sys/dev/block/${device}/../queue`];
  return queuesBelow(`/sys/dev/char/${device}/device/block`);
}

/** Queues of the disk behind an sg node. */
async function queuesBelow(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).map((disk) => join(folder, disk, "queue"));
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return [];
  }
}

/** Limit of the first queue that is found. QEMU: get_max_hw_transfer and get_max_hw_iov of block/file-posix.c. */
async function transferLimit(queues: readonly string[]): Promise<number | null> {
  for (const queue of queues) {
    const kilobytes = await readNumber(join(queue, "max_sectors_kb"));
    const segments = await readNumber(join(queue, "max_segments"));
    const limits = [kilobytes * 1024, segments * SEGMENT_BYTES].filter((limit) => limit > 0);
    if (limits.length > 0) return Math.min(...limits);
  }
  return null;
}

/** The number in a file of sysfs; 0 if there is none. */
async function readNumber(path: string): Promise<number> {
  try {
    const value = Number(await readFile(path, "utf8"));
    return Number.isSafeInteger(value) ? value : 0;
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return 0;
  }
}
