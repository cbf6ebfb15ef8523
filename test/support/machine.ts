/** Machines for tests: the two command lines of the documentation, with what varies as arguments. */
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
