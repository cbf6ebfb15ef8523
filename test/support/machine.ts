/** Machines for tests: the two command lines of the documentation, with what varies as arguments. */
import { parseSense } from "qom-pr";
import type { ScsiResult } from "qom-pr";

/** The unit that tests use. */
export const WWN = "naa.5000000000000001";

/** The `file.*` members that stand for /dev/sdb. */
export interface Disk {
  readonly wwn?: string;
  readonly filename?: string;
  readonly initiator?: string;
  readonly size?: string;
}

function members(disk: Disk, manager: string | null): string {
  const { wwn = WWN, ...rest } = disk;
  const given = Object.entries({ wwn, ...rest }).map(([name, value]) => `file.${name}=${value}`);
  return ["file.driver=sim-lun", ...given, ...(manager === null ? [] : [`file.pr-manager=${manager}`])].join(",");
}

/** The two ways of the documentation to say the same machine. */
export const COMMAND_LINES = {
  drive: (disk: Disk, manager: string | null): string[] => ["-drive", `if=none,id=hd,driver=raw,${members(disk, manager)}`],
  blockdev: (disk: Disk, manager: string | null): string[] => ["-blockdev", `node-name=hd,driver=raw,${members(disk, manager)}`],
} as const;

/** Which of {@link COMMAND_LINES}. */
export type CommandLine = keyof typeof COMMAND_LINES;

/**
 * Arguments of a machine with one disk.
 * @param object text of -object, whose id is `pr0`; null for a disk without a manager
 */
export function machineArguments(line: CommandLine, object: string | null, disk: Disk = {}, device = "scsi-block"): string[] {
  return [
    ["-device", "virtio-scsi"],
    object === null ? [] : ["-object", object],
    COMMAND_LINES[line](disk, object === null ? null : "pr0"),
    ["-device", `${device},drive=hd,id=disk0`],
  ].flat();
}

/** A result in one word: `GOOD`, `RC`, `0B/00/06` for a CHECK CONDITION, else the status in hexadecimal. */
export function outcome(result: ScsiResult): string {
  if (result.status === 0x00) return "GOOD";
  if (result.status === 0x18) return "RC";
  const sense = result.status === 0x02 ? parseSense(result.sense) : null;
  if (sense === null) return `${result.status.toString(16)}h`;
  return [sense.key, sense.asc, sense.ascq].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("/");
}
