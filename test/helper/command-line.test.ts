/** The command line: the same exit status as qemu-pr-helper, and one line that says what is wrong. */

import { expect } from "chai";
import fc from "fast-check";
import { readFileSync, statSync } from "node:fs";
import { findPrHelper, skipWithoutPrHelper } from "../support/pr-helper.js";
import { OUR_PROGRAM, run, Workshop } from "./support/helper-process.js";
import { RepeatedRuns } from "./support/repeated-runs.js";
import { cdb, converse } from "./support/scenarios.js";

interface Case {
  readonly args: readonly string[];
  readonly code: 0 | 1;
  /** In the line on standard error, or in the output. */
  readonly text: RegExp;
  /** Only our program has the option, or is so strict. */
  readonly own?: boolean;
}

const CASES: readonly Case[] = [
  { args: ["-h"], code: 0, text: /-k, --socket=PATH/ },
  { args: ["--help"], code: 0, text: /--pidfile=PATH/ },
  { args: ["-V"], code: 0, text: /^qom-pr-helper \d+\.\d+\.\d+$/m },
  { args: ["--version"], code: 0, text: /^qom-pr-helper \d/ },
  { args: ["-v", "-q", "-V", "word"], code: 0, text: /^qom-pr-helper \d/ },
  { args: ["--nonsense"], code: 1, text: /unknown option '--nonsense'/ },
  { args: ["-x"], code: 1, text: /unknown option '-x'/ },
  { args: ["-k"], code: 1, text: /'-k, --socket=PATH' needs an argument/ },
  { args: ["--pidfile"], code: 1, text: /'-f, --pidfile=PATH' needs an argument/ },
  { args: ["-k", "socket"], code: 1, text: /absolute.*'socket'/ },
  { args: ["--socket="], code: 1, text: /absolute.*''/ },
  { args: ["--socket=./socket"], code: 1, text: /absolute.*'\.\/socket'/ },
  { args: ["--he"], code: 0, text: /--socket=PATH/ },
  { args: ["--vers"], code: 0, text: /^qom-pr-helper \d/ },
  { args: ["--ver"], code: 1, text: /'--ver' may mean --version, --verbose$/m },
  { args: ["--v"], code: 1, text: /'--v' may mean --version, --verbose$/m },
  { args: ["--=x"], code: 1, text: /'--' may mean --help, / },
  { args: ["--so=x"], code: 1, text: /absolute.*'x'/ },
  { args: ["--s"], code: 1, text: /'-k, --socket=PATH' needs an argument/ },
  { args: ["--verbose=1"], code: 1, text: /'--verbose' takes no argument, and '1' is given/ },
  { args: ["-kx"], code: 1, text: /absolute.*'x'/ },
  { args: ["-k", "-h"], code: 1, text: /absolute.*'-h'/ },
  { args: ["-vqh"], code: 0, text: /--socket=PATH/ },
  { args: ["-Vx"], code: 0, text: /^qom-pr-helper \d/ },
  { args: ["-xV"], code: 1, text: /unknown option '-x'/ },
  { args: ["-h", "-x"], code: 0, text: /--socket=PATH/ },
  { args: ["-x", "-h"], code: 1, text: /unknown option '-x'/ },
  { args: ["-k", "x", "-h"], code: 1, text: /absolute.*'x'/ },
  { args: ["-", "word", "-h"], code: 0, text: /--socket=PATH/ },
  { args: ["-k", "/nonexistent/socket", "--", "-h"], code: 1, text: /option '--socket': the folder '\/nonexistent' does not exist/ },
  { args: ["-k", `/tmp/${"x".repeat(104)}`], code: 1, text: /may have 107 bytes, this one has 109/ },
  { args: ["-k", "/nonexistent/socket"], code: 1, text: /option '--socket': the folder '\/nonexistent' does not exist/ },
  { args: ["-u", "nosuch"], code: 1, text: /there is no user 'nosuch'/ },
  { args: ["-u", "nosuch", "-h"], code: 1, text: /there is no user 'nosuch'/ },
  { args: ["-u", "-1"], code: 1, text: /there is no user '-1'/ },
  { args: ["-u", "1x", "-h"], code: 1, text: /there is no user '1x'/ },
  { args: ["-u", "0x10", "-h"], code: 1, text: /there is no user '0x10'/ },
  { args: ["-u", "010", "-h"], code: 0, text: /--socket=PATH/ },
  { args: ["--user=4294967294", "-h"], code: 0, text: /--socket=PATH/ },
  { args: ["--user=4294967295", "-h"], code: 1, text: /there is no user '4294967295'/, own: true },
  { args: ["--user", "5000000000"], code: 1, text: /there is no user '5000000000'/ },
  { args: ["-u", "root", "-g", "root", "-h"], code: 0, text: /--socket=PATH/ },
  { args: ["--allow-uid", "nosuch"], code: 1, text: /option '--allow-uid': there is no user 'nosuch'/, own: true },
  { args: ["-g", "nosuch"], code: 1, text: /there is no group 'nosuch'/ },
  { args: ["--group="], code: 1, text: /there is no group ''/ },
  { args: ["--allow-gid=nosuch"], code: 1, text: /option '--allow-gid': there is no group 'nosuch'/, own: true },
  { args: ["-dh"], code: 0, text: /--socket=PATH/ },
  {
    args: ["-dk", "/nonexistent/socket", "-f", "/nonexistent/pid"],
    code: 1,
    text: /option '--pidfile': the folder '\/nonexistent' does not exist/,
  },
  { args: ["--workers", "0"], code: 1, text: /--workers.*'0'.*1 to 64/, own: true },
  { args: ["--work", "0"], code: 1, text: /--workers.*'0'/, own: true },
  { args: ["--workers", "65"], code: 1, text: /--workers.*'65'/, own: true },
  { args: ["-T", "events=/dev/zero"], code: 1, text: /--trace.*'\/dev\/zero' has more than 1048576 bytes/, own: true },
  { args: ["--workers", "2x"], code: 1, text: /--workers.*'2x'/, own: true },
];

