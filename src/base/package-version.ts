/** The version of this package, for the programs' --version and for monitors. */
import { readFileSync } from "node:fs";
import { assert } from "./assert.js";

/** `version` of package.json; read at each call, which a program makes once. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : undefined;
  assert(typeof version === "string", "this package's own manifest has a version");
  return version;
}
