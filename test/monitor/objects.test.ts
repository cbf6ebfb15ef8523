/** Monitors as objects: those of -qmp, -monitor and -mon, those of -object, and those that come and go by QMP. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import type { QmpValue } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";
import { QmpClient } from "./support/qmp-client.js";

describe("monitors as objects", () => {
  const folder = temporaryFolder();
  const clients: QmpClient[] = [];
  let machine: Machine | undefined;
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await machine?.close();
    machine = undefined;
  });

  const path = (name: string): string => folder.path(name);
  const chardev = (id: string): string[] => ["-chardev", `socket,id=${id},path=${path(id)},server=on,wait=off`];
  const ready = async (name: string): Promise<QmpClient> => {
    const client = await QmpClient.ready({ path: path(name) });
    clients.push(client);
    return client;
  };
  const make = async (...argv: readonly string[]): Promise<Machine> => (machine = await Machine.create(argv));
  const objects = async (): Promise<QmpValue> => {
    const entries = (await machine?.qmp.execute("qom-list", { path: "/objects" })) as { name: string; type: string }[]; // as QMP has it
    return Object.fromEntries(entries.filter(({ type }) => type.startsWith("child<monitor")).map(({ name, type }) => [name, type]));
  };
  const get = (id: string, property: string): Promise<QmpValue> | undefined =>
    machine?.qmp.execute("qom-get", { path: `/objects/${id}`, property });

  it("have QEMU's names, those with a device of their own first", async () => {
    await make(
      ...[
        ...chardev("c"),
        ...chardev("d"),
        "-mon",
        "c",
        "-qmp",
        `unix:${path("q")},server=on,wait=off`,
        "-mon",
        "chardev=d,mode=control,id=named",
      ],
      ...["-monitor", `unix:${path("h")},server=on,wait=off`],
    );
    expect(await objects()).to.deep.equal({
      compat_monitor2: "child<monitor-hmp>",
      compat_monitor0: "child<monitor-qmp>",
      named: "child<monitor-qmp>",
      compat_monitor1: "child<monitor-hmp>",
    });
    expect([
      await get("compat_monitor0", "chardev"),
      await get("compat_monitor2", "chardev"),
      await get("compat_monitor2", "readline"),
    ]).to.deep.equal(["compat_monitor0", "c", true]);
  });

  it("are made by -object, with the properties of QEMU", async () => {
    await make(
      "-object",
      "monitor-qmp,id=m,chardev=c,pretty=on",
      ...chardev("c"),
      ...chardev("d"),
      "-object",
      '{"qom-type":"monitor-hmp","id":"h","chardev":"d"}',
    );
    expect([await get("m", "pretty"), await get("m", "close-action"), await get("m", "chardev")]).to.deep.equal([true, "none", "c"]);
    const client = await ready("c");
    expect(await client.run("query-name")).to.have.property("name");
    expect(machine?.toArgs().join(" ")).not.to.contain("monitor");
  });

  it("come and go by QMP; the device of one that is deleted is free again, and clients are hung up on", async () => {
    await make(...chardev("c"), ...chardev("d"), "-mon", "c,mode=control");
    const first = await ready("c");
    const add = { "qom-type": "monitor-qmp", id: "n", chardev: "d" };
    for (let round = 0; round < 2; round += 1) {
      expect(await first.run("object-add", add)).to.deep.equal({});
      const second = await ready("d");
      expect(await second.run("query-status")).to.include({ status: "running" });
      expect(await first.run("object-del", { id: "n" })).to.deep.equal({});
      expect(await second.next()).to.equal(undefined);
    }
    expect(await objects()).to.deep.equal({ compat_monitor0: "child<monitor-qmp>" });
  });

  it("stay when their own client would delete them, and when they are for people", async () => {
    await make(
      ...chardev("c"),
      ...chardev("d"),
      ...chardev("e"),
      "-mon",
      "c,mode=control",
      "-mon",
      "d",
      "-object",
      "monitor-qmp,id=other,chardev=e",
    );
    const client = await ready("c");
    const refused = async (id: string): Promise<string | undefined> =>
      (await client.answer({ execute: "object-del", arguments: { id } })).error?.desc;
    expect(await refused("compat_monitor0")).to.match(/is the monitor that this command came through/);
    expect(await refused("compat_monitor1")).to.match(/is a monitor for people and stays/);
    expect(await refused("other")).to.equal(undefined);
    await machine?.qmp.execute("object-del", { id: "compat_monitor0" });
    expect(await client.next()).to.equal(undefined);
  });

  it("go with their last client, and their device too, by close-action=delete", async () => {
    await make(...chardev("c"), ...chardev("d"), "-mon", "c,mode=control", "-object", "monitor-qmp,id=n,chardev=d,close-action=delete");
    const [own, other] = [await ready("d"), await ready("d")];
    await own.close();
    expect(await other.run("query-name")).to.have.property("name");
    await other.close();
    const first = await ready("c");
    while (Object.keys((await objects()) as object).includes("n")) await first.run("query-name");
    const again = await first.answer({ execute: "object-add", arguments: { "qom-type": "monitor-qmp", id: "n", chardev: "d" } });
    expect(again.error?.desc).to.match(/there is no character device 'd'/);
  });

  const REFUSED: readonly (readonly [string, readonly string[], string])[] = [
    [
      "two on one device",
      ["-object", "monitor-qmp,id=a,chardev=c", "-object", "monitor-qmp,id=b,chardev=c"],
      "-object monitor-qmp,id=b,chardev=c: character device 'c' has a monitor already",
    ],
    [
      "-mon and -object on one device",
      ["-mon", "c", "-object", "monitor-qmp,id=b,chardev=c"],
      "-object monitor-qmp,id=b,chardev=c: character device 'c' has a monitor already",
    ],
    [
      "a device that there is not",
      ["-object", "monitor-hmp,id=a,chardev=d"],
      "-object monitor-hmp,id=a,chardev=d: there is no character device 'd'",
    ],
    ["no device", ["-object", "monitor-qmp,id=a"], "-object monitor-qmp,id=a: 'monitor-qmp' needs"],
    [
      "a name that is taken",
      ["-object", "monitor-qmp,id=compat_monitor0,chardev=c", "-qmp", "unix:FOLDER/q,server=on,wait=off"],
      "an object with id 'compat_monitor0' exists already",
    ],
    ["a name that cannot be", ["-mon", "c,id=1x"], "-mon c,id=1x"],
    ["an action that there is not", ["-object", "monitor-qmp,id=a,chardev=c,close-action=stay"], "close-action"],
  ];
  for (const [what, argv, message] of REFUSED) {
    it(`are refused with one line: ${what}`, async () => {
      const words = argv.map((word) => word.replace("FOLDER", path(".")));
      expect((await refusal(() => make(...chardev("c"), ...words))).message).to.contain(message);
    });
  }

  it("are left out with their device if that is of another kind, and have no client if their socket cannot be, on a line for QEMU", async () => {
    const pty = await make("-chardev", "pty,id=c", "-object", "monitor-qmp,id=a,chardev=c");
    expect(pty.warnings).to.deep.equal([
      "left out, since QEMU has it and this machine does not: objects monitor-qmp 'a'; character devices pty 'c'",
    ]);
    await pty.close();
    const nowhere = ["-chardev", "socket,id=c,path=/nowhere/monitor.sock,server=on,wait=off", "-object", "monitor-qmp,id=a,chardev=c"];
    expect((await refusal(() => make(...nowhere))).message).to.contain("/nowhere");
    const lent = await make(...nowhere, "-machine", "q35");
    expect(lent.warnings.at(-1)).to.match(/\/nowhere.*; the monitor on it has no client$/);
    expect(await objects()).to.deep.equal({ a: "child<monitor-qmp>" });
  });
});