const RANDOM_COMMAND_LINES = process.env["SOAK"] === "1" ? 300 : 30;
const RANDOM_TIMEOUT_MS = 5000 * RANDOM_COMMAND_LINES;

/** Right and wrong, whole and cut short, with and without arguments. */
const WORDS: readonly string[] = [
  ...["-h", "-V", "-v", "-q", "-d", "-vq", "-dv", "-x", "-vx", "-", "--", "word"],
  ...["--help", "--he", "--version", "--vers", "--ver", "--v", "--verbose", "--quiet", "--q", "--daemon", "--daemon=1", "--d", "--help="],
  ...["-k", "-k/nonexistent/s", "--socket", "--so=/nonexistent/s", "--s", "--socket=relative"],
  ...["-f", "-f/nonexistent/pid", "--pidfile=/nonexistent/pid", "--p=", "--pid"],
  ...["-u", "-uroot", "--user=root", "--us=nosuch", "--u", "-u0", "--user=-1", "root", "0"],
  ...["-g", "-groot", "--group=root", "--g=nosuch", "--gr", "-g0"],
  ...["-T", "-Tnosuch", "--trace=qio*", "--tr=help", "--t", "-Ta=b", "-Thelp", "--trace=events=/nonexistent"],
  ...["--=", "---", "--nosuch", "--nosuch=1", "-=", "-W"],
];

/** How a program ended, and whether it printed its help, its version, something else, or nothing. */
function kindOf({ code, stdout }: { readonly code: number | null; readonly stdout: string }): string {
  const printed = [/^Usage: /, /^\S*-pr-helper \d/, /./].findIndex((text) => text.test(stdout));
  return `${code}, ${["help", "version", "something else"][printed] ?? "nothing"}`;
}

/** Whether it may go to the background, for which a program starts itself. */
function startsItself(args: readonly string[]): boolean {
  return args.some((word) => /^-[a-z]*d|^--d/.test(word));
}

/** Cases of each kind that are run as a program. */
const AS_A_PROGRAM = new Set(["-h", "-V", "--nonsense"]);

