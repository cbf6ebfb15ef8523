/** The type check is as strict as it was meant to be: one mistake for each switch of tsconfig.base.json. */
import { expect } from "chai";
import { PlantedTree, PROJECT, projectFile, TOOL_TIMEOUT_MS } from "./planted-tree.js";

/** Switch, code of the error it makes, and the text that has it. */
const VIOLATIONS: readonly (readonly [flag: string, code: string, text: string])[] = [
  ["strict", "TS2322", "export const one: string = null;\n"],
  ["noUncheckedIndexedAccess", "TS2322", "export const one = (list: string[]): string => list[0];\n"],
  ["exactOptionalPropertyTypes", "TS2375", "export const one: { a?: string } = { a: undefined };\n"],
  ["noImplicitOverride", "TS4114", "export class One extends Error { message = 'x'; }\n"],
  ["noImplicitReturns", "TS7030", "export function one(a: boolean) { if (a) return 1; }\n"],
  ["noFallthroughCasesInSwitch", "TS7029", "export function one(a: number) { switch (a) { case 1: one(2); case 2: one(3); } }\n"],
  ["noPropertyAccessFromIndexSignature", "TS4111", "export const one = (a: Record<string, string>) => a.b;\n"],
  ["noUnusedLocals", "TS6133", "const one = 1;\nexport {};\n"],
  ["noUnusedParameters", "TS6133", "export const one = (a: number) => 1;\n"],
  ["verbatimModuleSyntax", "TS1484", 'import { Type } from "./strict.js";\nexport const one: Type = 1;\n'],
  ["isolatedModules", "TS1205", 'export { Type } from "./strict.js";\n'],
];

describe("the type check", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  let output = "";

  before(() => {
    const files = Object.fromEntries(VIOLATIONS.map(([flag, , text]) => [`src/${flag}.ts`, text]));
    files["src/strict.ts"] += "export type Type = 1;\n";
    const tree = new PlantedTree({ "package.json": '{ "type": "module" }', ...files }, ["tsconfig.base.json", "tsconfig.json"]);
    const run = tree.run("tsc", "-p", "tsconfig.json", "--noEmit", "--pretty", "false");
    tree.remove();
    expect(run.status, run.output).not.to.equal(0);
    output = run.output;
  });

  for (const [flag, code] of VIOLATIONS) {
    it(`${flag} is on`, () => {
      expect(JSON.parse(projectFile("tsconfig.base.json"))).to.have.nested.property(`compilerOptions.${flag}`, true);
      expect(output).to.match(new RegExp(`^src/${flag}\\.ts\\(.*error ${code}:`, "m"));
    });
  }

  it("is done by the TypeScript that package.json names", () => {
    const tree = new PlantedTree({});
    const { stdout } = tree.run("tsc", "--version");
    tree.remove();
    const { devDependencies } = JSON.parse(projectFile("package.json")) as { devDependencies: { typescript: string } };
    expect(stdout.trim(), `node_modules/.bin/tsc in ${PROJECT}`).to.equal(`Version ${devDependencies.typescript}`);
  });
});
