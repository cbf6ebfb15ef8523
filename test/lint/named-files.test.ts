/** Comments name files of this project: by their path below src, or by the bare name where that is in the same room. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PROJECT } from "./planted-tree.js";

const NAME = /(?<![\w./-])(?:[\w-]+\/)*[a-z][\w-]*\.ts\b/g;

describe("the files that comments name", () => {
  const source = join(PROJECT, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const roomOf = (file: string): string => file.slice(0, file.indexOf("/") + 1);

  /** Whether a comment of `file` may mean a file by `name`. */
  function exists(name: string, file: string): boolean {
    if (name.includes("/")) return files.includes(name.startsWith("src/") ? name.slice("src/".length) : name);
    return files.some((other) => roomOf(other) === roomOf(file) && other.endsWith(`/${name}`));
  }

  it("are there", () => {
    expect(files).to.include("index.ts");
    const missing: string[] = [];
    for (const file of files) {
      const lines = readFileSync(join(source, file), "utf8").split("\n");
      for (const line of lines.filter((each) => /^\s*(?:\/?\*|\/\/)/.test(each))) {
        for (const [name] of line.matchAll(NAME)) if (!exists(name, file)) missing.push(`${file}: ${name}`);
      }
    }
    expect(missing).to.deep.equal([]);
  });
});
