/** Who may connect to the helper, how often, and for how long it may leave something unfinished. */

import { expect } from "chai";
import { closeSync, openSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { refusalOf, rulesFor } from "#src/helper/connections/admission.js";
import type { AdmissionRules } from "#src/helper/connections/admission.js";
import { allocateClientRegister, ClientRegister } from "#src/helper/shared/client-register.js";
import { allocateConnectionTable, Connection } from "#src/helper/shared/connection-table.js";
import { Log } from "#src/helper/log.js";
import { StalledClients } from "#src/helper/connections/stalled-clients.js";
import { allocateTotals, sumTotals, Totals } from "#src/helper/shared/totals.js";
import { allocateWorkerControl, WorkerControl } from "#src/helper/shared/worker-control.js";
import { ManualClock } from "../support/manual-clock.js";
import { isListening } from "../support/pr-helper.js";
import { until, Workshop } from "./support/helper-process.js";
import { descriptorsAtRest, hasClosed } from "./support/process-status.js";
import { RawClient } from "./support/raw-client.js";
import { cdb } from "./support/scenarios.js";

const OPEN: AdmissionRules = { allowedUids: [], allowedGids: [], connectionsPerUser: 2, connectionsPerProcess: 2 };
const CLIENT = { uid: 1000, gid: 100, pid: 77 };

describe("admission to qom-pr-helper", () => {
  describe("rules", () => {
    let register: ClientRegister;
    beforeEach(() => (register = new ClientRegister(allocateClientRegister())));

    for (const [what, rules, refused] of [
      ["nobody is named", {}, false],
      ["its user is named", { allowedUids: [1, 1000] }, false],
      ["its group is named", { allowedGids: [100] }, false],
      ["its user is named, and another group", { allowedUids: [1000], allowedGids: [5] }, false],
      ["another user is named", { allowedUids: [1001] }, true],
      ["another group is named", { allowedGids: [101] }, true],
      ["its group's number is named as a user's", { allowedUids: [100] }, true],
    ] as const) {
      it(`${refused ? "refuse" : "admit"} a client when ${what}`, () => {
        expect(refusalOf(CLIENT, { ...OPEN, ...rules }, register) !== null).to.equal(refused);
      });
    }

    it("count the connections that are there, of the user and of the process", () => {
      register.enter(10, CLIENT, 0);
      register.enter(11, { ...CLIENT, pid: 78 }, 0);
      expect(refusalOf(CLIENT, OPEN, register)).to.equal(null);
      register.enter(12, { ...CLIENT, pid: 79 }, 0);
      expect(refusalOf(CLIENT, OPEN, register)).to.match(/its user has 2 connections/);
      register.leave(11);
      expect(refusalOf(CLIENT, OPEN, register)).to.equal(null);
      register.enter(13, { ...CLIENT, uid: 1 }, 0);
      register.enter(14, { ...CLIENT, uid: 2 }, 0);
      expect(refusalOf(CLIENT, OPEN, register)).to.match(/its process has 2 connections/);
    });

    it("give each user half of the connections there can be, unless it was given more", () => {
      const users = [8, 101, 4028, 8192, Infinity].map((most) => rulesFor({ ...OPEN, connectionsPerUser: null }, most).connectionsPerUser);
      expect(users).to.deep.equal([4, 50, 2014, 2048, 2048]);
      expect(rulesFor({ ...OPEN, connectionsPerUser: 60 }, 101).connectionsPerUser).to.equal(60);
    });

    it("do not take all processes of other pid namespaces for one", () => {
      for (const fd of [10, 11, 12, 13]) register.enter(fd, { uid: fd, gid: 1, pid: 0 }, 0);
      expect(refusalOf({ uid: 13, gid: 1, pid: 0 }, OPEN, register)).to.equal(null);
    });

    it("know the highest user id", () => {
      register.enter(10, { uid: 0xffff_fffe, gid: 0xffff_fffe, pid: 1 }, 0);
      expect(register.get(10)).to.include({ uid: 0xffff_fffe, gid: 0xffff_fffe, pid: 1 });
      expect(register.countWith("uid", 0xffff_fffe)).to.equal(1);
    });
  });

  describe("clients that do not finish", () => {
    const TIMEOUT_MS = 60_000;
    const register = new ClientRegister(allocateClientRegister());
    const connections = allocateConnectionTable();
    const totals = allocateTotals(1);
    const clock = new ManualClock();
    const dropped: number[] = [];
    const watcher = new StalledClients({
      ...{ clock, register, connections, timeoutMs: TIMEOUT_MS },
      control: new WorkerControl(allocateWorkerControl(1)),
      totals: new Totals(totals, 0),
      log: new Log(0),
      shutDown: (fd) => void dropped.push(fd),
    });
    const client = (fd: number): Connection => {
      register.enter(fd, CLIENT, fd);
      const connection = new Connection(connections, fd);
      connection.open();
      register.release(fd);
      return connection;
    };

    it("are dropped after the time they have, and others are not; when there are none, nothing wakes up any more", () => {
      client(5); // has not even said which features it wants
      const idle = client(6);
      idle.begin("cdb", 16);
      const slow = client(7);
      slow.begin("cdb", 16);
      slow.advance(3);
      const steady = client(8);
      steady.begin("parameter-list", 24);
      const busy = client(9);
      busy.begin("cdb", 16);
      busy.advance(16);
      register.take(9);
      watcher.watch();
      expect(clock.timers).to.equal(1);
      clock.advance(TIMEOUT_MS);
      expect(dropped).to.deep.equal([]);
      register.count(8, true); // one request is finished, and the next one begun
      clock.advance(TIMEOUT_MS / 2);
      expect(dropped).to.deep.equal([5, 7]);
      expect(sumTotals(totals).stalled).to.equal(2);
      clock.advance(TIMEOUT_MS / 2);
      expect(dropped).to.deep.equal([5, 7]);
      clock.advance(TIMEOUT_MS / 2);
      expect(dropped).to.deep.equal([5, 7, 8]);
      clock.advance(TIMEOUT_MS);
      expect(clock.timers).to.equal(0);
      for (const fd of [5, 6, 7, 8]) register.take(fd); // whoever gets the event can have it
    });
  });

  describe("of a running helper", () => {
    const workshop = new Workshop();
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    let device: number;
    before(() => (device = openSync("/dev/null", "r+")));
    after(() => closeSync(device));

    async function answers(client: RawClient): Promise<boolean> {
      client.send(cdb(0x5e, 0, 8), [device]);
      return (await client.readAnswer()).length === RESPONSE_HEADER_SIZE;
    }

    it("is for the users and groups that are named", async () => {
      for (const [name, args] of [
        ["user", ["--allow-uid", `${uid}`]],
        ["group", ["--allow-uid", "4242", "--allow-gid", `${gid}`]],
      ] as const) {
        const helper = await workshop.start(`named-${name}`, args);
        expect(await answers(await RawClient.greeted(workshop.path(`named-${name}`)))).to.be.true;
        await helper.stop();
      }
    });

    it("is not for others: their connection is closed without a word, with one line in the log", async () => {
      const path = workshop.path("others");
      const helper = workshop.spawn(["-k", path, "--allow-uid", "4242", "--allow-gid", "4243"]);
      await until(() => isListening(path));
      const refusals = (): number => helper.stderr.split(" refused: ").length - 1;
      await until(() => refusals() > 0);
      const before = refusals();
      const { bytes } = await new RawClient(path).readToEnd();
      expect(bytes.length).to.equal(0);
      await until(() => refusals() > before);
      const line = `qom-pr-helper: connection of uid ${uid}, gid ${gid}, process ${process.pid} refused: neither its user nor its group is allowed\n`;
      expect(helper.stderr.endsWith(line), helper.stderr).to.be.true;
      expect(refusals()).to.equal(before + 1);
      await helper.stop();
    });

    for (const option of ["user", "process"]) {
      it(`ends where one ${option} has as many connections as it may, until one is closed`, async () => {
        const path = workshop.path(`per-${option}`);
        const helper = await workshop.start(`per-${option}`, [`--connections-per-${option}`, "2"]);
        const clients: RawClient[] = [];
        // The one that found the helper ready may still be on its way out.
        const next = async (): Promise<boolean> => {
          const client = new RawClient(path);
          const greeting = await client.read(4);
          if (greeting.length === 4) clients.push(client);
          return greeting.length === 4;
        };
        await until(next);
        await until(next);
        expect(await next()).to.be.false;
        expect(helper.stderr).to.match(new RegExp(`refused: its ${option} has 2 connections`));
        clients.pop()?.close();
        await until(next);
        await helper.stop();
      });
    }

    it("ends for a client that leaves a request unfinished, and for no other", async () => {
      const path = workshop.path("unfinished");
      const helper = await workshop.start("unfinished", ["--request-timeout", "1", "--workers", "1"]);
      const atRest = await descriptorsAtRest(helper, path);
      const idle = await RawClient.greeted(path);
      expect(await answers(idle)).to.be.true;
      const silent = new RawClient(path);
      const half = await RawClient.greeted(path);
      half.send(cdb(0x5e, 0, 8).subarray(0, 7), [device]);
      const withoutParameters = await RawClient.greeted(path);
      withoutParameters.send(cdb(0x5f, 0, 24), [device]);
      for (const client of [half, withoutParameters, silent]) await client.readToEnd();
      await hasClosed(helper, atRest, 1);
      expect(helper.stderr.match(/dropped: nothing was finished for 1 s/g)).to.have.lengthOf(3);
      expect(await answers(idle)).to.be.true;
      await helper.stop();
    });
  });
});
