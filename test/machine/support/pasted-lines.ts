/**
 * Whole command lines, as libvirt, Proxmox and people write them for QEMU. A disk of the host is `DISK`, the socket of its helper `HELPER`,
 * and a folder for sockets `FOLDER`.
 */
import { WWN } from "../../support/machine.js";
import { LIBVIRT } from "./libvirt-lines.js";
import { MORE } from "./more-lines.js";
import type { PastedLine } from "./pasted-line.js";
import { USERS } from "./user-lines.js";

/** All of them. */
export const PASTED_LINES: readonly PastedLine[] = [...LIBVIRT, ...USERS, ...MORE];

/** The line with simulated disks for those of the host, a manager in memory for the helper, and a folder that exists. */
export function standIn({ argv }: PastedLine, folder: string): readonly string[] {
  return argv.map((word) =>
    word
      .replace('"driver":"host_device","filename":"DISK"', `"driver":"sim-lun","wwn":"${WWN}"`)
      .replace(/driver=host_device,(file\.)?filename=DISK/, (_, prefix: string | undefined) => `driver=sim-lun,${prefix ?? ""}wwn=${WWN}`)
      .replace('"qom-type":"pr-manager-helper"', '"qom-type":"pr-manager-memory"')
      .replace('"path":"HELPER"', '"fabric":""')
      .replace(',"fabric":""', "")
      .replace(/pr-manager-helper,id=(\w+),path=HELPER/, "pr-manager-memory,id=$1")
      .replace("FOLDER", folder),
  );
}
