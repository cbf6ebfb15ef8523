/** docs/extending.md says of every export whether it is stable: the tables there have each name of an entry, once. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";

const PROJECT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));
const PAGE = readFileSync(join(PROJECT, "docs/extending.md"), "utf8");

/** Names that an entry exports, types too. */
function exportsOf(entry: string): string[] {
  const source = readFileSync(join(PROJECT, "src", entry), "utf8");
  const lists = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].map(([, names = ""]) => names.split(","));
  return lists.flatMap((names) => names.map((name) => name.trim()).filter((name) => name !== ""));
}

/** Names in one column of a marked table: those that could be exported. */
function namesIn(table: string, column: number): string[] {
  const [, rows = ""] = new RegExp(`<!-- table: ${table} -->\\n([^]*?)<!-- end -->`).exec(PAGE) ?? [];
  const cells = rows
    .trim()
    .split("\n")
    .slice(2)
    .map((row) => row.split("|")[column + 1]?.split(", with ")[0] ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`([A-Za-z_]+)`/g)].map(([, name = ""]) => name));
}

describe("docs/extending.md", () => {
  for (const [door, entry, column] of [
    ["qom-pr", "index.ts", 1],
    ["qom-pr/extend", "extend.ts", 0],
  ] as const) {
    it(`says of every export of ${door} whether it is stable`, () => {
      const named = namesIn(`exports of ${door}`, column);
      expect(named).to.have.lengthOf.above(20);
      expect(named.toSorted()).to.deep.equal(exportsOf(entry).toSorted());
    });
  }
});
