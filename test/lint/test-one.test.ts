/** `npm run test:one` told to run what is not there. */
import { spawnSync } from "node:child_process";
import { expect } from "chai";

describe("npm run test:one", () => {
  const run = (...words: readonly string[]): { readonly status: number | null; readonly stderr: string } => {
    const { status, stderr } = spawnSync(process.execPath, ["tools/test-one.js", ...words], { encoding: "utf8" });
    return { status, stderr };
  };

  it("compiles nothing for a suite that does not exist, and says which that is", () => {
    expect(run("test/qom/tre.test.ts")).to.deep.equal({ status: 1, stderr: "there is no test/qom/tre.test.ts\n" });
    expect(run("test/qom/tree.test.ts", "test/qom/tre.test.ts").stderr).to.equal("there is no test/qom/tre.test.ts\n");
    expect(run().stderr).to.equal("no suite is named: npm run test:one -- test/qom/tree.test.ts\n");
  });
});
