/** The folders of this project, and its manifest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the project. */
export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** What the compiler makes of src/: declarations, and a file of JavaScript for each source. */
export const COMPILED = join(PROJECT, "dist");
/** What users run. */
export const BUNDLED = join(PROJECT, "lib");

/** package.json. @type {{ version: string, dependencies: Record<string, string> }} */
export const MANIFEST = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
