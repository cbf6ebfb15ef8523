/** Several sockets, each of which is an initiator: `--initiator-from path`. */

import { expect } from "chai";
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import { checkSocketNames, initiatorOfSocket, nameOfSocket } from "#src/helper/socket-names.js";
import { askStatus } from "#src/helper/serving/status.js";
import type { StatusReport } from "#src/helper/serving/status.js";
import { greets } from "../support/pr-helper.js";
import { send } from "./support/command-client.js";
import { run, until, Workshop } from "./support/helper-process.js";
import { listeningLine, privilegeWarning } from "./support/process-status.js";
import { PublicProgram } from "./support/public-program.js";
import { RawClient } from "./support/raw-client.js";
import { RepeatedRuns } from "./support/repeated-runs.js";

const MEMORY = ["--object", "pr-manager-memory", "--initiator-from", "path"] as const;
const REGISTER_A = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan, aptpl: true });
const REGISTER_A_HERE = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan });
const REGISTER_B = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xbn });
const FULL_STATUS = PersistentReserveIn.readFullStatus(1024);

/** Runs the words behind it in the same process, as the one that sockets are passed to. */
const AS_ACTIVATED = ["-c", 'export LISTEN_PID="$$" && exec "$0" "$@"'];

describe("several sockets of qom-pr-helper", () => {
  const workshop = new Workshop("itself");
  const here = new RepeatedRuns();
  const program = new PublicProgram();
  let fd: number;
  before(() => {
    writeFileSync(workshop.path("disk"), "");
    fd = openSync(workshop.path("disk"), constants.O_RDWR);
  });
  after(() => closeSync(fd));

  /** A folder of its own for sockets, which another user may write. */
  function folder(name: string): string {
    const path = workshop.path(name);
    mkdirSync(path, { mode: 0o777 });
    return path;
  }

  async function registrants(path: string): Promise<readonly (readonly [bigint, string | undefined])[]> {
    const { data } = await send(await RawClient.greeted(path), fd, FULL_STATUS);
    return PersistentReserveIn.parse("read-full-status", data).registrants.map(({ key, initiator }) => [key, initiator?.format()]);
  }

  describe("names", () => {
    for (const [path, name] of [
      ["/run/vm1.sock", "vm1"],
      ["/run/vm1", "vm1"],
      ["/run/vm1.socket", "vm1.socket"],
      ["/run/.sock", ".sock"],
      ["/run/a.sock.sock", "a.sock"],
    ] as const) {
      it(`${path} is ${name}`, () => {
        expect(nameOfSocket(path)).to.equal(name);
      });
    }

    it("are different initiators, whatever they consist of", () => {
      const names = ["a", "A", "a_b", "a:5fb", "a:b", "a b", "a,b", "ä", "a\u0308", "a.b", "a-b", "a\nb"];
      expect(new Set(names.map((name) => initiatorOfSocket(name).key)).size).to.equal(names.length);
      expect(initiatorOfSocket("vm1").format()).to.match(/^iqn\.2026-11\.org\.qom-pr:path-vm1,i,0x80[0-9a-f]{10}$/);
    });

    it("are refused when there are too many", () => {
      const names = Array.from({ length: 257 }, (_, i) => `n${i}`);
      checkSocketNames(names.slice(1), "x");
      expect(() => checkSocketNames(names, "x")).to.throw(/x: 257 sockets are more than 256/);
    });
  });

  it("are initiators of one unit, and one user is as many", async () => {
    const sockets = folder("two");
    const [one, two] = [join(sockets, "one.sock"), join(sockets, "two.sock")];
    const helper = workshop.spawn([...MEMORY, "-k", one, "-k", two]);
    await helper.serves(two);
    const [first, second] = [await RawClient.greeted(one), await RawClient.greeted(two)];
    expect((await send(first, fd, REGISTER_A_HERE)).outcome).to.equal("0");
    expect((await send(second, fd, REGISTER_B)).outcome).to.equal("0");
    expect((await send(await RawClient.greeted(one), fd, REGISTER_B)).outcome, "registered with another key").to.equal("24");
    expect(await registrants(one)).to.deep.equal([
      [0xan, initiatorOfSocket("one").format()],
      [0xbn, initiatorOfSocket("two").format()],
    ]);
    for (const path of [one, two]) {
      const report = JSON.parse(await askStatus(path)) as StatusReport; // our own report
      expect(report.socket).to.equal(path);
      expect(new Set(report.clients.map(({ socket }) => socket))).to.deep.equal(new Set([one, two]));
    }
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    expect(helper.stderr).to.equal(listeningLine(one, two));
    expect(readdirSync(sockets)).to.deep.equal([]);
  });

  it("keep over a restart what was registered through them", async () => {
    const [sockets, state] = [folder("kept"), folder("state")];
    const paths = ["vm-1.sock", "vm_2.sock"].map((name) => join(sockets, name));
    const [one = "", two = ""] = paths;
    const objects = ["--object", `scsi-fabric,id=san0,state=${state}`, "--object", "pr-manager-memory,fabric=san0"];
    const words = [...objects, "--initiator-from", "path", ...paths.flatMap((path) => ["-k", path])];
    const before = workshop.spawn(words);
    await before.serves(one);
    expect((await send(await RawClient.greeted(two), fd, REGISTER_A)).outcome).to.equal("0");
    await before.stop();
    // In another order, which does not matter.
    const after = workshop.spawn([...objects, "--initiator-from", "path", "-k", two, "-k", one]);
    await after.serves(two);
    expect(await registrants(one)).to.deep.equal([[0xan, initiatorOfSocket("vm_2").format()]]);
    expect(
      (await send(await RawClient.greeted(one), fd, PersistentReserveOut.encode({ action: "reserve", type: 1, key: 0xan }))).outcome,
    ).to.equal("24");
    expect(
      (await send(await RawClient.greeted(two), fd, PersistentReserveOut.encode({ action: "reserve", type: 1, key: 0xan }))).outcome,
    ).to.equal("0");
    await after.stop();
  });

  for (const user of process.getuid?.() === 0 ? [[], ["-u", "nobody"]] : [[]]) {
    it(`replace those of a helper that was killed, with a pid file${user.length > 0 ? " and another user" : ""}`, async () => {
      const sockets = folder(`killed ${user.length}`);
      const [one, two, pidFile] = [join(sockets, "one"), join(sockets, "two.sock"), join(sockets, "pid")];
      const words = ["--initiator-from", "path", "-k", one, "-k", two, "-f", pidFile, ...user];
      const start = async (): Promise<ReturnType<Workshop["spawn"]>> => {
        const helper = workshop.spawn(words, program.environment, {}, program.path);
        for (const path of [one, two]) await helper.serves(path);
        return helper;
      };
      await (await start()).stop("SIGKILL");
      expect(existsSync(one) && existsSync(two)).to.equal(true);
      const next = await start();
      const third = await here.run(["--initiator-from", "path", "-k", join(sockets, "three"), "-k", two]);
      expect(third).to.include({ code: 1, stderr: `qom-pr-helper: another process listens on '${two}'\n` });
      expect(readdirSync(sockets).filter((name) => name.startsWith("three"))).to.deep.equal([]);
      expect((await next.stop()).code).to.equal(0);
      // Another user may not remove what root made in root's folder.
      if (user.length === 0) expect(readdirSync(sockets)).to.deep.equal([]);
    });
  }

  it("without it: the last -k wins", async () => {
    const [first, last] = [workshop.path("first"), workshop.path("last")];
    const helper = workshop.spawn(["-k", first, "-k", last]);
    await helper.serves(last);
    expect(existsSync(first)).to.equal(false);
    await helper.stop();
    expect(helper.stderr).to.equal(`${privilegeWarning()}${listeningLine(last)}`);
  });

  it("-q does not tell where it listens", async () => {
    const helper = await workshop.start("quiet", ["-q"]);
    await helper.stop();
    expect(helper.stderr).to.equal("");
  });

  for (const [what, words, text] of [
    [
      "two of one name",
      ["-k", "/run/x.sock", "-k", "/tmp/x"],
      /option '--socket': two sockets have the name 'x', and would be one initiator/,
    ],
    ["a name that is too long", ["-k", `/run/${"A".repeat(90)}`], /option '--socket': 'A+…?' is too long for the name of an initiator/],
    ["a relative one", ["-k", "/run/x.sock", "-k", "y.sock"], /the socket's path must be absolute/],
  ] as const) {
    it(`${what} ends the start with one line`, async () => {
      const result = await here.run([...MEMORY, ...words]);
      expect(result.code).to.equal(1);
      expect(result.stderr)
        .to.match(text)
        .and.to.match(/^qom-pr-helper: [^\n]+\n$/);
    });
  }

  describe("of systemd", () => {
    function passing(names: string, count: number): NodeJS.ProcessEnv {
      return { LISTEN_FDS: String(count), LISTEN_FDNAMES: names, ...program.environment };
    }
    const words = (...more: readonly string[]): string[] => [...AS_ACTIVATED, program.path, ...MEMORY, ...more];

    it("have the names that FileDescriptorName= gives them, also in the background", async () => {
      for (const [place, background] of [
        ["front", []],
        ["back", ["-d", "-f", workshop.path("several.pid")]],
      ] as const) {
        const names = [`${place}-one`, `${place}-two`];
        const [one = "", two = ""] = names.map((name) => workshop.path(name));
        const descriptors = names.map((name) => workshop.listener(name));
        const helper = workshop.spawn(words(...background), passing("alpha:beta", 2), { descriptors }, "/bin/sh");
        if (background.length > 0) {
          expect((await helper.ended).code).to.equal(0);
          workshop.adopt(workshop.path("several.pid"));
        }
        await until(async () => (await greets(one)) && greets(two));
        const register = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan });
        expect((await send(await RawClient.greeted(two), fd, register)).outcome).to.equal("0");
        expect(await registrants(one)).to.deep.equal([[0xan, initiatorOfSocket("beta").format()]]);
        if (background.length === 0) await helper.stop();
        else process.kill(workshop.adopt(workshop.path("several.pid")));
        await until(() => !existsSync(`${one}.status`) && !existsSync(`${two}.status`));
        expect(helper.stderr, basename(one)).to.equal(listeningLine(one, two));
      }
    });

    for (const [what, names, more, text] of [
      ["without names", "", [], /LISTEN_FDNAMES: 2 of 2 sockets have no name/],
      ["one of which has no name", "alpha", [], /LISTEN_FDNAMES: 1 of 2 sockets have no name/],
      ["of one name", "alpha:alpha", [], /LISTEN_FDNAMES: two sockets have the name 'alpha'/],
      [
        "and another way to tell initiators apart",
        "a:b",
        ["--initiator-from=uid"],
        /LISTEN_FDS: 2 sockets are passed, and the helper serves one/,
      ],
      ["and -k", "a:b", ["-k", "/run/x"], /the socket is passed by LISTEN_FDS, and cannot be chosen/],
    ] as const) {
      it(`are refused: ${what}`, async () => {
        const descriptors = [`${what} 1`, `${what} 2`].map((name) => workshop.listener(name));
        const result = await run("/bin/sh", words(...more), passing(names, 2), { descriptors });
        expect(result.code).to.equal(1);
        expect(result.stderr)
          .to.match(text)
          .and.to.match(/^qom-pr-helper: [^\n]+\n$/);
      });
    }
  });
});
