/** A folder in which the package is installed as a user has it, beside other packages of this project. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { makeFolder, removeFolder } from "../../support/folder.js";

/** Root of this project. */
export const PROJECT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));

/** What a user gets of it, as far as programs are concerned. */
const PARTS = ["package.json", "lib", "bin"];

/** See the file text. */
export class UserFolder {
  readonly path = makeFolder();

  /** @param packages of this project's node_modules, which the folder gets too */
  constructor(packages: readonly string[], { library = true }: { readonly library?: boolean } = {}) {
    writeFileSync(join(this.path, "package.json"), JSON.stringify({ private: true, type: "module" }));
    mkdirSync(join(this.path, "node_modules"));
    for (const name of packages) symlinkSync(join(PROJECT, "node_modules", name), join(this.path, "node_modules", name));
    if (library) for (const part of PARTS) cpSync(join(PROJECT, part), join(this.path, "node_modules/qom-pr", part), { recursive: true });
  }

  /** Runs a program of JavaScript there. @throws Error with what it wrote to standard error, if it fails */
  run(...args: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: this.path, encoding: "utf8" });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`exit status ${status}: ${stderr}`);
    return stdout;
  }

  /** Runs a text of JavaScript, and reads what it prints as JSON. */
  evaluate(code: string): unknown {
    return JSON.parse(this.run("--input-type=module", "--eval", code));
  }

  remove(): void {
    removeFolder(this.path);
  }
}
