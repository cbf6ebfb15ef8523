/** The package as it is installed, in a folder where a test may take things away from it. */
import { cpSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the project, seen from build/test/support. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What the package consists of beside its dependencies, as far as programs read it. */
export const PACKAGE_PARTS = ["bin", "lib", "package.json"] as const;

/** Puts a copy into `folder`, which exists; its dependencies are the project's. */
export function copyPackage(folder: string): void {
  for (const part of PACKAGE_PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

/** Takes the manifest away, as happens while the package is replaced by another version. */
export function removeManifest(folder: string): void {
  renameSync(join(folder, "package.json"), join(folder, "package.json.old"));
}
