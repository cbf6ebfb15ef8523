/** The human monitor on a terminal: Tab completes, the arrow up brings lines back, Ctrl-C ends the machine. util-linux' script makes the terminal. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { skipUnlessRequired } from "../../support/requirement.js";

const PROGRAM = fileURLToPath(new URL("../../../../bin/qom-pr.js", import.meta.url));
const UP = "\u001b[A";
/** No session takes so long, however busy the computer is. */
const SESSION_MS_MAX = 40_000;
const CTRL_C = "\u0003";

/** Types each text when the one before has brought what it waits for, and gives all that the terminal showed. */
async function session(
  steps: readonly (readonly [waitFor: string, type: string])[],
): Promise<{ readonly shown: string; readonly code: number | null }> {
  const command = `'${process.execPath}' '${PROGRAM}' run -device virtio-scsi,id=hba0 -monitor stdio`;
  // A step whose text never comes ends with the session, and the test fails by what was shown.
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, TERM: "xterm" }, timeout: SESSION_MS_MAX });
  let [shown, seen] = ["", 0];
  const left = [...steps];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    for (let step = left[0]; step !== undefined && shown.includes(step[0], seen); step = left[0]) {
      seen = shown.indexOf(step[0], seen) + step[0].length;
      child.stdin.write(step[1]);
      left.shift();
    }
  });
  await once(child, "close");
  expect(left, JSON.stringify(shown)).to.deep.equal([]);
  return { shown, code: child.exitCode };
}

describe("the human monitor on a terminal", function () {
  this.timeout(60_000);
  before(function () {
    if (spawnSync("script", ["--version"]).status === 0) return;
    skipUnlessRequired(this, "there is no script: apt-get install bsdutils");
  });

  it("completes, remembers and quits", async () => {
    const { shown, code } = await session([
      ["(qemu) ", "info st\t"],
      ["info status ", "\r"],
      ["VM status: running", `${UP}\r`],
      ["VM status: running", "q\r"],
    ]);
    expect(code, shown).to.equal(0);
  });

  it("shows its prompt below what the program says", async () => {
    const { shown, code } = await session([
      ["SIGINT or SIGTERM ends it\r\n", "info st"],
      ["info st", "\t"],
      ["atus ", CTRL_C],
    ]);
    expect(code, shown).to.equal(0);
    const [, after = ""] = shown.split("ends it\r\n");
    // oxlint-disable-next-line no-control-regex -- the sequences of a terminal are what stands between
    expect(after).to.match(/^(?:\u001b\[[0-9;]*[A-Za-z])*\(qemu\) /);
  });

  it("ends in good order at Ctrl-C", async () => {
    const { shown, code } = await session([["(qemu) ", CTRL_C]]);
    expect(code, shown).to.equal(0);
  });
});
