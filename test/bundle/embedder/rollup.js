/** Arguments: the format, the file to write. */
import { createRequire } from "node:module";
import { rollup } from "rollup";

const [format, file] = process.argv.slice(2);
const bundle = await rollup({
  input: "main.js",
  external: /^node:/,
  plugins: [{ name: "installed", resolveId: (id) => (id === "qom-pr" ? createRequire(import.meta.url).resolve(id) : null) }],
});
await bundle.write({ format, file, inlineDynamicImports: true });
