/** Arguments: a format and the file to write, again and again. */
import { createRequire } from "node:module";
import { rollup } from "rollup";

const bundle = await rollup({
  input: "main.js",
  external: /^node:/,
  plugins: [{ name: "installed", resolveId: (id) => (id === "qom-pr" ? createRequire(import.meta.url).resolve(id) : null) }],
});
const words = process.argv.slice(2);
for (let at = 0; at < words.length; at += 2) await bundle.write({ format: words[at], file: words[at + 1], inlineDynamicImports: true });
