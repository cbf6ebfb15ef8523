/** The check for dead code can fail: one planted mistake of each kind that is to be found, and uses that count. */
import { expect } from "chai";
import { PlantedTree, projectFile, TOOL_TIMEOUT_MS } from "./planted-tree.js";

const FILES: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({
    name: "qom-pr",
    type: "module",
    exports: "./dist/index.js",
    imports: { "#src/*.js": { types: "./dist/*.d.ts", default: "./dist/*.js" } },
    bin: { "qom-pr": "bin/qom-pr.js" },
    workspaces: ["tools/layers"],
    dependencies: { koffi: "1.0.0", "dependency-cruiser": "1.0.0" },
    devDependencies: { chai: "1.0.0" },
  }),
  "bin/qom-pr.js": 'import { main } from "#src/cli/main.js";\nmain();\n',
  "src/cli/main.ts": [
    'import { used } from "../base/things.js";',
    'import "left-pad";',
    'import "../base/nothing.js";',
    "export const main = used;",
    'export const worker = new URL("../native/worker.js", import.meta.url);',
  ].join("\n"),
  "src/index.ts": 'export { usedByUsers } from "./base/things.js";\n',
  "src/base/things.ts": [
    "export const used = (): Named => ({});",
    "export const usedByTest = 1;",
    "export const usedByUsers = 1;",
    "export const dead = 1;",
    "export interface Named {}",
    "export interface DeadType {}",
    "export const twice = usedByTest;",
  ].join("\n"),
  "src/native/worker.ts": "export {};\n",
  "src/base/orphan.ts": "export const orphan = 1;\n",
  "src/base/only-tested.ts": "export const onlyTested = 1;\n",
  "test/base/things.test.ts": [
    'import { twice, usedByTest } from "#src/base/things.js";',
    'import { onlyTested } from "#src/base/only-tested.js";',
    "export default [usedByTest, twice, onlyTested];",
  ].join("\n"),
};

/** Kind of mistake, its file, and its name. */
const VIOLATIONS = [
  ["files", "src/base/orphan.ts", "src/base/orphan.ts"],
  ["exports", "src/base/things.ts", "dead"],
  ["types", "src/base/things.ts", "DeadType"],
  ["unlisted", "src/cli/main.ts", "left-pad"],
  ["unresolved", "src/cli/main.ts", "../base/nothing.js"],
  ["dependencies", "package.json", "koffi"],
  ["devDependencies", "package.json", "chai"],
  ["duplicates", "src/base/things.ts", "usedByTest,twice"],
] as const;

type Kind = (typeof VIOLATIONS)[number][0];
interface Name {
  readonly name: string;
}
/** Of each kind a list of names, or of lists of names where several belong together. */
type Finding = { readonly file: string } & Readonly<Partial<Record<Kind, readonly (Name | readonly Name[])[]>>>;

/** `KIND FILE NAME` of all that knip finds in `tree`. */
function findings(tree: PlantedTree, ...options: string[]): string[] {
  const run = tree.run("knip", "--no-progress", "--reporter=json", ...options);
  expect(run.status, run.output).to.equal(1);
  const { issues } = JSON.parse(run.stdout) as { issues: readonly Finding[] };
  return issues.flatMap((issue) =>
    VIOLATIONS.flatMap(([kind]) =>
      (issue[kind] ?? []).map(
        (found) =>
          `${kind} ${issue.file} ${[found]
            .flat()
            .map(({ name }) => name)
            .join()}`,
      ),
    ),
  );
}

describe("the check for dead code", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  let tree: PlantedTree;
  let found: string[] = [];

  before(() => {
    tree = new PlantedTree(FILES, ["knip.json", "tsconfig.base.json", "tsconfig.json", "test/tsconfig.json", "tools/layers/package.json"]);
    found = findings(tree);
  });

  after(() => tree.remove());

  for (const [kind, file, name] of VIOLATIONS) {
    it(`finds ${kind}: ${name}`, () => expect(found).to.include(`${kind} ${file} ${name}`));
  }

  it("finds nothing else", () => {
    expect(found).to.have.members(VIOLATIONS.map((violation) => violation.join(" ")));
  });

  it("finds files that only tests use, in production mode", () => {
    const [, options = ""] = /"lint:production": "knip (.*)"/.exec(projectFile("package.json")) ?? [];
    expect(findings(tree, ...options.split(" "))).to.include("files src/base/only-tested.ts src/base/only-tested.ts");
  });
});
