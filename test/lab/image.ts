/** The first file system of the guest, which is all it has: a shell, the modules, Node and this project as it is compiled. */

import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { CpioArchive } from "./cpio.js";
import { findProgram, withLibraries } from "./host.js";
import type { Kernel } from "./host.js";
import { ModuleTree, withoutSelfWait } from "./kernel-modules.js";
import { packageFolders, productionPackages } from "./packages.js";

/** Where the project lies in the guest. */
const PROJECT = "/project";

/** Modules that are loaded at the start, and those that a test may load. */
const MODULES = { atStart: ["sd_mod", "sg", "target_core_file", "tcm_loop"], onDemand: ["scsi_debug", "dm_round_robin"] } as const;

/** Programs of the host without which some tests are skipped. */
const OPTIONAL_PROGRAMS = ["qemu-pr-helper", "dmsetup"];

/** Packages that tests need beside those of production: what programs have bundled, the compiled files have not. */
const TEST_PACKAGES = ["mocha", "chai", "reflect-metadata", "tsyringe"];

/** Parts of packages that no program needs; koffi's sources are some megabytes. */
const SUPERFLUOUS = /^\/(?:vendor|doc|musl_x64)\//;

/** Files of the project that the guest gets. */
const PROJECT_FILES = ["package.json", "dist", "lib", "bin", "build/test", "test/vectors"];

/** What varies. */
export interface ImageOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly kernel: Kernel;
}

/** How the tests are run. */
export interface RunOptions {
  /** Arguments of mocha. */
  readonly mochaArguments: readonly string[];
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Writes the archive of everything but the start of the tests. */
export function writeImage(path: string, { root, kernel }: ImageOptions): void {
  const archive = new CpioArchive(path);
  for (const folder of ["/dev", "/proc", "/sys", "/tmp", "/run", "/var/target/pr", "/var/target/alua"]) archive.folder(folder);
  archive.link("/var/run", "/run");
  // For programs that begin with "#!/usr/bin/env".
  archive.link("/usr/bin", "/bin");
  archive.copy(join(root, "test/lab/init"), "/init", { executable: true });
  addProgram(archive, findProgram("busybox"), "/bin/busybox");
  addProgram(archive, process.execPath, "/bin/node");
  for (const program of OPTIONAL_PROGRAMS) addProgram(archive, findProgram(program), `/bin/${program}`);
  addModules(archive, kernel);
  for (const file of PROJECT_FILES) addTree(archive, root, join(root, file));
  for (const folder of packageFolders(root, [...productionPackages(root), ...TEST_PACKAGES])) addPackage(archive, root, folder);
  archive.close();
}

/** Writes the archive with the script that starts the tests. The kernel unpacks several archives behind each other. */
export function writeStart(path: string, options: RunOptions): void {
  const archive = new CpioArchive(path);
  archive.add("/lab/run", runScript(options), { executable: true });
  archive.close();
}

/** The shell script that runs the tests; its exit status is mocha's. */
function runScript({ mochaArguments, environment }: RunOptions): string {
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  const command = ["exec", "node", "--conditions=qom-pr-source", "node_modules/mocha/bin/mocha.js", ...mochaArguments.map(quote)].join(" ");
  return ["#!/bin/sh", ...variables, `cd ${PROJECT}`, command, ""].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function addProgram(archive: CpioArchive, program: string | null, path: string): void {
  if (program === null) return;
  const [, ...libraries] = withLibraries(program);
  archive.copy(realpathSync(program), path, { executable: true });
  for (const library of libraries) archive.copy(library, library, { executable: true });
}

/**
 * Modules as /lib/modules/NAME.ko; the file of what a module depends on, in the order of loading, is NAME.order. target_core_mod is there
 * twice, changed and, as target_core_mod.stock.ko, as Debian built it.
 */
function addModules(archive: CpioArchive, kernel: Kernel): void {
  const tree = new ModuleTree(kernel.modules);
  const order = (names: readonly string[]): string =>
    [...new Set(names.flatMap((name) => tree.closure(name).map((module) => module.name)))].join("\n");
  for (const name of [...MODULES.atStart, ...MODULES.onDemand]) {
    for (const module of tree.closure(name)) {
      const target = module.name === "target_core_mod";
      if (target) archive.add("/lib/modules/target_core_mod.stock.ko", module.contents);
      archive.add(`/lib/modules/${module.name}.ko`, target ? withoutSelfWait(module.contents) : module.contents);
    }
    archive.add(`/lib/modules/${name}.order`, `${order([name])}\n`);
  }
  archive.add("/lib/modules/start.order", `${order(MODULES.atStart)}\n`);
}

function addPackage(archive: CpioArchive, root: string, folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    // A package below it is added by itself, if anyone needs it.
    const inside = relative(folder, source);
    if (!entry.isFile() || inside.startsWith("node_modules/") || (isKoffi(folder) && SUPERFLUOUS.test(`/${inside}`))) continue;
    archive.copy(source, join(PROJECT, relative(root, source)));
  }
}

function isKoffi(folder: string): boolean {
  return /\/(?:koffi|@koromix\/[^/]+)$/.test(folder);
}

/** Adds a file of the project, or a folder with all files below it. */
function addTree(archive: CpioArchive, root: string, path: string): void {
  const below = readdirSync(root, { withFileTypes: true });
  const isFile = below.some((entry) => entry.isFile() && join(root, entry.name) === path);
  const files = isFile
    ? [path]
    : readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".map") && !entry.name.endsWith(".d.ts"))
        .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files) {
    const executable = (statSync(file).mode & 0o100) !== 0;
    archive.copy(file, join(PROJECT, relative(root, file)), { executable });
  }
}
