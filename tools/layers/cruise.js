/**
 * Runs dependency-cruiser on a source tree with the rules of rooms.js.
 *
 * dependency-cruiser 17 reads TypeScript with the compiler's JavaScript interface, which TypeScript 7 does not have, and finds no
 * module and no violation with it. So this folder is an npm workspace with a TypeScript 6 of its own, and dependency-cruiser is started
 * through a folder of symbolic links in which that one is its neighbour (node's --preserve-symlinks looks for neighbours by the link).
 * In case any of that breaks, the result is refused unless every source file was read.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RULES } from "./rooms.js";

const RULES_FILE = fileURLToPath(new URL("rooms.js", import.meta.url));
const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The report of a tree of a thousand files is about 3 MB. */
const REPORT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * One broken rule.
 * @typedef {{ rule: string, from: string, to: string, comment: string, cycle: string[] }} Violation
 */

/**
 * What a run found.
 * @typedef {{ modules: number, dependencies: number, violations: Violation[] }} CruiseResult
 */

/**
 * The parts of dependency-cruiser's JSON report that are used here.
 * @typedef {object} Report
 * @property {{ source: string }[]} modules
 * @property {{ totalCruised: number, totalDependenciesCruised?: number, violations: ReportedViolation[] }} summary
 */

/** @typedef {{ from: string, to: string, cycle?: { name: string }[], rule: { name: string } }} ReportedViolation */

/**
 * Checks the `folders` of the tree at `directory`.
 * @param {string} directory
 * @param {readonly string[]} folders
 * @returns {CruiseResult}
 * @throws {Error} when dependency-cruiser fails or has not read every source file
 */
export function cruise(directory, folders) {
  const present = folders.filter((folder) => existsSync(join(directory, folder)));
  const neighbours = mkdtempSync(join(NODE_MODULES, ".layers-"));
  try {
    const files = present.flatMap((folder) => sourceFiles(directory, folder));
    const report = run(linkNeighbours(neighbours), directory, present);
    assertComplete(report, files);
    return summarise(report);
  } finally {
    rmSync(neighbours, { recursive: true, force: true });
  }
}

/**
 * Makes dependency-cruiser and TypeScript 6 neighbours below `folder`; returns the program to start.
 * @param {string} folder
 */
function linkNeighbours(folder) {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(join(typescript, ".."), join(modules, "typescript"));
  symlinkSync(join(NODE_MODULES, "dependency-cruiser"), join(modules, "dependency-cruiser"));
  return join(modules, "dependency-cruiser", "bin", "dependency-cruise.mjs");
}

/**
 * @param {string} program
 * @param {string} directory
 * @param {readonly string[]} folders
 * @returns {Report}
 */
function run(program, directory, folders) {
  const flags = ["--preserve-symlinks", "--preserve-symlinks-main"];
  const ran = spawnSync(process.execPath, [...flags, program, "--config", RULES_FILE, "--output-type", "json", ...folders], {
    cwd: directory,
    encoding: "utf8",
    maxBuffer: REPORT_BYTES_MAX,
  });
  if (ran.error) throw ran.error;
  if (!ran.stdout.startsWith("{")) throw new Error(`dependency-cruiser: ${ran.stderr || ran.stdout}`);
  return JSON.parse(ran.stdout);
}

/**
 * @param {Report} report
 * @returns {CruiseResult}
 */
function summarise(report) {
  return {
    modules: report.summary.totalCruised,
    dependencies: report.summary.totalDependenciesCruised ?? 0,
    violations: report.summary.violations.map((found) => ({
      rule: found.rule.name,
      from: found.from,
      to: found.to,
      comment: RULES.find(({ name }) => name === found.rule.name)?.comment ?? "",
      cycle: (found.cycle ?? []).map((step) => step.name),
    })),
  };
}

/**
 * @param {Report} report
 * @param {readonly string[]} files
 */
function assertComplete(report, files) {
  const { totalCruised, totalDependenciesCruised = 0 } = report.summary;
  if (totalCruised === 0 || totalDependenciesCruised === 0) {
    throw new Error(
      `dependency-cruiser read ${totalCruised} modules and ${totalDependenciesCruised} dependencies: its TypeScript is missing`,
    );
  }
  const read = new Set(report.modules.map((module) => module.source));
  const unread = files.filter((file) => !read.has(file));
  if (unread.length > 0) throw new Error(`dependency-cruiser has not read ${unread.join(", ")}`);
}

/**
 * TypeScript files below `folder`, as paths from `directory`.
 * @param {string} directory
 * @param {string} folder
 */
function sourceFiles(directory, folder) {
  return readdirSync(join(directory, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file}`);
}
