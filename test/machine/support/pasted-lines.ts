/**
 * Whole command lines, as libvirt, Proxmox and people write them for QEMU. A disk of the host is `DISK`, the socket of its helper `HELPER`,
 * and a folder for sockets `FOLDER`.
 */
import { WWN } from "../../support/machine.js";
import { LIBVIRT } from "./libvirt-lines.js";
import { LIBVIRT_LOGS } from "./libvirt-log-lines.js";
import { MANAGERS } from "./manager-lines.js";
import { MORE } from "./more-lines.js";
import type { PastedLine } from "./pasted-line.js";
import { PLAIN } from "./plain-lines.js";
import { USERS } from "./user-lines.js";

/** All of them. */
export const PASTED_LINES: readonly PastedLine[] = [...LIBVIRT, ...LIBVIRT_LOGS, ...MANAGERS, ...USERS, ...PLAIN, ...MORE];

/** What stands in for what is in a word, in JSON and in text. */
const STAND_INS: readonly (readonly [RegExp, string])[] = [
  [/"driver": ?"host_device"(?=.*"filename": ?"DISK")/, '"driver":"sim-lun"'],
  [/"filename": ?"DISK"/, `"wwn":"${WWN}"`],
  [/"path": ?"HELPER",? ?/, ""],
  [/,(?=\}$)/, ""],
  [/"qom-type": ?"pr-manager-helper"/, '"qom-type":"pr-manager-memory"'],
  [/pr-manager-helper,id=(\w+),path=HELPER/, "pr-manager-memory,id=$1"],
  [/driver=host_device,(file\.)?filename=DISK/, `driver=sim-lun,$1wwn=${WWN}`],
  [/^file=DISK/, `file.driver=sim-lun,file.wwn=${WWN}`],
];

/** The line with simulated disks for those of the host, a manager in memory for the helper, and a folder that exists. */
export function standIn({ argv }: PastedLine, folder: string): readonly string[] {
  return argv.map((word) => STAND_INS.reduce((text, [what, instead]) => text.replace(what, instead), word).replace("FOLDER", folder));
}
