/** The two command lines of the documentation, as a user types them: `qom-pr run`, with a helper that runs as a program of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import type { CommandLine } from "../support/machine.js";
import { helperUnderTest } from "../support/helpers.js";
import type { HelperUnderTest } from "../support/helpers.js";

const PROGRAM = fileURLToPath(new URL("../../../bin/qom-pr.js", import.meta.url));

for (const which of ["qemu-pr-helper", "qom-pr-helper"] as const) {
  describe(`qom-pr run with ${which}`, () => {
    const folder = temporaryFolder();
    let helper: HelperUnderTest | undefined;
    before(async function () {
      helper = await helperUnderTest(this, which);
    });
    after(() => helper?.stop());

    for (const line of ["drive", "blockdev"] as const satisfies readonly CommandLine[]) {
      it(`runs the -${line} form until it is asked to end`, async () => {
        const manager = `pr-manager-helper,id=pr0,path=${helper?.socket ?? ""}`;
        const argv = ["run", "-name", "seed", ...machineArguments(line, manager, { filename: folder.path(`${line}.img`), size: "1M" })];
        const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          stdout += text;
          if (stdout.endsWith("\n")) child.kill("SIGTERM");
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        await once(child, "close");
        expect([child.exitCode, stderr]).to.deep.equal([0, ""]);
        expect(stdout).to.match(/^machine 'seed' is running with 1 SCSI device[^\n]*\n$/);
      });
    }
  });
}
