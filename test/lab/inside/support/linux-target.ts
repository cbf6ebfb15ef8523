/**
 * A logical unit of the kernel's own target (LIO), reached through three ports of tcm_loop: set up by configfs
 * (Documentation/target of Linux). One for each guest: names and serial number are those of the recordings.
 */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { deviceNodes } from "./scsi-host.js";
import type { DeviceNodes } from "./scsi-host.js";

const TARGET = "/sys/kernel/config/target";
const LOOPBACK = `${TARGET}/loopback`;
const STORE = `${TARGET}/core/fileio_0`;
const DEVICE = `${STORE}/d0`;

const MEDIUM = "/tmp/lun";
/** Capacity of the unit. */
const UNIT_SIZE_BYTES = 16 * 1024 * 1024;
/** Unit serial number; NAA designator and the name of the file of APTPL follow from it. */
const UNIT_SERIAL = "11112222-3333-4444-5555-666677778888";

/** One way to the unit. */
export interface TargetPath extends DeviceNodes {
  /** Initiator port, a SAS address: `naa.` and 16 digits. */
  readonly initiator: string;
}

/** The unit and its paths, through target ports 1, 2 and so on. */
export class LinuxTarget {
  readonly paths: readonly TargetPath[];

  private constructor(paths: readonly TargetPath[]) {
    this.paths = paths;
  }

  /**
   * Makes the unit and logs in.
   * @param initiators initiator port of each path
   * @param explicitAccess access by a list of initiators, as ALL_TG_PT needs it, and not for whoever comes
   */
  static async create(initiators: readonly string[], explicitAccess: boolean): Promise<LinuxTarget> {
    writeFileSync(MEDIUM, new Uint8Array(UNIT_SIZE_BYTES));
    mkdirSync(DEVICE, { recursive: true });
    writeFileSync(`${DEVICE}/control`, `fd_dev_name=${MEDIUM},fd_dev_size=${UNIT_SIZE_BYTES}`);
    writeFileSync(`${DEVICE}/enable`, "1");
    writeFileSync(`${DEVICE}/wwn/vpd_unit_serial`, UNIT_SERIAL);
    const paths: TargetPath[] = [];
    for (const [index, initiator] of initiators.entries()) {
      paths.push({ initiator, ...(await logIn(portGroup(index), initiator, explicitAccess)) });
    }
    return new LinuxTarget(paths);
  }
}

/** Folder of a target port group; the port's name is that of the recordings. */
function portGroup(index: number): string {
  return `${LOOPBACK}/naa.600140500000000${index + 1}/tpgt_1`;
}

async function logIn(group: string, initiator: string, explicitAccess: boolean): Promise<DeviceNodes> {
  mkdirSync(`${group}/lun/lun_0`, { recursive: true });
  // The link makes tcm_loop look for the unit, and without a nexus it finds none.
  if (!explicitAccess) writeFileSync(`${group}/nexus`, initiator);
  symlinkSync(DEVICE, `${group}/lun/lun_0/port`);
  const address = readFileSync(`${group}/address`, "utf8").trim();
  if (explicitAccess) {
    mkdirSync(`${group}/acls/${initiator}/lun_0`, { recursive: true });
    symlinkSync(`${group}/lun/lun_0`, `${group}/acls/${initiator}/lun_0/port`);
    writeFileSync(`${group}/nexus`, initiator);
    writeFileSync(`/sys/class/scsi_host/host${address.split(":")[0]}/scan`, "0 1 -");
  }
  return deviceNodes(`${address}:0`);
}
