/** The format check can fail, on each point that the project decided for itself. */
import { expect } from "chai";
import { PlantedTree, TOOL_TIMEOUT_MS } from "./planted-tree.js";

const LONG = Array.from({ length: 13 }, (_, index) => `"argument ${index}"`).join(", ");

const BADLY_FORMATTED: Readonly<Record<string, string>> = {
  "quotes.ts": "export const one = 'one';\n",
  "semicolon.ts": "export const one = 1\n",
  "indent.ts": "export function one(): void {\n    one();\n}\n",
  "width.ts": `export const list = [${LONG}];\n`,
  "trailing-comma.jsonc": '{ "a": 1, }\n',
};

const WELL_FORMATTED: Readonly<Record<string, string>> = {
  "good.ts": 'export const one = "one";\n',
  "width-just-right.ts": `export const text = "${"x".repeat(140 - 'export const text = "";'.length)}";\n`,
  "build/ignored.ts": "export const one = 'one'\n",
};

describe("the format check", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  it("refuses what is badly formatted and nothing else", () => {
    const tree = new PlantedTree({ ...BADLY_FORMATTED, ...WELL_FORMATTED }, [".prettierrc.json", ".prettierignore"]);
    try {
      const run = tree.run("prettier", "--list-different", ".");
      expect(run.status, run.output).to.equal(1);
      expect(run.stdout.trim().split("\n")).to.have.members(Object.keys(BADLY_FORMATTED));
    } finally {
      tree.remove();
    }
  });
});
