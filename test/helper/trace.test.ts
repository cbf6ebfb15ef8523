/** Trace points of the helper, and -T, which chooses among them in the language of qemu-pr-helper. */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { TraceSelection } from "#src/helper/trace/trace-option.js";
import { HELPER_TRACE_POINTS } from "#src/helper/trace/trace-points.js";
import { libc } from "#src/native/libc.js";
import { findPrHelper } from "../support/pr-helper.js";
import { run, until, Workshop } from "./support/helper-process.js";
import { startLines } from "./support/process-status.js";
import { RepeatedRuns } from "./support/repeated-runs.js";
import { PublicProgram } from "./support/public-program.js";
import { cdb, converse } from "./support/scenarios.js";

const [ACCEPT, ACCEPT_FAIL, REQUEST, RESPONSE, CLOSE] = [
  "qio_channel_socket_accept_complete",
  "qio_channel_socket_accept_fail",
  "pr_helper_request",
  "pr_helper_response",
  "pr_helper_close",
] as const;

describe("traces of qom-pr-helper", () => {
  const workshop = new Workshop("itself");
  const here = new RepeatedRuns();
  const program = new PublicProgram();

  describe("are selected", () => {
    const cases: readonly (readonly [texts: readonly string[], points: readonly string[]])[] = [
      [[REQUEST], [REQUEST]],
      [[`enable=${REQUEST}`], [REQUEST]],
      [["*"], HELPER_TRACE_POINTS],
      [["pr_*"], [REQUEST, RESPONSE, CLOSE]],
      [["*_accept_*"], [ACCEPT, ACCEPT_FAIL]],
      [["pr_helper_????e?"], []],
      [["pr_helper_?????"], [CLOSE]],
      [["*re*s*"], [REQUEST, RESPONSE]],
      [["*x*"], []],
      [["**"], HELPER_TRACE_POINTS],
      [["pr_helper"], []],
      [
        [REQUEST, CLOSE],
        [REQUEST, CLOSE],
      ],
      [
        ["pr_*", `-${CLOSE}`],
        [REQUEST, RESPONSE],
      ],
      [["pr_*", "-*"], []],
      [[`-${CLOSE}`], []],
      [[""], []],
    ];
    for (const [texts, points] of cases) {
      it(`${points.length} by ${texts.map((text) => `-T '${text}'`).join(" ")}`, () => {
        const selection = new TraceSelection();
        for (const text of texts) expect(selection.apply(text)).to.equal(undefined);
        expect(selection.options.points).to.have.members([...points]);
      });
    }

    it("by the lines of a file, and written to the last file that is named", () => {
      writeFileSync(workshop.path("events"), `# all but one\n\npr_helper_*  \n-${CLOSE}\nnosuch\n`);
      const selection = new TraceSelection();
      selection.apply(`${ACCEPT},events=${workshop.path("events")},file=/first`);
      selection.apply("file=/second");
      expect(selection.options).to.deep.equal({ points: [ACCEPT, REQUEST, RESPONSE], file: "/second" });
      expect(selection.unknown).to.deep.equal(["nosuch"]);
    });

    it("in linear time", () => {
      const selection = new TraceSelection();
      selection.apply(`${"*a".repeat(100_000)}*`);
      expect(selection.options.points).to.deep.equal([]);
    });
  });

  const LINES: readonly { readonly args: readonly string[]; readonly code: 0 | 1; readonly text: RegExp; readonly own?: true }[] = [
    { args: ["-T", "help"], code: 0, text: /^pr_helper_request$/m },
    { args: ["-T", "?"], code: 0, text: /^pr_helper_request$/m },
    { args: ["--trac", "enable=help", "-x"], code: 0, text: /^pr_helper_request$/m },
    { args: ["-T", "nosuch", "-V"], code: 0, text: /^qom-pr-helper \d/ },
    { args: ["-T", "*,file=/nonexistent/a", "-V"], code: 0, text: /^qom-pr-helper \d/ },
    { args: ["-T", "a=b", "-V"], code: 1, text: /'--trace': there is no parameter 'a'/ },
    { args: ["-T", "=", "-V"], code: 1, text: /'--trace': there is no parameter ''/ },
    { args: ["-T", "*,word", "-V"], code: 1, text: /'--trace': there is no parameter 'word'/ },
    { args: ["-T", "events=/nonexistent", "-V"], code: 1, text: /'--trace': cannot read '\/nonexistent': no such file or directory/ },
  ];
  for (const { args, code, text } of LINES) {
    it(`${args.join(" ")} exits with ${code}, as with qemu-pr-helper`, async () => {
      const result = await here.run(args);
      expect(result.code, result.stderr).to.equal(code);
      expect(code === 0 ? result.stdout : result.stderr).to.match(text);
      const original = findPrHelper();
      if (original !== null) expect((await run(original, args)).code).to.equal(code);
    });
  }

  it("warn of a pattern that no point fits, once", async () => {
    const helper = await workshop.start("unknown", ["-T", "nosuch", "-T", "*such"]);
    await helper.stop();
    expect(helper.stderr).to.equal(
      `qom-pr-helper: there is no trace point 'nosuch' ('help' lists them)\n` +
        `qom-pr-helper: no trace point fits '*such' ('help' lists them)\n${startLines(workshop.path("unknown"))}`,
    );
  });

  /** What one client does: a request, and the end. Returns once the helper has closed the connection. */
  async function talk(path: string): Promise<void> {
    const messages = [{ bytes: cdb(0x5e, 1, 8), with: ["null" as const] }];
    await converse(path, { name: "", messages, answers: [], then: "eof", finish: true }, "/dev/null");
  }

  /** Whether `traces` have what {@link talk} does, among lines of other clients. */
  function tellsOfIt(traces: string): boolean {
    const client = new RegExp(`^${REQUEST} client=(\\d+) `, "m").exec(traces)?.[1];
    const lines = traces.split("\n").filter((line) => new RegExp(` client=${client}(?: |$)`).test(line));
    const expected = [
      `${ACCEPT} client=${client}`,
      `${REQUEST} client=${client} cdb=5e010000000000000800000000000000 size=0`,
      `${RESPONSE} client=${client} status=2 size=0`,
      `${CLOSE} client=${client}`,
    ];
    return lines.slice(-expected.length).join() === expected.join();
  }

  it("go to standard error", async () => {
    const helper = await workshop.start("to-error", ["-T", "*"]);
    await talk(workshop.path("to-error"));
    await until(() => tellsOfIt(helper.stderr));
    await helper.stop();
  });

  it("go to a file for its owner, which the helper writes although it may not open it any more", async () => {
    const file = workshop.path("traces");
    writeFileSync(file, "old\n");
    const root = process.getuid?.() === 0;
    const args = ["-T", `*,file=${file}`, ...(root ? ["-u", "nobody"] : [])];
    const helper = await workshop.start("to-file", args, program.environment, program.path);
    await talk(workshop.path("to-file"));
    await until(() => tellsOfIt(readFileSync(file, "utf8")));
    await helper.stop();
    expect(readFileSync(file, "utf8")).not.to.contain("old");
    const fresh = workshop.path("fresh");
    await (await workshop.start("to-fresh", ["-T", `file=${fresh}`])).stop();
    expect(statSync(fresh).mode & 0o777).to.equal(0o600);
  });

  it("are lost where nobody reads the pipe that they go to, and nothing waits for a reader", async () => {
    const pipe = workshop.path("pipe");
    expect(spawnSync("sh", ["-c", 'mkfifo "$0"', pipe]).status).to.equal(0);
    const args = ["-T", `*,file=${pipe}`];
    const refused = await here.run(["-k", workshop.path("to-nobody"), ...args]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(/^qom-pr-helper: option '--trace': cannot write '.*pipe': no such device or address\n$/);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const [F_SETPIPE_SZ, size] = [1031, 4096];
    expect(libc().fcntl(reader, F_SETPIPE_SZ, size)).to.equal(size);
    const helper = await workshop.start("to-pipe", args);
    // A line has more than 30 bytes, and each of these leaves several.
    for (let sent = 0; sent < size; sent += 30) await talk(workshop.path("to-pipe"));
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    closeSync(reader);
  });

  it("are none without -T", async () => {
    const helper = await workshop.start("silent");
    await talk(workshop.path("silent"));
    await helper.stop();
    expect(helper.stderr).to.equal(startLines(workshop.path("silent")));
  });
});
