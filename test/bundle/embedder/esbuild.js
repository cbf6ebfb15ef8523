/** Arguments: the format, the file to write. */
import { build } from "esbuild";

const [format, outfile] = process.argv.slice(2);
await build({ entryPoints: ["main.js"], bundle: true, platform: "node", format, outfile, minify: true, logLevel: "error" });
