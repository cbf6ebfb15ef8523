/** The version of this package, for the programs' --version and for monitors. */
import { readFileSync } from "node:fs";
import { assert } from "./assert.js";

/** Put here when this file is bundled; a bundle may lie anywhere. */
declare const BUNDLED_VERSION: string | undefined;

/**
 * `version` of package.json, read at the first call. A program that serves for long makes that at its start: later the file may be gone, as
 * when the package is replaced, or no descriptor be left to open it. The value is the same whoever asks, so it is no state.
 */
export const packageVersion: () => string = readOnce();

function readOnce(): () => string {
  let version: string | undefined;
  return () => (version ??= readVersion());
}

function readVersion(): string {
  if (typeof BUNDLED_VERSION === "string") return BUNDLED_VERSION;
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : undefined;
  assert(typeof version === "string", "this package's own manifest has a version");
  return version;
}
