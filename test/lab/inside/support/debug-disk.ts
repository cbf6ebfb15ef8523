/** A disk of scsi_debug, a module of the kernel that plays a disk and has errors on demand. */

import { writeFileSync } from "node:fs";
import { loadModule } from "./modules.js";
import { deviceAddresses, deviceNodes } from "./scsi-host.js";
import type { DeviceNodes } from "./scsi-host.js";
import { eventually } from "./wait.js";

const DRIVER = "/sys/bus/pseudo/drivers/scsi_debug";

/** Bits of its `opts`. */
export const DebugOption = Object.freeze({ MEDIUM_ERROR: 2, TIMEOUT: 4 });

/** The sector whose reading fails with {@link DebugOption}.MEDIUM_ERROR. */
export const BAD_SECTOR = 0x1234;

/** Capacity in blocks of 512 bytes. */
export const DEBUG_BLOCKS = 16_384;

/** Timer ticks of this kernel in a second. */
const TICKS_PER_SECOND = 250;

/** Loads the module, once, and tells of its disk. */
export async function debugDisk(): Promise<DeviceNodes> {
  const known = deviceAddresses();
  const parameters = ["dev_size_mb=8", "delay=0", "max_luns=1", "num_tgts=1"];
  loadModule("scsi_debug", parameters);
  return deviceNodes(await eventually(() => deviceAddresses().find((address) => !known.includes(address))));
}

/** Has the disk fail in this way, every time; 0 stands for a healthy disk. */
export function setErrors(options: number): void {
  writeFileSync(`${DRIVER}/opts`, String(options));
  writeFileSync(`${DRIVER}/every_nth`, options === 0 || options === DebugOption.MEDIUM_ERROR ? "0" : "1");
}

/** Has it answer reads and writes after some seconds; waits until it is idle, as the module wants it. */
export async function setDelay(seconds: number): Promise<void> {
  await eventually(() => {
    try {
      writeFileSync(`${DRIVER}/delay`, String(seconds * TICKS_PER_SECOND));
      return true;
    } catch {
      return null;
    }
  });
}

/** Sense data in descriptor format, or in fixed format. */
export function setDescriptorSense(on: boolean): void {
  writeFileSync(`${DRIVER}/dsense`, on ? "1" : "0");
}

/** Pulls the disk out. */
export function unplug(): void {
  writeFileSync(`${DRIVER}/add_host`, "-1");
}
