/** The two files a helper makes: it takes no path away from anyone, and leaves none behind. */

import { expect } from "chai";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { libc } from "#src/native/libc.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { AF_UNIX, SOCK_STREAM, SOCKADDR_UN_SIZE, unixAddress } from "#src/native/socket/layout.js";
import { findPrHelper, greets, isListening, skipWithoutPrHelper } from "../support/pr-helper.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import type { Ending, HelperProcess } from "./support/helper-process.js";
import { stopProcess } from "./support/process-status.js";
import { RawClient } from "./support/raw-client.js";
import { RepeatedRuns } from "./support/repeated-runs.js";
import { skipUnlessRequired } from "../support/requirement.js";

describe("files of qom-pr-helper", () => {
  const workshop = new Workshop();
  const here = new RepeatedRuns();

  /** Leaves a socket file behind that nobody listens on. */
  async function abandon(name: string): Promise<string> {
    await (await workshop.start(name)).stop("SIGKILL");
    expect(lstatSync(workshop.path(name)).isSocket()).to.be.true;
    return workshop.path(name);
  }

  describe("socket", () => {
    it("is for owner and group, whatever the umask, and gone at the end", async () => {
      const umask = process.umask(0);
      const helper = await workshop.start("mode").finally(() => process.umask(umask));
      expect(lstatSync(workshop.path("mode")).mode & 0o777).to.equal(0o660);
      expect(
        readdirSync(workshop.path("."))
          .filter((name) => name.startsWith("mode"))
          .toSorted(),
      ).to.deep.equal(["mode", "mode.status"]);
      await helper.stop();
      expect(readdirSync(workshop.path(".")).filter((name) => name.startsWith("mode"))).to.deep.equal([]);
    });

    it("replaces one that nobody listens on", async () => {
      const path = await abandon("stale");
      const helper = await workshop.start("stale");
      expect(await isListening(path)).to.be.true;
      await helper.stop();
    });

    it("is refused where another helper listens, which is not disturbed", async () => {
      const helper = await workshop.start("live");
      const path = workshop.path("live");
      const result = await here.run(["-k", path]);
      expect(result.code).to.equal(1);
      expect(result.stderr).to.equal(`qom-pr-helper: another process listens on '${path}'\n`);
      expect(await isListening(path)).to.be.true;
      await helper.stop();
    });

    it("is refused where qemu-pr-helper listens", async function () {
      const program = findPrHelper();
      if (program === null) skipWithoutPrHelper(this);
      await workshop.start("theirs", [], {}, program);
      expect((await here.run(["-k", workshop.path("theirs")])).code).to.equal(1);
      expect(await isListening(workshop.path("theirs"))).to.be.true;
      return undefined;
    });

    it("is refused where a server listens that takes no more connections", async () => {
      const path = workshop.path("busy");
      const fd = libc().socket(AF_UNIX, SOCK_STREAM, 0);
      const server = loadServerLibc();
      expect(server.bind(fd, unixAddress(path), SOCKADDR_UN_SIZE)).to.equal(0);
      expect(server.listen(fd, 0)).to.equal(0);
      const first = new RawClient(path);
      const result = await here.run(["-k", path]);
      expect(result.code).to.equal(1);
      expect(result.stderr).to.match(
        /^qom-pr-helper: cannot tell whether a process listens on '.*busy': .*resource temporarily unavailable\n$/,
      );
      expect(lstatSync(path).isSocket()).to.be.true;
      first.close();
      libc().close(fd);
    });

    it("is refused where a helper listens that is stopped", async () => {
      const helper = await workshop.start("frozen");
      await stopProcess(helper.pid);
      expect((await here.run(["-k", workshop.path("frozen")])).stderr).to.match(/another process listens/);
      helper.signal("SIGCONT");
      await helper.stop();
    });

    it("is refused where a process listens that has it from one that has ended", async () => {
      const path = workshop.path("inherited");
      // The shell becomes a program that never asks what became of the first one, so that this one's number stays taken.
      const listen = `
        const server = require("node:net").createServer().listen(process.argv[1], () => {
          const heir = require("node:child_process").spawn("sleep", ["600"], { stdio: ["ignore", "ignore", "ignore", server._handle.fd] });
          process.stdout.write(process.pid + " " + heir.pid, () => process.kill(process.pid, "SIGKILL"));
        });`;
      const script = `"$0" -e '${listen}' "$1" & exec sleep 600`;
      const parent = spawn("sh", ["-c", script, process.execPath, path], { stdio: ["ignore", "pipe", "inherit"] });
      const said = await new Promise<string>((resolve) => parent.stdout.setEncoding("utf8").once("data", resolve));
      const [first = 0, heir = 0] = said.split(" ").map(Number);
      try {
        // Its other threads may end after the first one; as long as one is there, so may be its descriptors.
        await until(() => readdirSync(`/proc/${first}/task`).length === 1);
        await until(() => readFileSync(`/proc/${first}/stat`, "latin1").includes(") Z "));
        const result = await here.run(["-k", path]);
        expect(result).to.deep.include({ code: 1, stderr: `qom-pr-helper: another process listens on '${path}'\n` });
        expect(await isListening(path)).to.be.true;
      } finally {
        process.kill(heir);
        parent.kill();
      }
    });

    for (const [kind, make, isStill] of [
      ["a regular file", (path: string) => writeFileSync(path, "precious"), (path: string) => readFileSync(path, "utf8") === "precious"],
      ["a directory", (path: string) => mkdirSync(path), (path: string) => lstatSync(path).isDirectory()],
      ["a symbolic link", (path: string) => symlinkSync("/nonexistent", path), (path: string) => lstatSync(path).isSymbolicLink()],
    ] as const) {
      it(`is refused where there is ${kind}`, async () => {
        const path = workshop.path(kind);
        make(path);
        const result = await here.run(["-k", path]);
        expect(result.code).to.equal(1);
        expect(result.stderr).to.equal(`qom-pr-helper: '${path}' exists and is not a socket\n`);
        expect(isStill(path)).to.be.true;
      });
    }

    it("goes to one of several helpers that start at once on a stale one", async () => {
      const path = await abandon("race");
      const helpers = Array.from({ length: 4 }, () => workshop.spawn(["-k", path]));
      const ended = new Map<HelperProcess, Ending>();
      for (const helper of helpers) void helper.ended.then((ending) => ended.set(helper, ending));
      await until(() => ended.size >= helpers.length - 1);
      await until(() => greets(path));
      const [winner, ...others] = helpers.filter((helper) => !ended.has(helper));
      expect(others).to.deep.equal([]);
      for (const [helper, { code }] of ended) {
        expect(code).to.equal(1);
        expect(helper.stderr).to.match(/another process listens on|lock file .* is held by another process/);
      }
      expect(await winner?.stop()).to.deep.equal({ code: 0, signal: null });
      expect(readdirSync(workshop.path(".")).filter((name) => name.startsWith("race"))).to.deep.equal([]);
    });

    it("is not removed at the end when another has taken its path", async () => {
      const first = await workshop.start("moved");
      rmSync(workshop.path("moved"));
      const second = await workshop.start("moved");
      expect(await first.stop()).to.deep.equal({ code: 0, signal: null });
      expect(await isListening(workshop.path("moved"))).to.be.true;
      await second.stop();
    });
  });

  describe("pid file", () => {
    it("has the number of the process, and goes with it", async () => {
      const path = workshop.path("pid");
      const helper = await workshop.start("with-pid", ["-f", path]);
      expect(readFileSync(path, "utf8")).to.equal(`${helper.pid}\n`);
      await helper.stop();
      expect(existsSync(path)).to.be.false;
    });

    it("is written over when its process is dead", async () => {
      const path = workshop.path("old-pid");
      writeFileSync(path, "123456789012\n");
      const helper = await workshop.start("old", [`--pidfile=${path}`]);
      expect(readFileSync(path, "utf8")).to.equal(`${helper.pid}\n`);
      await helper.stop();
    });

    for (const [what, make, text] of [
      ["in a folder that does not exist", () => "/nonexistent/pid", /option '--pidfile': the folder '\/nonexistent' does not exist\n$/],
      ["a directory", () => workshop.path("."), /cannot open the pid file .*: illegal operation on a directory\n$/],
      ["a device", () => "/dev/null", /the pid file '\/dev\/null' is not a regular file/],
    ] as const) {
      it(`is refused when it is ${what}, and no socket is left behind`, async () => {
        const result = await here.run(["-k", workshop.path("no-pid"), "-f", make()]);
        expect(result.code).to.equal(1);
        expect(result.stderr).to.match(text);
        expect(existsSync(workshop.path("no-pid"))).to.be.false;
      });
    }

    describe("that cannot be written", () => {
      let full = "";
      before(function () {
        full = workshop.path("full");
        mkdirSync(full);
        const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k,mode=755", "none", full]);
        if (mounted.status === 0) return;
        skipUnlessRequired(this, "a small file system cannot be mounted, which takes root");
      });
      after(() => void spawnSync("umount", [full]));

      it("for want of space is refused, and nothing is left behind", async () => {
        writeFileSync(join(full, "filler"), Buffer.alloc(4096));
        for (const background of [[], ["-d"]]) {
          const result = await run(OUR_PROGRAM, [...background, "-k", workshop.path("no-space"), "-f", join(full, "pid")]);
          expect(result.code).to.equal(1);
          expect(result.stderr).to.match(/^qom-pr-helper: cannot write the pid file '.*full\/pid': no space left on device\n$/);
          expect(readdirSync(full)).to.deep.equal(["filler"]);
          expect(existsSync(workshop.path("no-space"))).to.be.false;
        }
      });
    });

    it("is refused when it exceeds the limit of file sizes, and nothing is left behind", async () => {
      const path = workshop.path("limited");
      const result = await run("/bin/sh", ["-c", 'ulimit -f 0 && exec "$0" "$@"', OUR_PROGRAM, "-k", path, "-f", `${path}.pid`]);
      expect(result.code).to.equal(1);
      expect(result.stderr).to.match(/^qom-pr-helper: cannot write the pid file '.*limited\.pid': file too large\n$/);
      expect(existsSync(path)).to.be.false;
      expect(existsSync(`${path}.pid`)).to.be.false;
    });

    it("is refused while another helper has it, which keeps it", async () => {
      const path = workshop.path("shared-pid");
      const helper = await workshop.start("first", ["-f", path]);
      const result = await here.run(["-k", workshop.path("second"), "-f", path]);
      expect(result.code).to.equal(1);
      expect(result.stderr).to.equal(`qom-pr-helper: the pid file '${path}' is held by another process\n`);
      expect(readFileSync(path, "utf8")).to.equal(`${helper.pid}\n`);
      expect(existsSync(workshop.path("second"))).to.be.false;
      await helper.stop();
    });

    it("is refused while qemu-pr-helper has it, which keeps it", async function () {
      const program = findPrHelper();
      if (program === null) skipWithoutPrHelper(this);
      const pid = workshop.path("their-pid");
      const theirs = await workshop.start("theirs-with-pid", ["-f", pid], {}, program);
      for (const socket of ["theirs-with-pid", "ours"]) {
        const result = await here.run(["-k", workshop.path(socket), "-f", pid]);
        expect(result.code).to.equal(1);
        expect(result.stderr).to.equal(`qom-pr-helper: the pid file '${pid}' is held by another process\n`);
        expect(readFileSync(pid, "utf8")).to.equal(`${theirs.pid}\n`);
      }
      await theirs.stop();
    });

    it("is not taken by qemu-pr-helper", async function () {
      const program = findPrHelper();
      if (program === null) skipWithoutPrHelper(this);
      const pid = workshop.path("our-pid");
      const ours = await workshop.start("ours-with-pid", ["-f", pid]);
      const result = await run(program, ["-k", workshop.path("theirs-without-pid"), "-f", pid]);
      expect(result.code).to.equal(1);
      expect(readFileSync(pid, "utf8")).to.equal(`${ours.pid}\n`);
      await ours.stop();
    });
  });
});
