/** Files of this project that comments and pages name: they are where they are said to be. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

/** Source files named in a line of a comment. */
const NAMED_IN_COMMENT = /(?<![\w./-])[\w/-]+\.ts\b/g;

/** Files named in a page by their path from the root of the project; capitals stand for any name. */
const NAMED_IN_PAGE = /(?<![\w./-])(?:src|test|tools|bench|examples|docs|packaging|findings)\/(?!ROOM)[\w./-]*\.(?:ts|js|md|json|sh)\b/g;

function filesOf(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !file.includes("node_modules"))
    .map((file) => join(folder, file));
}

function roomOf(source: string): string {
  return source.split("/")[1] ?? "";
}

describe("files that are named", () => {
  it("exist, where a comment of a source names them", () => {
    const sources = filesOf("src", ".ts");
    // by the path below src, or by the bare name where that is in the same room
    const isThere = (name: string, source: string): boolean =>
      name.includes("/")
        ? sources.includes(name.startsWith("src/") ? name : `src/${name}`)
        : sources.some((other) => roomOf(other) === roomOf(source) && other.endsWith(`/${name}`));
    const missing = sources.flatMap((source) =>
      readFileSync(source, "utf8")
        .split("\n")
        .filter((line) => /^\s*(?:\/\*\*|\*|\/\/)/.test(line))
        .flatMap((line) => [...line.matchAll(NAMED_IN_COMMENT)].map(([name]) => name))
        .filter((name) => !isThere(name, source))
        .map((name) => `${source}: ${name}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it("exist, where a page names them", () => {
    const folders = ["src", "test", "tools", "bench", "examples", "docs", "packaging", "findings"];
    const known = new Set(folders.flatMap((folder) => filesOf(folder, "")));
    const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...filesOf("docs", ".md"), ...filesOf("findings", ".md")];
    const missing = pages.flatMap((page) =>
      [...readFileSync(page, "utf8").matchAll(NAMED_IN_PAGE)].filter(([name]) => !known.has(name)).map(([name]) => `${page}: ${name}`),
    );
    expect(missing).to.deep.equal([]);
  });
});