describe("command line of qom-pr-helper", () => {
  const here = new RepeatedRuns();
  const runOurs = async (args: readonly string[]): ReturnType<typeof run> => (startsItself(args) ? run(OUR_PROGRAM, args) : here.run(args));

  for (const { args, code, text } of CASES) {
    it(`${args.join(" ")} exits with ${code}`, async () => {
      const result = await (AS_A_PROGRAM.has(args.join(" ")) ? run(OUR_PROGRAM, args) : runOurs(args));
      expect(result, result.stderr).to.include({ code, signal: null });
      expect(code === 0 ? result.stderr : result.stdout).to.equal("");
      expect(code === 0 ? result.stdout : result.stderr).to.match(text);
      if (code === 1) expect(result.stderr).to.match(/^qom-pr-helper: [^\n]+\n$/);
    });
  }

  it("exits as qemu-pr-helper does", async function () {
    const program = findPrHelper();
    if (program === null) skipWithoutPrHelper(this);
    for (const { args, code, own } of CASES) {
      if (own !== true) expect((await run(program, args)).code, args.join(" ")).to.equal(code);
    }
  });

  it(`ends as qemu-pr-helper does with ${RANDOM_COMMAND_LINES} random command lines`, async function () {
    const program = findPrHelper();
    if (program === null) skipWithoutPrHelper(this);
    this.timeout(RANDOM_TIMEOUT_MS);
    // Whatever comes of the words, there is no socket: neither program ever serves.
    const property = fc.asyncProperty(fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }), async (words) => {
      const args = ["-k", "/nonexistent/socket", ...words];
      const [ours, theirs] = [await runOurs(args), await run(program, args)];
      expect(kindOf(ours)).to.equal(kindOf(theirs));
    });
    await fc.assert(property, { numRuns: RANDOM_COMMAND_LINES });
  });

  it("tells on one line that standard output takes nothing", async () => {
    const result = await run("sh", ["-c", 'exec "$0" --version >/dev/full', OUR_PROGRAM]);
    expect(result).to.deep.include({ code: 1, stderr: "qom-pr-helper: cannot write to standard output: no space left on device\n" });
  });

  it("is a program: executable, and no code of its own", () => {
    expect(statSync(OUR_PROGRAM).mode & 0o777).to.equal(0o755);
    expect(readFileSync(OUR_PROGRAM, "utf8")).to.equal('#!/usr/bin/env node\nimport "../lib/qom-pr-helper.js";\n');
  });

  describe("verbosity", () => {
    const workshop = new Workshop();
    const BREACH = /client \d+ dropped: operation code 0x12/;
    const CLIENT = /client \d+ connected/;
    const REQUEST = /client \d+: 5e000000000000000800000000000000: status 0x2/;
    const levels = [
      { args: ["-q"], lines: [] },
      { args: ["-v", "-q"], lines: [] },
      { args: ["-q", "-v"], lines: [] },
      { args: [], lines: [BREACH] },
      { args: ["-v"], lines: [BREACH, CLIENT] },
      { args: ["-vv"], lines: [BREACH, CLIENT, REQUEST] },
      { args: ["-v", "--verbose", "-v", "-v"], lines: [BREACH, CLIENT, REQUEST] },
    ];
    for (const [i, { args, lines }] of levels.entries()) {
      it(`${args.join(" ")} tells of ${lines.length} of 3 kinds of events`, async () => {
        const name = `socket-${i}`;
        const helper = await workshop.start(name, args);
        const messages = [
          { bytes: cdb(0x5e, 0, 8), with: ["null" as const] },
          { bytes: cdb(0x12, 0, 8), with: ["null" as const] },
        ];
        await converse(workshop.path(name), { name, messages, answers: [], then: "eof" }, "/dev/null");
        await helper.stop();
        expect([BREACH, CLIENT, REQUEST].filter((line) => line.test(helper.stderr))).to.deep.equal(lines);
        if (lines.length === 0) expect(helper.stderr).to.equal("");
      });
    }
  });
});
