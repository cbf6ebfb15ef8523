/** Least privilege, as the kernel sees it: of every thread, whatever the helper is started with. */

import { expect } from "chai";
import { chmodSync, chownSync, existsSync, mkdirSync, openSync, closeSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import { distinctStatuses, skipUnlessRoot, threadStatuses, workersOf } from "./support/process-status.js";
import { PublicProgram } from "./support/public-program.js";
import { RawClient } from "./support/raw-client.js";
import { scriptedCdb, SgShim } from "./support/sg-shim.js";

const NONE = "0000000000000000";
const RAWIO = "0000000000020000";
const NOBODY = 65534;

/** What the kernel says of a thread of a helper. */
function privileges(user: number, group: number, groups: string, capabilities: string, bounding: string): string {
  const ids = [`Uid ${`${user} `.repeat(4).trim()}`, `Gid ${`${group} `.repeat(4).trim()}`, `Groups ${groups}`];
  const sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map((set) => `${set} ${capabilities}`);
  return [...ids, ...sets, `CapBnd ${bounding}`, "NoNewPrivs 1"].join("; ");
}
const FIELDS = ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd", "NoNewPrivs"];

/** The answer to a request on a regular file shows that the helper works. */
async function works(path: string): Promise<boolean> {
  const client = await RawClient.greeted(path);
  const fd = openSync("/dev/null", "r+");
  client.send(scriptedCdb(0x5e, 8), [fd]);
  closeSync(fd);
  const answer = await client.readAnswer();
  client.close();
  return answer.readInt32BE(0) === 2;
}

describe("privileges of qom-pr-helper", () => {
  const workshop = new Workshop("itself");
  const program = new PublicProgram();
  before(function () {
    skipUnlessRoot(this);
  });
  before(() => chmodSync(workshop.path("."), 0o711));

  /** A folder that `user` may change. */
  function folderOf(name: string, user: number): string {
    mkdirSync(workshop.path(name));
    chownSync(workshop.path(name), user, user);
    return workshop.path(name);
  }

  const STARTS: readonly {
    readonly name: string;
    readonly args?: readonly string[];
    readonly privileges?: readonly string[];
    readonly expected: string;
    /** Set when the kernel will not let it send reservation commands. */
    readonly powerless?: true;
  }[] = [
    { name: "root", expected: privileges(0, 0, "", RAWIO, NONE) },
    { name: "root in groups", privileges: ["--groups", "4,24"], expected: privileges(0, 0, "", RAWIO, NONE) },
    { name: "-u nobody", args: ["-u", "nobody"], expected: privileges(NOBODY, NOBODY, "", RAWIO, NONE) },
    { name: "-u 4242, without an account", args: ["-u", "4242"], expected: privileges(4242, 0, "", RAWIO, NONE) },
    { name: "-u and -g", args: ["-g", "4", "-u", "nobody"], expected: privileges(NOBODY, 4, "", RAWIO, NONE) },
    { name: "-g only", args: ["-g", "4"], privileges: ["--groups", "24"], expected: privileges(0, 4, "", RAWIO, NONE) },
    {
      name: "root without CAP_SYS_RAWIO",
      privileges: ["--bounding-set", "-sys_rawio"],
      expected: privileges(0, 0, "", NONE, NONE),
      powerless: true,
    },
    {
      name: "an unprivileged user, whose bounding set and groups stay",
      privileges: ["--reuid", "nobody", "--regid", "4242", "--groups", "4", "--bounding-set", "-all,+chown"],
      expected: privileges(NOBODY, 4242, "4", NONE, "0000000000000001"),
      powerless: true,
    },
    {
      name: "an unprivileged user with -u naming itself",
      args: ["-u", "nobody"],
      privileges: ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--bounding-set", "-all"],
      expected: privileges(NOBODY, NOBODY, "", NONE, NONE),
      powerless: true,
    },
    {
      name: "exactly what it needs, as systemd can give it",
      privileges: [
        ...["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs"],
        ...["--bounding-set", "-all,+sys_rawio", "--inh-caps", "-all,+sys_rawio", "--ambient-caps", "-all,+sys_rawio"],
      ],
      expected: privileges(NOBODY, NOBODY, "", RAWIO, RAWIO),
    },
  ];

  for (const [i, { name, args = [], privileges: given = [], expected, powerless }] of STARTS.entries()) {
    it(`are the least in every thread when started with: ${name}`, async () => {
      const path = join(folderOf(`start-${i}`, NOBODY), "socket");
      const helper = workshop.spawn(["-k", path, ...args], program.environment, { privileges: given }, program.path);
      await helper.serves(path);
      expect(distinctStatuses(helper.pid, FIELDS)).to.deep.equal([expected]);
      expect(threadStatuses(helper.pid).length).to.be.greaterThan(5);
      expect(await works(path)).to.be.true;
      expect((await helper.stop()).code).to.equal(0);
      const complaint = "qom-pr-helper: CAP_SYS_RAWIO is missing: the system will refuse reservation commands for real disks\n";
      const warning = powerless === true ? complaint : "";
      expect(helper.stderr.startsWith(warning)).to.be.true;
      expect(helper.stderr.includes(complaint)).to.equal(powerless === true);
    });
  }

  for (const [what, args, given] of [
    ["another user without CAP_SETUID", ["-u", "daemon"], ["--reuid", "nobody", "--clear-groups"]],
    ["another group without CAP_SETGID", ["-g", "daemon"], ["--reuid", "nobody", "--clear-groups"]],
  ] as const) {
    it(`cannot become those of ${what}: it ends and leaves nothing`, async () => {
      const folder = folderOf(`refused${args.join("")}`, NOBODY);
      const words = ["-k", join(folder, "socket"), "-f", join(folder, "pid"), ...args];
      const result = await run(program.path, words, program.environment, { privileges: given });
      expect(result.code).to.equal(1);
      expect(result.stderr).to.match(/^qom-pr-helper: cannot change the real user and group: operation not permitted\n$/);
      expect(existsSync(join(folder, "socket"))).to.be.false;
      expect(existsSync(join(folder, "pid"))).to.be.false;
    });
  }

  it("are not shed for a user that cannot read the program: it ends and leaves nothing", async () => {
    mkdirSync(workshop.path("private"), { mode: 0o700 });
    const hidden = workshop.path("private/program");
    symlinkSync(program.path, hidden);
    const words = ["-k", workshop.path("unread"), "-f", workshop.path("unread.pid"), "-u", "nobody"];
    const result = await run(hidden, words, program.environment);
    expect(result.code).to.equal(1);
    expect(result.stderr).to.match(
      /^qom-pr-helper: user 65534 and group 65534 cannot read '.*\/private\/program', which the helper needs: permission denied\n$/,
    );
    expect(existsSync(workshop.path("unread"))).to.be.false;
    expect(existsSync(workshop.path("unread.pid"))).to.be.false;
  });

  it("are looked at again by the run that serves, which trusts no claim", async () => {
    const helper = await workshop.start("honest");
    const claim = {
      stage: "service",
      options: { sockets: [], pidFile: null, background: false, user: null, group: null, workersMax: 1, logLevel: 1 },
      posts: [{ name: "", listener: { fd: 3, file: null }, status: null }],
      pidFile: null,
      traceFd: null,
      ready: null,
      unshed: { bounding: "0", supplementaryGroups: [] },
    };
    const socket = workshop.listener("claimed");
    const environment = { QOM_PR_HELPER_HANDOVER: JSON.stringify(claim) };
    const result = await run(OUR_PROGRAM, [], environment, { descriptors: [socket] });
    expect(result.code).to.equal(1);
    expect(result.stderr).to.match(
      /^qom-pr-helper: privileges cannot be dropped on this system: thread \d+ has permitted capabilities [0-9a-f]+\n$/,
    );
    await helper.stop();
  });

  for (const text of ["", "{}", "[1]", '{"stage":"other"}', "\u0001"]) {
    it(`are none of the business of a handover like ${JSON.stringify(text)}`, async () => {
      const result = await run(OUR_PROGRAM, ["-V"], { QOM_PR_HELPER_HANDOVER: text });
      expect(result.code).to.equal(1);
      expect(result.stderr).to.equal("qom-pr-helper: the environment variable QOM_PR_HELPER_HANDOVER is for this program only\n");
    });
  }

  for (const [what, forged] of [
    ["nothing else", { stage: "service" }],
    ["the wrong things", { stage: "service", options: {}, listener: { fd: "x", file: null }, status: null, pidFile: null }],
    ["a descriptor that is not open", { stage: "service", options: {}, listener: { fd: 999, file: null }, status: null, pidFile: null }],
    ["no options", { stage: "background", activated: null, ready: 99 }],
  ] as const) {
    it(`a forged handover with ${what} ends in one line`, async () => {
      const result = await run(OUR_PROGRAM, [], { QOM_PR_HELPER_HANDOVER: JSON.stringify(forged) });
      expect(result.code).to.equal(1);
      expect(result.stderr).to.match(/^qom-pr-helper: [^\n]+\n$/);
    });
  }

  it("run without what the starter's environment would have node and the dynamic loader do", async () => {
    const environment = { NODE_OPTIONS: "--no-warnings", NODE_ENV: "x", LD_LIBRARY_PATH: "/nowhere", GCONV_PATH: "/nowhere", KEPT: "yes" };
    const helper = await workshop.start("clean", [], environment);
    const names = readFileSync(`/proc/${helper.pid}/environ`, "utf8")
      .split("\0")
      .map((variable) => variable.replace(/=.*/s, ""));
    expect(names).to.include("KEPT");
    // Its own, which it has taken out of its memory, is in what the kernel keeps of the start.
    expect(names.filter((name) => /^(?:NODE_|LD_|GCONV_PATH)/.test(name))).to.deep.equal([]);
    await helper.stop();
  });

  it("do not suffice to remove the files at the end as another user: it says so, and the pid file names nobody", async () => {
    const helper = await workshop.start("kept", ["-f", workshop.path("kept.pid"), "-u", "nobody"], program.environment, program.path);
    const path = workshop.path("kept");
    expect(readFileSync(`${path}.pid`, "utf8")).to.equal(`${helper.pid}\n`);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    expect(helper.stderr).to.match(
      /^qom-pr-helper: listening on '.*kept'\nqom-pr-helper: cannot remove '.*kept': permission denied\nqom-pr-helper: cannot remove '.*kept\.status': permission denied\nqom-pr-helper: cannot remove '.*kept\.pid': permission denied\n$/,
    );
    expect(existsSync(path)).to.be.true;
    expect(readFileSync(`${path}.pid`, "utf8")).to.equal("");
    const next = await workshop.start("kept", ["-f", `${path}.pid`]);
    await next.stop();
    expect(existsSync(path)).to.be.false;
  });

  describe("of threads that are started later", () => {
    const shim = new SgShim();

    it("are the same", async () => {
      const helper = await workshop.start("grown", ["--workers", "4"], shim.environment);
      const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.greeted(workshop.path("grown"))));
      const device = openSync("/dev/null", "r+");
      for (const client of clients) client.send(scriptedCdb(0x5e, 8, { hold: 1 }), [device]);
      await until(async () => (await workersOf(workshop.path("grown"))) === 4);
      expect(distinctStatuses(helper.pid, FIELDS)).to.deep.equal([privileges(0, 0, "", RAWIO, NONE)]);
      shim.release(1);
      for (const client of clients) expect((await client.readAnswer()).length).to.be.greaterThan(0);
      closeSync(device);
      for (const client of clients) client.close();
      await helper.stop();
    });
  });
});
