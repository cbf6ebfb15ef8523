/** Arguments: a format and the file to write, again and again. */
import { basename, dirname } from "node:path";
import { build } from "vite";

const words = process.argv.slice(2);
for (let at = 0; at < words.length; at += 2) {
  const [format, file] = words.slice(at);
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: true },
    build: {
      ssr: "main.js",
      outDir: dirname(file),
      emptyOutDir: false,
      rolldownOptions: { output: { format, entryFileNames: basename(file), codeSplitting: false } },
    },
  });
}
