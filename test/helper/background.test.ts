/** Going to the background: whoever starts it learns whether it serves, and nothing else of it stays in the foreground. */

import { expect } from "chai";
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { greets } from "../support/pr-helper.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import { distinctStatuses, startLines } from "./support/process-status.js";
import { cdb, converse } from "./support/scenarios.js";

describe("qom-pr-helper in the background", () => {
  const workshop = new Workshop("itself");

  it("serves when the foreground ends, in a session of its own, with nothing of the foreground's", async () => {
    const [path, pidFile] = [workshop.path("served"), workshop.path("served.pid")];
    const result = await run(OUR_PROGRAM, ["-d", "-k", path, "-f", pidFile]);
    const pid = workshop.adopt(pidFile);
    expect(result).to.deep.equal({ code: 0, signal: null, stdout: "", stderr: startLines(path) });
    expect(readFileSync(pidFile, "utf8")).to.equal(`${pid}\n`);
    expect(await greets(path)).to.be.true;

    const messages = [{ bytes: cdb(0x5e, 0, 8), with: ["null" as const] }];
    const transcript = await converse(path, { name: "", messages, answers: [], then: "eof", finish: true }, "/dev/null");
    expect(transcript.bytes.length).to.equal(RESPONSE_HEADER_SIZE);

    expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))).to.deep.equal(["/dev/null", "/dev/null", "/dev/null"]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).to.equal("/");
    const [, group, session] = /\) \S (?:\d+) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    expect([group, session]).to.deep.equal([String(pid), String(pid)]);
    expect(distinctStatuses(pid, ["NoNewPrivs"])).to.deep.equal(["NoNewPrivs 1"]);

    process.kill(pid);
    await until(() => !existsSync(pidFile));
    expect(existsSync(path)).to.be.false;
  });

  it("takes a relative pid file from where it was started", async () => {
    mkdirSync(workshop.path("here"));
    const words = ["-c", 'cd "$1" && exec "$0" -d -k "$1/socket" -f pid', OUR_PROGRAM, workshop.path("here")];
    const result = await run("/bin/sh", words);
    const pid = workshop.adopt(workshop.path("here/pid"));
    expect(result).to.include({ code: 0, stderr: startLines(workshop.path("here/socket")) });
    process.kill(pid);
    await until(() => !existsSync(workshop.path("here/pid")));
  });

  for (const [what, args, text] of [
    [
      "its socket",
      (path: string) => ["-k", "/nonexistent/socket", "-f", `${path}.pid`],
      /'--socket': the folder '\/nonexistent' does not exist/,
    ],
    ["its pid file", (path: string) => ["-k", path, "-f", "/nonexistent/pid"], /'--pidfile': the folder '\/nonexistent' does not exist/],
    [
      "its traces",
      (path: string) => ["-k", path, "-f", `${path}.pid`, "-T", "file=/nonexistent/traces"],
      /'--trace': the folder '\/nonexistent' does not exist/,
    ],
  ] as const) {
    it(`says in the foreground that it cannot make ${what}`, async () => {
      const path = workshop.path("failed");
      const result = await run(OUR_PROGRAM, ["-d", ...args(path)]);
      expect(result).to.include({ code: 1, stdout: "" });
      expect(result.stderr).to.match(/^qom-pr-helper: [^\n]+\n$/);
      expect(result.stderr).to.match(text);
      expect(existsSync(path)).to.be.false;
      expect(existsSync(`${path}.pid`)).to.be.false;
    });
  }

  it("is refused while another helper has the pid file, which is not disturbed", async () => {
    const helper = await workshop.start("first", ["-f", workshop.path("first.pid")]);
    const result = await run(OUR_PROGRAM, ["-d", "-k", workshop.path("second"), "-f", workshop.path("first.pid")]);
    expect(result.code).to.equal(1);
    expect(result.stderr).to.match(/is held by another process\n$/);
    expect(await greets(workshop.path("first"))).to.be.true;
    await helper.stop();
  });

  it("fails in the foreground when it is killed before it serves", async () => {
    // Node runs this before the program, in both processes; the one in the background has the handover.
    writeFileSync(workshop.path("die.cjs"), 'if (process.env.QOM_PR_HELPER_HANDOVER) process.kill(process.pid, "SIGKILL");');
    const environment = { NODE_OPTIONS: `--require=${workshop.path("die.cjs")}` };
    const result = await run(OUR_PROGRAM, ["-d", "-k", workshop.path("killed"), "-f", workshop.path("killed.pid")], environment);
    expect(result.code).to.equal(1);
    expect(result.stderr).to.equal("qom-pr-helper: the process in the background was ended by SIGKILL before it served\n");
  });
});
