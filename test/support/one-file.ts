/** Programs of tests that are started again and again, as one file each: a process that opens a hundred takes twice as long to start. */
import { existsSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Root of the project, seen from build/test/support. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Puts the compiled module `file` and all that it imports into one file in `folder`; gives the path of that. */
export async function inOneFile(file: string, folder: string): Promise<string> {
  const outfile = join(folder, basename(file).replace(/\.js$/, ".mjs"));
  // koffi finds its native code beside itself.
  const dependencies = join(folder, "node_modules");
  if (!existsSync(dependencies)) symlinkSync(join(ROOT, "node_modules"), dependencies);
  await build({ entryPoints: [file], outfile, bundle: true, platform: "node", format: "esm", external: ["koffi"], logLevel: "error" });
  return outfile;
}
