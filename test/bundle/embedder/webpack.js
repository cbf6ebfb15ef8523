/** Arguments: a format and the file to write, again and again. */
import { basename, dirname } from "node:path";
import webpack from "webpack";

const words = process.argv.slice(2);
const configurations = Array.from({ length: words.length / 2 }, (_, index) => {
  const [format, file] = words.slice(2 * index);
  const isModule = format === "esm";
  return {
    mode: "production",
    target: "node20",
    entry: "./main.js",
    optimization: { minimize: false },
    experiments: { outputModule: isModule },
    output: { path: dirname(file), filename: basename(file), ...(isModule ? { module: true, chunkFormat: "module" } : {}) },
    plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
  };
});
const compiler = webpack(configurations);
compiler.run((error, stats) => {
  if (error !== null) throw error;
  if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
  compiler.close(() => undefined);
});
