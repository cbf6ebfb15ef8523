/**
 * Recognising dm-multipath devices. SG_IO on one goes to whichever path is current, so a registration would be made on that path alone,
 * and the guest's I/O on the others would run into its own reservation.
 *
 *     /sys/dev/block/MAJOR:MINOR/dm/uuid        mpath-360000000000000000e00000000010001      (multipath-tools)
 *     /sys/dev/block/MAJOR:MINOR/slaves/dm-N    what a device lies on: a partition or a volume on a multipath device
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isErrnoError } from "../../base/errors.js";
import { deviceName } from "../../base/device-number.js";
import type { FileType } from "../../native/file/type.js";

/** What multipath-tools begins its device-mapper UUIDs with. */
const MULTIPATH_PREFIX = "mpath-";

/** Devices lie on one another a few levels deep. sysfs has no cycles, and this does not depend on it. */
const DEPTH_MAX = 8;

/**
 * Major numbers of SCSI disks (Linux: admin-guide/devices.txt). The device mapper has none of these, and a look at sysfs would take as long
 * as the rest of a command.
 */
const SCSI_DISK_MAJORS: ReadonlySet<number> = new Set([8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135]);

/** Looks devices up in sysfs. */
export class MultipathDetector {
  readonly #blockDevices: string;

  /** @param sysfs where it is mounted */
  constructor(sysfs = "/sys") {
    this.#blockDevices = join(sysfs, "dev/block");
  }

  /**
   * `MAJOR:MINOR` when `file` is a dm-multipath device or lies on one, else null. When sysfs cannot be read for another reason than that
   * it says nothing of the device, the device counts as one. Does not wait for the device.
   */
  find(file: FileType): string | null {
    if (file.kind !== "block" || SCSI_DISK_MAJORS.has(file.major)) return null;
    const number = deviceName(file);
    return this.isMultipath(number) ? number : null;
  }

  /** The same for a device number, as `MAJOR:MINOR`. */
  isMultipath(number: string): boolean {
    try {
      return isMultipath(join(this.#blockDevices, number), 0);
    } catch (error) {
      if (isErrnoError(error)) return true;
      throw error;
    }
  }
}

function isMultipath(folder: string, depth: number): boolean {
  const uuid = orNull(() => readFileSync(join(folder, "dm/uuid"), "latin1"));
  if (uuid === null || depth > DEPTH_MAX) return false;
  if (uuid.startsWith(MULTIPATH_PREFIX)) return true;
  const slaves = orNull(() => readdirSync(join(folder, "slaves"))) ?? [];
  return slaves.some((slave) => isMultipath(join(folder, "slaves", slave), depth + 1));
}

/** ENODEV: the device went away while its file was being read. */
const ABSENT: readonly string[] = ["ENOENT", "ENODEV"];

/** Null where sysfs has no such file: the device is not one of the device mapper. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isErrnoError(error) && ABSENT.includes(error.code)) return null;
    throw error;
  }
}
