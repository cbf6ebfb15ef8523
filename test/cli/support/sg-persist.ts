/** The sg_persist that `qom-pr persist` is compared with, and what its versions do differently. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { CannedAnswer } from "../../support/canned-disk.js";

/** A sg_persist of this machine. */
export interface SgPersist {
  readonly path: string;
  /** As it says itself, times 100: 67 is that of sg3_utils 1.46, 73 that of 1.48. */
  readonly version: number;
}

/** sg_persist of sg3_utils 1.46; greater versions have the exit statuses of 1.47. */
export const VERSION_OF_1_46 = 67;

/** The newest one in the folders of PATH; null where there is none. */
export function newestSgPersist(): SgPersist | null {
  const paths = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "sg_persist"));
  const found = paths
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      const { status, stderr, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
      const [, major, minor] = /version: (\d+)\.(\d+)/.exec(`${stderr}${stdout}`) ?? [];
      return status === 0 && major !== undefined && minor !== undefined ? [{ path, version: Number(major) * 100 + Number(minor) }] : [];
    });
  return found.toSorted((a, b) => b.version - a.version)[0] ?? null;
}

/** An answer of a disk, and the exit statuses that stand for it. */
export interface VersionDifference {
  readonly answer: string;
  readonly canned: CannedAnswer;
  /** Up to sg3_utils 1.46. */
  readonly before: number;
  /** From 1.47 on, and of ours. */
  readonly since: number;
}

function sense(key: number, asc: number, ascq: number): CannedAnswer {
  return { status: 2, driverStatus: 8, sense: Uint8Array.of(0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0) };
}

/** THE table of what the versions differ in; docs/cli.md has it too. Printed text is the same in all of them. */
export const VERSION_DIFFERENCES: readonly VersionDifference[] = [
  { answer: "02/04/0B, target port in standby state", canned: sense(2, 4, 0x0b), before: 2, since: 12 },
  { answer: "02/04/0C, target port in unavailable state", canned: sense(2, 4, 0x0c), before: 2, since: 13 },
  { answer: "05/26/00, invalid field in parameter list", canned: sense(5, 0x26, 0), before: 5, since: 19 },
  { answer: "no connection (host status 01h)", canned: { hostStatus: 0x01 }, before: 0, since: 35 },
  { answer: "time-out (host status 03h)", canned: { hostStatus: 0x03 }, before: 0, since: 35 },
  { answer: "reset (host status 08h)", canned: { hostStatus: 0x08 }, before: 0, since: 35 },
  { answer: "reset, with a unit attention", canned: { ...sense(6, 0x29, 0), hostStatus: 0x08 }, before: 0, since: 35 },
  { answer: "conflict on the nexus (host status 11h)", canned: { hostStatus: 0x11 }, before: 0, since: 35 },
  { answer: "the same, with status RESERVATION CONFLICT", canned: { hostStatus: 0x11, status: 0x18 }, before: 0, since: 35 },
];
