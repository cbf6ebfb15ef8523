/** Arguments: the format, the file to write. */
import { basename, dirname } from "node:path";
import { build } from "vite";

const [format, file] = process.argv.slice(2);
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
