/** Arguments: the format, the file to write. */
import { basename, dirname } from "node:path";
import webpack from "webpack";

const [format, file] = process.argv.slice(2);
const isModule = format === "esm";
const compiler = webpack({
  mode: "production",
  target: "node20",
  entry: "./main.js",
  optimization: { minimize: false },
  experiments: { outputModule: isModule },
  output: { path: dirname(file), filename: basename(file), ...(isModule ? { module: true, chunkFormat: "module" } : {}) },
  plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
});
compiler.run((error, stats) => {
  if (error !== null) throw error;
  if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
  compiler.close(() => undefined);
});
