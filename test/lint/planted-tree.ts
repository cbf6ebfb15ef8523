/** A small project in a temporary folder, with mistakes planted in it, and the lint tools to find them. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { makeFolder, removeFolder } from "../support/folder.js";

/** Root folder of this project. */
export const PROJECT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));

/** For a suite that runs tools: each takes a second or two, more on a machine that is busy. */
export const TOOL_TIMEOUT_MS = 60_000;

/** How a tool ended. */
export interface ToolRun {
  readonly status: number | null;
  readonly stdout: string;
  /** Both streams, for a message when an expectation fails. */
  readonly output: string;
}

/** Files of a temporary folder, by their path in it. */
export class PlantedTree {
  readonly directory = realpathSync(makeFolder());

  /** @param files text by path; @param copied files and folders taken from this project as they are */
  constructor(files: Readonly<Record<string, string>>, copied: readonly string[] = []) {
    symlinkSync(join(PROJECT, "node_modules"), join(this.directory, "node_modules"));
    for (const path of copied) cpSync(join(PROJECT, path), join(this.directory, path), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, path)), { recursive: true });
      writeFileSync(join(this.directory, path), text);
    }
  }

  /** Runs a program of node_modules/.bin in the tree. */
  run(tool: string, ...options: string[]): ToolRun {
    return this.spawn(join(PROJECT, "node_modules", ".bin", tool), options);
  }

  /** Runs a script of this project on the tree. */
  runScript(script: string, ...options: string[]): ToolRun {
    return this.spawn(process.execPath, [script, ...options]);
  }

  /** Deletes the folder. */
  remove(): void {
    removeFolder(this.directory);
  }

  private spawn(program: string, options: readonly string[]): ToolRun {
    const { status, stdout, stderr, error } = spawnSync(program, options, { cwd: this.directory, encoding: "utf8" });
    if (error !== undefined) throw error;
    return { status, stdout, output: `${stdout}${stderr}` };
  }
}

/** The text of a file of this project. */
export function projectFile(path: string): string {
  return readFileSync(join(PROJECT, path), "utf8");
}
