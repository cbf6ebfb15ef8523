/** What is changed, or told, of files on their way into a bundle. */
import { readFileSync } from "node:fs";
import { COMPILED } from "./project.js";

const ENDS_WITH_MAP = /\/\/# sourceMappingURL=.*\s*$/;

/** Leads the source maps of bundles to the TypeScript, beyond what the compiler made of it. @type {import("rolldown").Plugin} */
export const compilersMaps = {
  name: "compilers-maps",
  load(id) {
    if (!id.startsWith(COMPILED)) return null;
    return { code: readFileSync(id, "utf8").replace(ENDS_WITH_MAP, ""), map: readFileSync(`${id}.map`, "utf8") };
  },
};

/**
 * zod keeps its registry and its configuration on globalThis, where all copies share them: an embedder's `z.config()` would configure ours.
 * Here each of its files that does has an object of its own in that place. @type {import("rolldown").Plugin}
 */
export const zodWithoutGlobals = {
  name: "zod-without-globals",
  transform: {
    filter: { id: /[\\/]node_modules[\\/]zod[\\/]/, code: /\bglobalThis\b/ },
    // In the same line, so that the map stays right.
    handler: (code) => ({ code: `const ownScope = {};${code.replaceAll(/\bglobalThis\b/g, "ownScope")}`, map: null }),
  },
};
