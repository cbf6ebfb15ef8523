/** Descriptors whose close(2) never comes back: the client has its answer, others are served, and the helper can be ended and replaced. */

import { expect } from "chai";
import { chmodSync, closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { STUCK_CLOSES_PER_USER } from "#src/helper/workers/spent-descriptors.js";
import { hasEnded } from "#src/native/process/end.js";
import { isListening } from "../support/pr-helper.js";
import { greetedAs } from "./support/command-client.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { MuteFuse } from "./support/mute-fuse.js";
import type { MuteServer } from "./support/mute-fuse.js";
import { RawClient } from "./support/raw-client.js";
import { cdb } from "./support/scenarios.js";

const READ_KEYS = cdb(0x5e, 0, 32);

/** Any user but root. */
const NOBODY = 65_534;

describe("qom-pr-helper and descriptors that cannot be closed", () => {
  const fuse = new MuteFuse();
  const workshop = new Workshop();

  /** Sends a request with a descriptor that can be closed, or that of a server, and gives the length of the answer. */
  async function ask(client: RawClient, server?: MuteServer): Promise<number> {
    send(client, server);
    return (await client.readAnswer()).length;
  }

  /** Whether a new client is answered; it may be dropped at any moment. */
  async function isServed(path: string): Promise<boolean> {
    try {
      return (await ask(await RawClient.greeted(path))) > 0;
    } catch {
      return false;
    }
  }

  function send(client: RawClient, server?: MuteServer): void {
    const fd = server?.open() ?? openSync("/dev/null", "r+");
    client.send(READ_KEYS, [fd]);
    closeSync(fd);
  }

  /** Another client, as another user. */
  function asNobody(path: string): Promise<RawClient> {
    chmodSync(path, 0o666);
    chmodSync(workshop.path("."), 0o711);
    return greetedAs(NOBODY, path);
  }

  async function stuck(helper: HelperProcess, count: number): Promise<void> {
    const lines = (): number =>
      helper.stderr.match(/closing a descriptor of user 0 is waiting for its file system or disk\n/g)?.length ?? 0;
    await until(() => lines() >= count);
  }

  for (const [manager, options] of [
    ["SG_IO", () => []],
    ["pr-manager-memory", () => ["--object", "pr-manager-memory"]],
    ["a state folder", (state) => ["--object", `scsi-fabric,id=san0,state=${state}`, "--object", "pr-manager-memory,fabric=san0"]],
  ] satisfies [manager: string, options: (state: string) => string[]][]) {
    describe(manager, () => {
      it("the client is answered, and others are served however many closes wait", async function () {
        const server = await fuse.serve(this);
        const name = `many-${manager}`;
        const helper = await workshop.start(name, ["--workers", "2", ...options(workshop.path(`${name}.state`))]);
        const path = workshop.path(name);
        for (let i = 1; i <= 4; i += 1) {
          expect(await ask(await RawClient.greeted(path), server)).to.be.at.least(RESPONSE_HEADER_SIZE);
          if (i >= 2) await stuck(helper, i);
        }
        const other = await RawClient.greeted(path);
        expect(await ask(other)).to.be.at.least(RESPONSE_HEADER_SIZE);
        expect(await ask(other)).to.be.at.least(RESPONSE_HEADER_SIZE);
        await server.end();
        expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
      });

      it("a client with too many is dropped before its next descriptor is received, and another user is not", async function () {
        const server = await fuse.serve(this);
        const name = `dropped-${manager}`;
        const helper = await workshop.start(name, ["--workers", "2", ...options(workshop.path(`${name}.state`))]);
        const path = workshop.path(name);
        const client = await RawClient.greeted(path);
        const other = await asNobody(path);
        for (let i = 1; i <= STUCK_CLOSES_PER_USER; i += 1) {
          await ask(await RawClient.greeted(path), server);
          if (i >= 2) await stuck(helper, i);
        }
        send(client, server);
        expect((await client.readToEnd()).bytes.length).to.equal(0);
        expect(helper.stderr).to.match(/client \d+ dropped: 8 descriptors of its user are waiting to be closed, the most allowed\n/);
        expect(await ask(other)).to.be.at.least(RESPONSE_HEADER_SIZE);
        await server.end();
        // As soon as they are closed, its user is served again.
        await until(() => isServed(path));
        expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
      });

      it("SIGTERM ends the process: clients are told, the files are gone, and the next helper serves", async function () {
        const server = await fuse.serve(this);
        const name = `stopped-${manager}`;
        const path = workshop.path(name);
        const args = ["-f", `${path}.pid`, ...options(`${path}.state`)];
        const helper = await workshop.start(name, args);
        const [client, idle] = [await RawClient.greeted(path), await RawClient.greeted(path)];
        await ask(client, server);
        helper.signal("SIGTERM");
        await until(() => hasEnded(helper.pid));
        for (const each of [client, idle]) expect((await each.readToEnd()).bytes.length).to.equal(0);
        for (const file of [path, `${path}.pid`, `${path}.status`]) expect(existsSync(file), file).to.equal(false);
        const folder = `${path}.state`;
        if (existsSync(folder)) expect(readdirSync(folder), "a folder that was closed").to.deep.equal([]);
        const next = await workshop.start(name, args);
        expect(await ask(await RawClient.greeted(path))).to.be.at.least(RESPONSE_HEADER_SIZE);
        await server.end();
        expect(await helper.ended).to.deep.equal({ code: 0, signal: null });
        expect(await next.stop()).to.deep.equal({ code: 0, signal: null });
      });

      it("after SIGKILL the next helper takes the same paths at once", async function () {
        const server = await fuse.serve(this);
        const name = `killed-${manager}`;
        const path = workshop.path(name);
        const args = ["-f", `${path}.pid`, ...options(`${path}.state`)];
        const helper = await workshop.start(name, args);
        await ask(await RawClient.greeted(path), server);
        helper.signal("SIGKILL");
        await until(async () => !(await isListening(path)));
        const next = await workshop.start(name, args);
        expect(readFileSync(`${path}.pid`, "utf8")).to.equal(`${next.pid}\n`);
        expect(existsSync(`${path}.pid.lock`)).to.equal(false);
        expect(await ask(await RawClient.greeted(path))).to.be.at.least(RESPONSE_HEADER_SIZE);
        const second = await run(OUR_PROGRAM, ["-k", `${path}.second`, "-f", `${path}.pid`]);
        expect(second.stderr).to.match(/the pid file '.*' is held by another process\n$/);
        await server.end();
        expect(await helper.ended).to.deep.equal({ code: null, signal: "SIGKILL" });
        expect(await next.stop()).to.deep.equal({ code: 0, signal: null });
      });
    });
  }
});
