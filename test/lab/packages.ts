/** Packages of node_modules together with everything they need. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Folders of the packages `names` of the project in `root`, and of what they depend on; optional ones as far as they are installed.
 * @throws Error for a package that is not installed
 */
export function packageFolders(root: string, names: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  const add = (from: string, name: string, optional: boolean): void => {
    const folder = resolvePackage(root, from, name);
    if (folder === null && optional) return;
    if (folder === null) throw new Error(`package ${name}, which ${from} needs, is not installed: run npm ci`);
    if (folders.has(folder)) return;
    folders.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(folder);
    const optionalNames = Object.keys(optionalDependencies);
    for (const dependency of Object.keys(dependencies)) add(folder, dependency, optionalNames.includes(dependency));
    for (const dependency of optionalNames) add(folder, dependency, true);
  };
  for (const name of names) add(root, name, false);
  return [...folders];
}

/** What the project itself needs when it runs. */
export function productionPackages(root: string): readonly string[] {
  return Object.keys(readManifest(root).dependencies ?? {});
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** As Node looks for it: in node_modules beside the package that wants it, then further up. */
function resolvePackage(root: string, from: string, name: string): string | null {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
  }
  return null;
}
