/** The build that figures are compared with: an older one, in a folder of its own, which QOM_PR_BASE names. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Library from "qom-pr";

/** What a line says that needs it and has none. */
export const NO_BASE = "needs QOM_PR_BASE=FOLDER, a folder with an older build";

/** That folder, null when none is named. */
export function baseFolder(): string | null {
  return process.env["QOM_PR_BASE"] ?? null;
}

/** The library in that folder, loaded into this process beside the one that is measured. */
export async function baseLibrary(): Promise<typeof Library | null> {
  const folder = baseFolder();
  if (folder === null) return null;
  return (await import(pathToFileURL(join(folder, "dist", "index.js")).href)) as typeof Library; // an older one of the same shape
}
