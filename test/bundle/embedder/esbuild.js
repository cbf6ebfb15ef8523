/** Arguments: a format and the file to write, again and again. */
import { build } from "esbuild";

const words = process.argv.slice(2);
for (let at = 0; at < words.length; at += 2) {
  const [format, outfile] = words.slice(at);
  await build({ entryPoints: ["main.js"], bundle: true, platform: "node", format, outfile, minify: true, logLevel: "error" });
}
