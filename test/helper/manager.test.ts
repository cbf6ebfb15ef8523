/** `--object`: another manager than SG_IO executes what clients send, and clients are told apart. */

import { expect } from "chai";
import { chmodSync, closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/backends/helper-socket/protocol.js";
import { runPersist } from "#src/cli/persist/persist.js";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ScsiCommand } from "qom-pr";
import { parseSense } from "#src/scsi/sense.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { skipUnlessRoot } from "./support/process-status.js";

const O_PATH = 0o10000000;
const OTHER_USER = 65534;
const REGISTER_A = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan });
const REGISTER_B = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xbn });
const RESERVE = { action: "reserve", type: 5 } as const;
const FULL_STATUS = PersistentReserveIn.readFullStatus(1024);
const READ_KEYS = PersistentReserveIn.readKeys(1024);

/** Sends a command and gives status, or sense for a CHECK CONDITION, and data. */
async function send(client: RawClient, fd: number, { cdb, dataOut }: ScsiCommand): Promise<{ outcome: string; data: Buffer }> {
  const padded = Buffer.alloc(16);
  padded.set(cdb);
  client.send(Buffer.concat([padded, dataOut ?? new Uint8Array()]), [fd]);
  const answer = await client.readAnswer();
  const sense = parseSense(answer.subarray(8, RESPONSE_HEADER_SIZE));
  const codes = [sense?.key, sense?.asc, sense?.ascq].map((code) => code?.toString(16).padStart(2, "0"));
  const status = answer.readInt32BE(0);
  return { outcome: status === 2 ? codes.join("/") : `${status}`, data: answer.subarray(RESPONSE_HEADER_SIZE) };
}

describe("managers of qom-pr-helper", () => {
  const workshop = new Workshop();
  let helper: HelperProcess;
  let fd: number;

  function open(name: string, flags = constants.O_RDWR): number {
    const path = workshop.path(name);
    writeFileSync(path, "", { flag: "a" });
    return openSync(path, flags);
  }

  /** Connects as another user, for which the tests have to be root. */
  async function asOtherUser(path: string): Promise<RawClient> {
    process.seteuid?.(OTHER_USER);
    let client;
    try {
      client = new RawClient(path);
    } finally {
      process.seteuid?.(0);
    }
    await client.read(4);
    client.send(Buffer.alloc(4));
    return client;
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
      [0xan, `iqn.2026-11.org.qom-pr:uid-${process.getuid?.()}`, true],
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
    const [mine, mineToo, other] = [await RawClient.greeted(path), await RawClient.greeted(path), await asOtherUser(path)];
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
    expect(status.registrants[0]?.initiator?.format()).to.match(new RegExp(`^iqn\\.2026-11\\.org\\.qom-pr:pid-${process.pid}-\\d+$`));
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

  for (const disk of ["a file", "/dev/null"]) {
    it(`finds what qom-pr persist has left in the folder of such a fabric: ${disk}`, async () => {
      const state = workshop.path(`left ${disk === "/dev/null" ? "device" : "file"}`);
      mkdirSync(state);
      const path = disk === "/dev/null" ? disk : workshop.path("left disk");
      const descriptor = disk === "/dev/null" ? openSync(path, constants.O_RDWR) : open("left disk");
      const output = { out: (): void => {}, error: (text: string): void => expect.fail(text) };
      const objects = ["--object", `scsi-fabric,id=san0,state=${state}`];
      const register = ["--no-inquiry", "--out", "--register", "--param-sark=a", "--param-aptpl"];
      const argv = [...objects, "--manager", "pr-manager-memory,fabric=san0", ...register, path];
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
  }

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
    const client = await RawClient.greeted(workshop.path("memory"));
    for (let i = 0; i < 50; i += 1) await send(client, fd, READ_KEYS);
    // A request is answered before its descriptor is closed.
    await until(() => !helper.descriptors.includes(workshop.path("disk")));
  });

  it("ends as it should, with clients connected", async () => {
    await RawClient.greeted(workshop.path("memory"));
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    expect(helper.stderr).to.equal("");
  });

  for (const [args, text] of [
    [["--object", "nope"], /^qom-pr-helper: --object nope: .*unknown type 'nope'/],
    [["--object", "pr-manager-memory,nope=1"], /--object pr-manager-memory,nope=1: .*nope/],
    [["--object", "scsi-fabric"], /none of the objects is a PR manager/],
    [["--object", "pr-manager-memory", "--object", "pr-manager-memory"], /more than one of the objects is a PR manager/],
    [["--object", "pr-manager-helper,path=/nonexistent/socket"], /\/nonexistent\/socket.*ENOENT/],
    [["--object", "{"], /--object \{: /],
    [["--object", "pr-manager-memory", "--initiator-from", "gid"], /'gid' is neither uid nor pid/],
  ] as const) {
    it(`${args.join(" ")} ends the start with one line, and leaves nothing`, async () => {
      const path = workshop.path("bad");
      const result = await run(OUR_PROGRAM, ["-k", path, ...args]);
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
      const result = await run(OUR_PROGRAM, ["--object", text]);
      expect(result).to.include({ code: 0, stderr: "" });
      expect(result.stdout).to.match(expected);
    }
  });
});
