/** `--object`: another manager than SG_IO executes what clients send, and clients are told apart. */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, constants, fstatSync, mkdirSync, openSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { runPersist } from "#src/cli/persist/persist.js";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import { askStatus } from "#src/helper/serving/status.js";
import { defaultInitiator } from "#src/scsi/default-initiator.js";
import { greetedAs, send } from "./support/command-client.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { RepeatedRuns } from "./support/repeated-runs.js";
import { skipUnlessRequired } from "../support/requirement.js";
import { descriptorsAtRest, hasClosed, listeningLine, skipUnlessRoot } from "./support/process-status.js";

const O_PATH = 0o10000000;
const OTHER_USER = 65534;

/** Files that are made until one has the inode of a deleted one; some file systems never use one again. */
const REUSE_ATTEMPTS = 100;
const REGISTER_A = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan });
const REGISTER_B = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xbn });
const RESERVE = { action: "reserve", type: 5 } as const;
const FULL_STATUS = PersistentReserveIn.readFullStatus(1024);
const READ_KEYS = PersistentReserveIn.readKeys(1024);

describe("managers of qom-pr-helper", () => {
  const workshop = new Workshop();
  const here = new RepeatedRuns();
  let helper: HelperProcess;
  let fd: number;

  function open(name: string, flags = constants.O_RDWR): number {
    const path = workshop.path(name);
    writeFileSync(path, "", { flag: "a" });
    return openSync(path, flags);
  }

  before(async () => {
    helper = await workshop.start("memory", ["--object", "pr-manager-memory"]);
    fd = open("disk");
  });
  after(() => closeSync(fd));

  it("pr-manager-memory makes a file a disk with reservations", async () => {
    const client = await RawClient.greeted(workshop.path("memory"));
    const disk = open("first");
    expect((await send(client, disk, REGISTER_A)).outcome).to.equal("0");
    expect((await send(client, disk, PersistentReserveOut.encode({ ...RESERVE, key: 0xan }))).outcome).to.equal("0");
    const status = PersistentReserveIn.parse("read-full-status", (await send(client, disk, FULL_STATUS)).data);
    expect(status.registrants.map(({ key, initiator, holder }) => [key, initiator?.format(), holder])).to.deep.equal([
      [0xan, defaultInitiator(`uid-${process.getuid?.()}`).format(), true],
    ]);
    closeSync(disk);
  });

  it("gives the data that fit the allocation length", async () => {
    const client = await RawClient.greeted(workshop.path("memory"));
    expect((await send(client, fd, PersistentReserveIn.readKeys(8))).data.length).to.equal(8);
    expect((await send(client, fd, PersistentReserveIn.readKeys(0))).data.length).to.equal(0);
  });

  it("two users are two I_T nexuses on one unit, and one user is one, over any number of connections", async function () {
    skipUnlessRoot(this);
    const path = workshop.path("memory");
    chmodSync(path, 0o666);
    chmodSync(workshop.path("."), 0o711);
    const disk = open("shared");
    const [mine, mineToo, other] = [await RawClient.greeted(path), await RawClient.greeted(path), await greetedAs(OTHER_USER, path)];
    expect((await send(mine, disk, REGISTER_A)).outcome).to.equal("0");
    expect((await send(other, disk, REGISTER_A)).outcome).to.equal("0");
    expect((await send(mineToo, disk, REGISTER_B)).outcome).to.equal("24"); // registered already, with another key
    expect((await send(mineToo, disk, PersistentReserveOut.encode({ ...RESERVE, key: 0xan }))).outcome).to.equal("0");
    expect((await send(other, disk, PersistentReserveOut.encode({ ...RESERVE, key: 0xan }))).outcome).to.equal("24");
    closeSync(disk);
    return undefined;
  });

  it("tells files apart, and knows one by any name and after any time", async () => {
    const client = await RawClient.greeted(workshop.path("memory"));
    const [one, two] = [open("one"), open("two")];
    await send(client, one, REGISTER_A);
    symlinkSync(workshop.path("one"), workshop.path("alias"));
    const again = open("alias");
    closeSync(one);
    const keysOf = async (file: number): Promise<readonly bigint[]> =>
      PersistentReserveIn.parse("read-keys", (await send(client, file, READ_KEYS)).data).keys;
    expect(await keysOf(again)).to.deep.equal([0xan]);
    expect(await keysOf(two)).to.deep.equal([]);
    closeSync(again);
    closeSync(two);
  });

  for (const [what, flags, outIs, inIs] of [
    ["read-only descriptor", constants.O_RDONLY, "05/20/00", "0"],
    ["write-only descriptor", constants.O_WRONLY, "0", "0"],
    ["descriptor of O_PATH, whose owner may not even be allowed to read", O_PATH, "05/20/00", "0b/00/06"],
  ] as const) {
    it(`with a ${what}: PERSISTENT RESERVE OUT is ${outIs}, IN is ${inIs}`, async () => {
      const client = await RawClient.greeted(workshop.path("memory"));
      const disk = open("modes", flags);
      expect((await send(client, disk, REGISTER_A)).outcome).to.equal(outIs);
      expect((await send(client, disk, READ_KEYS)).outcome).to.equal(inIs);
      closeSync(disk);
    });
  }

  it("refuses what is neither file nor device", async () => {
    const client = await RawClient.greeted(workshop.path("memory"));
    const folder = openSync("/", constants.O_RDONLY);
    expect((await send(client, folder, READ_KEYS)).outcome).to.equal("0b/00/06");
    closeSync(folder);
    const character = openSync("/dev/null", constants.O_RDWR);
    expect((await send(client, character, READ_KEYS)).outcome).to.equal("0"); // a device like any other
    closeSync(character);
  });

  it("--initiator-from=pid makes each process an initiator, and names when it was started", async () => {
    const byProcess = await workshop.start("by-process", ["--object", "pr-manager-memory,id=x", "--initiator-from=pid"]);
    const [one, two] = [await RawClient.greeted(workshop.path("by-process")), await RawClient.greeted(workshop.path("by-process"))];
    expect((await send(one, fd, REGISTER_A)).outcome).to.equal("0");
    expect((await send(two, fd, REGISTER_B)).outcome).to.equal("24");
    const status = PersistentReserveIn.parse("read-full-status", (await send(one, fd, FULL_STATUS)).data);
    expect(status.registrants).to.have.lengthOf(1);
    expect(status.registrants[0]?.initiator?.format()).to.match(
      new RegExp(`^iqn\\.2026-11\\.org\\.qom-pr:pid-${process.pid}-\\d+,i,0x80[0-9a-f]{10}$`),
    );
    await byProcess.stop();
  });

  it("keeps reservations over a restart with a fabric that does", async () => {
    const state = workshop.path("state");
    mkdirSync(state);
    const args = ["--object", `scsi-fabric,id=san0,state=${state}`, "--object", "pr-manager-memory,fabric=san0"];
    const register = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan, aptpl: true });
    for (const [command, expected] of [
      [register, []],
      [READ_KEYS, [0xan]],
    ] as const) {
      const durable = await workshop.start("durable", args);
      const { outcome, data } = await send(await RawClient.greeted(workshop.path("durable")), fd, command);
      expect(outcome).to.equal("0");
      if (command === READ_KEYS) expect(PersistentReserveIn.parse("read-keys", data).keys).to.deep.equal(expected);
      await durable.stop();
    }
  });

  it("says of a folder that cannot be let go of what is wrong, and of nothing else", async () => {
    const state = workshop.path("kept-state");
    const args = ["--object", `scsi-fabric,id=san0,state=${state}`, "--object", "pr-manager-memory,fabric=san0"];
    const keeping = await workshop.start("kept-state-helper", args);
    rmSync(`${state}/lock`);
    mkdirSync(`${state}/lock`);
    expect((await keeping.stop()).code).to.equal(1);
    expect(keeping.stderr).to.match(/cannot read the lock/);
    expect(keeping.stderr).not.to.match(/threads still wait|\n\s+at /);
  });

  it("finds what qom-pr persist has left in the folder of such a fabric", async () => {
    const state = workshop.path("left file");
    mkdirSync(state);
    const descriptor = open("left disk");
    const output = { out: (): void => {}, error: (text: string): void => expect.fail(text) };
    const objects = ["--object", `scsi-fabric,id=san0,state=${state}`];
    const register = ["--no-inquiry", "--out", "--register", "--param-sark=a", "--param-aptpl"];
    const argv = [...objects, "--manager", "pr-manager-memory,fabric=san0", ...register, workshop.path("left disk")];
    expect(await runPersist(argv, { output, variables: {} })).to.equal(0);
    const reader = await workshop.start("reader", [...objects, "--object", "pr-manager-memory,fabric=san0"]);
    try {
      const { data } = await send(await RawClient.greeted(workshop.path("reader")), descriptor, READ_KEYS);
      expect(PersistentReserveIn.parse("read-keys", data).keys).to.deep.equal([0xan]);
    } finally {
      closeSync(descriptor);
      await reader.stop();
    }
  });

  for (const [what, objects, path, says] of [
    ["without a folder", ["--object", "pr-manager-memory"], "unkept", /scsi-fabric,id=san0,state=DIR.*fabric=san0/],
    [
      "for a device without a name",
      ["--object", "scsi-fabric,id=san0,state=STATE", "--object", "pr-manager-memory,fabric=san0"],
      "/dev/null",
      /character device 1:3 boot [0-9a-f-]{36}: APTPL is refused.*restart/,
    ],
  ] as const) {
    it(`refuses APTPL ${what}, and its log says why, once`, async () => {
      mkdirSync(workshop.path("state2"), { recursive: true });
      const args = objects.map((text) => text.replace("STATE", workshop.path("state2")));
      const refusing = await workshop.start("refusing", args);
      const disk = path === "/dev/null" ? openSync(path, constants.O_RDWR) : open(path);
      const register = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan, aptpl: true });
      // The disk is forgotten when its last client is gone.
      const isForgotten = async (): Promise<boolean> => (await askStatus(workshop.path("refusing"))).includes('"users": []');
      for (let time = 0; time < 3; time += 1) {
        const client = await RawClient.greeted(workshop.path("refusing"));
        for (let again = 0; again < 2; again += 1) expect((await send(client, disk, register)).outcome).to.equal("05/26/00");
        client.close();
        await until(isForgotten);
      }
      expect((await send(await RawClient.greeted(workshop.path("refusing")), disk, REGISTER_A)).outcome).to.equal("0");
      closeSync(disk);
      await refusing.stop();
      expect(refusing.stderr.match(/APTPL is refused/g), refusing.stderr).to.have.length(1);
      expect(refusing.stderr).to.match(says);
    });
  }

  it("does not take a new file for a deleted one, though it has its inode", async () => {
    const client = await RawClient.greeted(workshop.path("memory"));
    const old = open("reused");
    const { ino } = fstatSync(old);
    expect((await send(client, old, REGISTER_A)).outcome).to.equal("0");
    closeSync(old);
    unlinkSync(workshop.path("reused"));
    // The file system gives the inode to the next file, or to one soon after.
    for (let attempt = 0; attempt < REUSE_ATTEMPTS; attempt += 1) {
      const made = open(`reused-${attempt}`);
      const same = fstatSync(made).ino === ino;
      const keys = PersistentReserveIn.parse("read-keys", (await send(client, made, READ_KEYS)).data).keys;
      closeSync(made);
      expect(keys).to.deep.equal([]);
      if (same) return;
    }
  });

  it("does not take a new disk for another one that had its number", async function () {
    skipUnlessRoot(this);
    const images = ["loop-a", "loop-b"].map((name) => {
      writeFileSync(workshop.path(name), new Uint8Array(1024 * 1024));
      return workshop.path(name);
    });
    const inShell = (script: string): { readonly status: number | null; readonly stdout: string } =>
      spawnSync("sh", ["-c", script], { encoding: "utf8" });
    const looked = inShell("losetup --find");
    const device = looked.stdout.trim();
    const client = await RawClient.greeted(workshop.path("memory"));
    const found: (readonly bigint[])[] = [];
    for (const image of images) {
      if (looked.status !== 0 || inShell(`losetup "${device}" "${image}"`).status !== 0) {
        skipUnlessRequired(this, "a loop device cannot be set up: apt-get install mount");
      }
      const disk = openSync(device, constants.O_RDWR);
      try {
        found.push(PersistentReserveIn.parse("read-keys", (await send(client, disk, READ_KEYS)).data).keys);
        expect((await send(client, disk, REGISTER_A)).outcome).to.equal("0");
        found.push(PersistentReserveIn.parse("read-keys", (await send(client, disk, READ_KEYS)).data).keys);
      } finally {
        closeSync(disk);
        inShell(`losetup --detach "${device}"`);
      }
    }
    expect(found).to.deep.equal([[], [0xan], [], [0xan]]);
    return undefined;
  });

  it("may be the client of another helper", async () => {
    const front = await workshop.start("front", ["--object", `pr-manager-helper,path=${workshop.path("memory")}`]);
    const client = await RawClient.greeted(workshop.path("front"));
    const disk = open("behind");
    expect((await send(client, disk, REGISTER_A)).outcome).to.equal("0");
    const { data } = await send(await RawClient.greeted(workshop.path("memory")), disk, READ_KEYS);
    expect(PersistentReserveIn.parse("read-keys", data).keys).to.deep.equal([0xan]);
    closeSync(disk);
    await front.stop();
  });

  it("pr-manager-sgio is what the helper does without any", async () => {
    const plain = await workshop.start("plain", ["--object", "pr-manager-sgio"]);
    const client = await RawClient.greeted(workshop.path("plain"));
    expect((await send(client, fd, READ_KEYS)).outcome).to.equal("0b/00/06");
    await plain.stop();
  });

  it("leaks no descriptor, however a request ends", async () => {
    const lent = await workshop.start("lent", ["--object", "pr-manager-memory"]);
    const before = await descriptorsAtRest(lent, workshop.path("lent"));
    const client = await RawClient.greeted(workshop.path("lent"));
    for (let i = 0; i < 50; i += 1) await send(client, fd, READ_KEYS);
    client.close();
    await hasClosed(lent, before);
    await lent.stop();
  });

  it("ends as it should, with clients connected", async () => {
    await RawClient.greeted(workshop.path("memory"));
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    expect(helper.stderr).to.equal(listeningLine(workshop.path("memory")));
  });

  for (const [args, text] of [
    [["--object", "nope"], /^qom-pr-helper: --object nope: .*unknown type 'nope'/],
    [["--object", "pr-manager-memory,nope=1"], /--object pr-manager-memory,nope=1: .*nope/],
    [["--object", "pr-manager-memory id=a"], /--object pr-manager-memory id=a: .*a comma stands between 'pr-manager-memory' and 'id'/],
    [["--object", "scsi-fabric"], /none of the objects is a PR manager/],
    [["--object", "pr-manager-memory", "--object", "pr-manager-memory"], /more than one of the objects is a PR manager/],
    [["--object", "pr-manager-helper,path=/nonexistent/socket"], /\/nonexistent\/socket': the folder '\/nonexistent' does not exist/],
    [["--object", "{"], /--object \{: /],
    [["--object", "pr-manager-memory", "--initiator-from", "gid"], /'gid' is not uid, pid or path/],
  ] as const) {
    it(`${args.join(" ")} ends the start with one line, and leaves nothing`, async () => {
      const path = workshop.path("bad");
      const result = await run(OUR_PROGRAM, ["-k", path, ...args], {}, { shedding: "before" });
      expect(result.code).to.equal(1);
      expect(result.stderr)
        .to.match(text)
        .and.to.match(/^qom-pr-helper: [^\n]+\n$/);
    });
  }

  it("--object help and --object TYPE,help print and do nothing else", async () => {
    for (const [text, expected] of [
      ["help", /pr-manager-memory/],
      ["pr-manager-memory,help", /fabric=/],
    ] as const) {
      const result = await here.run(["--object", text]);
      expect(result).to.include({ code: 0, stderr: "" });
      expect(result.stdout).to.match(expected);
    }
  });
});
