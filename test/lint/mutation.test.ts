/** Mutation testing is described as it is: docs/mutation.md has a line for each file that is mutated, and names the versions. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PROJECT, projectFile } from "./planted-tree.js";

interface Config {
  readonly mutate: readonly string[];
}

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** A pattern of the configuration: `*` stands for a name or a part of one, `**` for folders or none. */
function matcher(pattern: string): RegExp {
  const source = pattern.replaceAll(".", String.raw`\.`).replaceAll(/\*\*\/|\*/g, (stars) => (stars === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${source}$`);
}

describe("docs/mutation.md", () => {
  const page = projectFile("docs/mutation.md");

  it("has a line for each file that is mutated, and no other", () => {
    const { mutate } = JSON.parse(projectFile("tools/mutation/stryker.config.json")) as Config;
    const matchers = mutate.map(matcher);
    const sources = readdirSync(join(PROJECT, "src"), { recursive: true, encoding: "utf8" }).map((path) => `src/${path}`);
    for (const pattern of matchers)
      expect(
        sources.filter((path) => pattern.test(path)),
        String(pattern),
      ).to.not.deep.equal([]);
    const mutated = sources.filter((path) => matchers.some((pattern) => pattern.test(path)));
    const lines = Array.from(page.matchAll(/^\| `(src\/[^`]+)` +\|/gm), ([, path]) => path);
    expect(lines).to.deep.equal(mutated.toSorted());
  });

  it("names the versions that are installed", () => {
    const { devDependencies, optionalDependencies } = JSON.parse(projectFile("tools/mutation/package.json")) as Manifest;
    expect(page).to.contain(`Stryker ${devDependencies["@stryker-mutator/core"]}`);
    for (const version of Object.values(optionalDependencies)) expect(page).to.contain(`Node ${version}`);
  });
});
