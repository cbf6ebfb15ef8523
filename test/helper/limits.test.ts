/** What a user can make the helper keep: so much and no more, while others are served; and nothing is kept that nobody would miss. */

import { expect } from "chai";
import { chmodSync, closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { PersistentReserveIn, PersistentReserveOut, TransportId } from "qom-pr";
import type { ScsiCommand } from "qom-pr";
import { Log, LogLevel } from "#src/helper/log.js";
import type { StatusReport } from "#src/helper/serving/status.js";
import { askStatus } from "#src/helper/serving/status.js";
import { UserLedger } from "#src/helper/managers/user-ledger.js";
import { greetedAs, send } from "./support/command-client.js";
import { until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { skipUnlessRoot } from "./support/process-status.js";
import { RawClient } from "./support/raw-client.js";
import { RepeatedRuns } from "./support/repeated-runs.js";

const ATTACKER = 65534;
const FULL = "05/55/04";
const MEMORY = ["--object", "pr-manager-memory"] as const;
const READ_KEYS = PersistentReserveIn.readKeys(8);
const UID = process.getuid?.() ?? 0;

function register(key: bigint, transportIds?: readonly TransportId[], aptpl = false): ScsiCommand {
  return PersistentReserveOut.encode({
    ...{ action: "register", serviceActionKey: key, aptpl },
    ...(transportIds === undefined ? {} : { transportIds }),
  });
}
const unregister = (key: bigint): ScsiCommand => PersistentReserveOut.encode({ action: "register", key, serviceActionKey: 0n });
const ignoring = (key: bigint): ScsiCommand =>
  PersistentReserveOut.encode({ action: "register-and-ignore-existing-key", serviceActionKey: key });

/** So many initiator ports that nobody has. */
function strangers(count: number, from = 0): TransportId[] {
  return Array.from({ length: count }, (_, i) => TransportId.parse(`iqn.2026-11.org.example:stranger-${from + i},i,0x000000000001`));
}

describe("limits of what a user may have qom-pr-helper keep", () => {
  const workshop = new Workshop();
  const here = new RepeatedRuns();
  const opened: number[] = [];
  const helpers: HelperProcess[] = [];
  before(() => chmodSync(workshop.path("."), 0o711));
  afterEach(async () => {
    for (const fd of opened.splice(0)) closeSync(fd);
    for (const helper of helpers.splice(0)) await helper.stop();
  });

  function disk(name: string): number {
    const path = workshop.path(name);
    writeFileSync(path, "", { flag: "a" });
    const fd = openSync(path, constants.O_RDWR);
    opened.push(fd);
    return fd;
  }

  async function start(name: string, args: readonly string[]): Promise<string> {
    helpers.push(await workshop.start(name, [...args]));
    chmodSync(workshop.path(name), 0o666);
    return workshop.path(name);
  }

  async function users(path: string): Promise<StatusReport["users"]> {
    return (JSON.parse(await askStatus(path)) as StatusReport).users; // our own report
  }

  /** What a user has, once the helper knows of all that was closed. */
  async function settled(path: string, expected: Readonly<Record<number, readonly [units: number, registrations: number]>>): Promise<void> {
    const wanted = JSON.stringify(expected);
    const told = async (): Promise<string> =>
      JSON.stringify(Object.fromEntries((await users(path)).map(({ uid, units, registrations }) => [uid, [units, registrations]])));
    await until(async () => (await told()) === wanted);
  }

  it("units: one user is refused its next disk, also for reading, and another is served", async function () {
    skipUnlessRoot(this);
    const path = await start("units", [...MEMORY, "--units-per-user", "3"]);
    const [attacker, other] = [await greetedAs(ATTACKER, path), await RawClient.greeted(path)];
    for (const name of ["u0", "u1", "u2"]) expect((await send(attacker, disk(name), ignoring(1n))).outcome).to.equal("0");
    expect((await send(attacker, disk("u3"), ignoring(1n))).outcome).to.equal(FULL);
    expect((await send(attacker, disk("u3"), READ_KEYS)).outcome).to.equal(FULL);
    for (const name of ["u0", "u3", "u4", "u5"]) expect((await send(other, disk(name), ignoring(2n))).outcome).to.equal("0");
    expect((await send(attacker, disk("u5"), ignoring(1n))).outcome, "a disk that another user answers for").to.equal("0");
    expect((await send(attacker, disk("u0"), ignoring(3n))).outcome, "one it has").to.equal("0");
    await settled(path, { 0: [3, 4], [ATTACKER]: [3, 4] });
    return undefined;
  });

  it("units: those that nobody uses any more make room", async () => {
    const path = await start("room", [...MEMORY, "--units-per-user", "2"]);
    const client = await RawClient.greeted(path);
    for (let i = 0; i < 20; i += 1) {
      const fd = disk(`room ${i}`);
      expect((await send(client, fd, register(1n))).outcome).to.equal("0");
      expect((await send(client, fd, unregister(1n))).outcome).to.equal("0");
    }
    await settled(path, { [UID]: [2, 0] });
  });

  it("registrations: strangers count to the user who registered them, and another is served", async function () {
    skipUnlessRoot(this);
    const path = await start("registrations", [...MEMORY, "--registrations-per-user", "300"]);
    const fd = disk("shared");
    const [attacker, other] = [await greetedAs(ATTACKER, path), await RawClient.greeted(path)];
    let outcome = "0";
    for (let from = 0; outcome === "0"; from += 90) {
      await send(attacker, fd, ignoring(0n)); // SPEC_I_PT is for who is not registered
      ({ outcome } = await send(attacker, fd, register(1n, strangers(90, from))));
      if (from > 1000) break;
    }
    expect(outcome).to.equal(FULL);
    expect((await send(attacker, disk("another"), register(1n, strangers(30)))).outcome).to.equal(FULL);
    expect((await send(other, fd, register(2n, strangers(20, 5000)))).outcome).to.equal("0");
    await settled(path, { 0: [0, 21], [ATTACKER]: [2, 270] });
    // What is taken from him he has again: 21 registrations stay the other's.
    expect(
      (await send(other, fd, PersistentReserveOut.encode({ action: "preempt", type: 1, key: 2n, serviceActionKey: 1n }))).outcome,
    ).to.equal("0");
    await settled(path, { 0: [0, 21], [ATTACKER]: [2, 0] });
    expect((await send(attacker, disk("another"), register(1n, strangers(90)))).outcome).to.equal("0");
    return undefined;
  });

  it("registrations: CLEAR and REGISTER AND MOVE keep the count", async () => {
    const path = await start("clear", [...MEMORY, "--registrations-per-user", "4"]);
    const [client, fd] = [await RawClient.greeted(path), disk("clear me")];
    const [destination] = strangers(1, 77);
    expect((await send(client, fd, register(1n, strangers(2)))).outcome).to.equal("0");
    expect((await send(client, fd, PersistentReserveOut.encode({ action: "reserve", type: 1, key: 1n }))).outcome).to.equal("0");
    const move = { action: "register-and-move", key: 1n, serviceActionKey: 9n, relativeTargetPort: 1 } as const;
    const to = destination === undefined ? [] : [destination];
    expect((await send(client, fd, PersistentReserveOut.encode({ ...move, transportIds: to }))).outcome).to.equal("0");
    await settled(path, { [UID]: [1, 4] });
    expect((await send(client, disk("no more"), register(1n))).outcome).to.equal(FULL);
    expect((await send(client, fd, PersistentReserveOut.encode({ action: "clear", key: 1n }))).outcome).to.equal("0");
    await settled(path, { [UID]: [2, 0] });
  });

  it("bytes: long names use them up, and the log tells it once", async () => {
    const path = await start("bytes", [...MEMORY, "--bytes-per-user", "65536"]);
    const [client, fd] = [await RawClient.greeted(path), disk("bytes disk")];
    const long = strangers(30).map((id) => TransportId.parse(id.format().replace(",", `-${"x".repeat(150)},`)));
    for (let i = 0; i < 5; i += 1) expect((await send(client, fd, register(1n, long))).outcome).to.equal(FULL);
    expect((await send(client, fd, register(1n))).outcome).to.equal("0");
    expect(
      helpers[0]?.stderr.match(/uid-\d+ is at the limit of 65536 bytes: commands that need more end with 05\/55\/04\n/g),
    ).to.have.length(1);
    expect((await users(path))[0]?.bytes).to.be.lessThan(65536);
  });

  for (const from of ["uid", "pid"] as const) {
    it(`keeps nothing of a client that registered nothing, when its last connection has ended: --initiator-from ${from}`, async () => {
      const path = await start(`gone ${from}`, [...MEMORY, "--initiator-from", from]);
      const [one, two] = [await RawClient.greeted(path), await RawClient.greeted(path)];
      for (let i = 0; i < 10; i += 1) expect((await send(i % 2 === 0 ? one : two, disk(`gone ${i}`), READ_KEYS)).outcome).to.equal("0");
      await settled(path, { [UID]: [10, 0] });
      one.close();
      await until(async () => (JSON.parse(await askStatus(path)) as StatusReport).clients.length === 1); // our own report
      await settled(path, { [UID]: [10, 0] });
      two.close();
      await settled(path, {});
    });
  }

  it("keeps what was registered, and news of what was lost, over the end of all connections", async function () {
    skipUnlessRoot(this);
    const path = await start("news", MEMORY);
    const fd = disk("news disk");
    const [mine, other] = [await RawClient.greeted(path), await greetedAs(ATTACKER, path)];
    expect((await send(mine, fd, register(1n))).outcome).to.equal("0");
    expect((await send(other, fd, register(2n))).outcome).to.equal("0");
    other.close();
    await until(async () => (JSON.parse(await askStatus(path)) as StatusReport).clients.length === 1); // our own report
    expect((await send(mine, fd, PersistentReserveOut.encode({ action: "clear", key: 1n }))).outcome).to.equal("0");
    mine.close();
    // The other has not been told, so he and the disk stay.
    await settled(path, { 0: [1, 0], [ATTACKER]: [0, 0] });
    const again = await greetedAs(ATTACKER, path);
    expect((await send(again, fd, READ_KEYS)).outcome).to.equal("06/2a/03");
    again.close();
    await settled(path, { 0: [1, 0] });
    return undefined;
  });

  it("knows after a restart who made which registration, and whose older ones are by their names", async () => {
    const state = workshop.path("state");
    mkdirSync(state);
    const args = ["--object", `scsi-fabric,id=san0,state=${state}`, "--object", "pr-manager-memory,fabric=san0"];
    const fd = disk("durable");
    const path = await start("before", args);
    expect((await send(await RawClient.greeted(path), fd, register(1n, strangers(5), true))).outcome).to.equal("0");
    await settled(path, { [UID]: [1, 6] });
    await helpers.pop()?.stop();
    const again = await start("after", [...args, "--registrations-per-user", "6"]);
    const client = await RawClient.greeted(again);
    expect((await send(client, fd, READ_KEYS)).outcome).to.equal("0");
    await settled(again, { [UID]: [1, 6] });
    expect((await send(client, disk("one more"), register(1n))).outcome).to.equal(FULL);
    client.close();
  });

  it("by the name of the initiator, for what 0.1.0 has left", () => {
    const ledger = new UserLedger({ units: 1, registrations: 1, bytes: 1 }, new Log(LogLevel.FATAL));
    for (const [name, owner] of [
      ["iqn.2026-11.org.qom-pr:uid-1000", "uid-1000"],
      ["iqn.2026-11.org.qom-pr:uid-1000,i,0x0123456789ab", "uid-1000"],
      ["iqn.2026-11.org.qom-pr:pid-1000-77", null],
      ["iqn.2026-11.org.qom-pr:uid-1000x", null],
      ["iqn.2026-11.org.example:uid-1000", null],
    ] as const) {
      expect(ledger.ownerOf(TransportId.parse(name)), name).to.equal(owner);
    }
  });

  it("all users together have a limit too", () => {
    const ledger = new UserLedger({ units: 10, registrations: 10, bytes: 100 }, new Log(LogLevel.FATAL));
    const most = { units: 0, registrations: 0, bytes: 100 };
    for (let uid = 1; uid <= 4; uid += 1) {
      expect(ledger.hasRoom(`uid-${uid}`, most)).to.equal(true);
      ledger.change(`uid-${uid}`, most);
    }
    expect(ledger.hasRoom("uid-5", { ...most, bytes: 1 })).to.equal(false);
    expect(ledger.hasRoom("uid-5", { ...most, bytes: 0.75 }), "a 128th part is for everybody").to.equal(true);
    ledger.change("uid-2", { ...most, bytes: -100 });
    expect(ledger.hasRoom("uid-5", most)).to.equal(true);
    expect(ledger.users.map(({ uid }) => uid)).to.deep.equal([1, 3, 4]);
  });

  for (const option of ["units-per-user", "registrations-per-user", "bytes-per-user"]) {
    it(`--${option} takes a number`, async () => {
      for (const value of ["0", "x", "99999999999999"]) {
        const result = await here.run([`--${option}`, value]);
        expect(result.code).to.equal(1);
        expect(result.stderr).to.match(new RegExp(`^qom-pr-helper: option '--${option}': '${value}' is not a number from [^\\n]+\\n$`));
      }
    });
  }
});
