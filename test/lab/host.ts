/** What the laboratory takes from the host: programs, their shared libraries, and the kernel as Debian packages it. */

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Something that is not installed. */
export interface MissingProgram {
  readonly program: string;
  /** Debian package that has it. */
  readonly package: string;
}

/** Programs that there is no laboratory without, and the packages that have them. */
const NEEDED: readonly MissingProgram[] = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86" },
  { program: "busybox", package: "busybox-static" },
  { program: "apt-get", package: "apt" },
  { program: "dpkg-deb", package: "dpkg" },
  { program: "ldd", package: "libc-bin" },
];

/** The meta package that always depends on the newest kernel of the distribution. */
const KERNEL_PACKAGE = "linux-image-amd64";

/** Path of a program, or null where it is not installed. */
export function findProgram(program: string): string | null {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/sbin", "/bin", "/sbin"]) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // the next folder may have it
    }
  }
  return null;
}

/** Those of {@link NEEDED} that are not installed. */
export function missingPrograms(): readonly MissingProgram[] {
  return NEEDED.filter(({ program }) => findProgram(program) === null);
}

/** The program and the shared libraries it is linked with, as paths. */
export function withLibraries(program: string): readonly string[] {
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  return [program, ...stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map((found) => (typeof found === "string" ? found : (found[1] ?? "")));
}

/** A kernel, unpacked. */
export interface Kernel {
  /** `6.1.0-56-amd64`, for example. */
  readonly release: string;
  readonly image: string;
  readonly modules: string;
}

/**
 * Debian's newest kernel, from `folder` if it is there and by `apt-get download` if not.
 * @throws Error that says what apt said
 */
export function fetchKernel(folder: string): Kernel {
  const name = kernelPackage();
  const unpacked = join(folder, name);
  if (!existsSync(unpacked)) {
    const scratch = join(folder, "download");
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true });
    downloadPackage(name, scratch);
    const [archive] = readdirSync(scratch).filter((file) => file.endsWith(".deb"));
    if (archive === undefined) throw new Error(`apt-get download ${name} left no package in ${scratch}`);
    run("dpkg-deb", ["--extract", archive, "tree"], scratch);
    renameSync(join(scratch, "tree"), unpacked);
    rmSync(scratch, { recursive: true });
  }
  const [release = ""] = readdirSync(join(unpacked, "lib", "modules"));
  return { release, image: join(unpacked, "boot", `vmlinuz-${release}`), modules: join(unpacked, "lib", "modules", release) };
}

function kernelPackage(): string {
  const find = (): string | undefined => {
    const { stdout } = spawnSync("apt-cache", ["depends", "--important", KERNEL_PACKAGE], { encoding: "utf8" });
    return /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  };
  const known = find();
  if (known !== undefined) return known;
  updateLists();
  const name = find();
  if (name === undefined) throw new Error(`apt knows no package ${KERNEL_PACKAGE}: the laboratory needs Debian's kernel`);
  return name;
}

function downloadPackage(name: string, folder: string): void {
  try {
    run("apt-get", ["download", "--quiet", name], folder);
  } catch {
    // The lists may name a version that the archive has replaced since.
    updateLists();
    run("apt-get", ["download", "--quiet", name], folder);
  }
}

function updateLists(): void {
  if (process.getuid?.() !== 0) throw new Error(`apt cannot find ${KERNEL_PACKAGE}: run apt-get update as root`);
  run("apt-get", ["update", "--quiet"], "/");
}

function run(program: string, options: readonly string[], folder: string): void {
  const { status, stdout, stderr } = spawnSync(program, options, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${options.join(" ")} failed:\n${stdout}${stderr}`);
}
