/** Which QEMU tests compare with: the one on PATH, whose answers are recorded for two versions. */
import { spawnSync } from "node:child_process";
import type Mocha from "mocha";
import { QEMU_VERSIONS } from "#src/qemu/compat.js";
import type { QemuVersion } from "#src/qemu/compat.js";
import { skipUnlessRequired } from "./requirement.js";

const PROGRAM = "qemu-system-x86_64";

/** The version of the program on PATH, `7.2.22`; null where there is none. */
function versionOnPath(): string | null {
  const { status, stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? null) : null;
}

function recordedVersion(version: string): QemuVersion | undefined {
  return QEMU_VERSIONS.find((known) => version.startsWith(`${known}.`));
}

/** The version of the QEMU that is installed. @throws Error where there is none, or one whose answers are not recorded */
export function installedVersion(): QemuVersion {
  const version = versionOnPath();
  const recorded = version === null ? undefined : recordedVersion(version);
  if (recorded === undefined) throw new Error(`no QEMU ${QEMU_VERSIONS.join(" or ")} but ${version ?? "none"}`);
  return recorded;
}

/**
 * The same for a test, which is skipped without one.
 * @param packages of Debian and Ubuntu that have what it needs
 */
export function requireQemu(context: Mocha.Context, packages: string): QemuVersion {
  const version = versionOnPath();
  if (version === null) return skipUnlessRequired(context, `there is no QEMU: apt-get install ${packages}`);
  return (
    recordedVersion(version) ??
    skipUnlessRequired(context, `QEMU ${version} is installed, and the answers of ${QEMU_VERSIONS.join(" and ")} are recorded`)
  );
}
