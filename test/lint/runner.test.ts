/** `npm run lint` runs every step, fails when one fails, and names it. */
import { expect } from "chai";
import { PlantedTree, TOOL_TIMEOUT_MS } from "./planted-tree.js";
import type { ToolRun } from "./planted-tree.js";

const SCRIPTS = {
  "lint:first": 'node -e "console.log(1 + 10)"',
  "lint:bad": 'node -e "process.exit(3)"',
  "lint:last": 'node -e "console.log(2 + 20)"',
};

function lint(...steps: string[]): ToolRun {
  const tree = new PlantedTree({ "package.json": JSON.stringify({ type: "module", scripts: SCRIPTS }) }, ["tools/lint.js"]);
  const run = tree.runScript("tools/lint.js", ...steps);
  tree.remove();
  return run;
}

describe("the lint command", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  it("runs every step and fails in those that fail", () => {
    const run = lint();
    expect(run.status).to.equal(1);
    expect(run.output).to.match(/^11$/m).and.to.match(/^22$/m);
    expect(run.output).to.match(/^lint: failed in bad$/m);
  });

  it("runs only the steps it is given", () => {
    const run = lint("last", "first");
    expect(run.status).to.equal(0);
    expect(run.output).to.match(/^lint: all steps passed$/m);
  });

  it("refuses a step that does not exist", () => {
    const run = lint("worst");
    expect(run.status).to.equal(1);
    expect(run.output).to.include("no lint step named worst (there are first, bad, last)");
  });
});
