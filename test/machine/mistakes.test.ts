/** Slips of people who know other programs, or not yet this one: what they are told helps, and nothing was opened before. */
import { existsSync } from "node:fs";
import { expect } from "chai";
import { Fabric, Machine, qom, QomError, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import { describeError } from "#src/base/errors.js";
import { addProperty } from "#src/qom/instance-properties.js";
import { commaHint } from "#src/options/comma-hint.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

/** Strict, so that what QEMU has besides is refused as well. */
const told = async (...argv: string[]): Promise<string> => describeError(await refusal(() => Machine.create(argv, { strict: true })));

describe("a slip on the command line", () => {
  const folder = temporaryFolder();

  it("is a blank where a comma stands", async () => {
    const between = (one: string, other: string): string => `a comma stands between '${one}' and '${other}'`;
    expect(await told("-object", "pr-manager-memory id=pr0")).to.contain(between("pr-manager-memory", "id"));
    expect(await told("-blockdev", `driver=sim-lun node-name=hd,wwn=${WWN}`)).to.contain(between("sim-lun", "node-name"));
    expect(await told("-blockdev", `sim-lun node-name=hd,wwn=${WWN}`)).to.contain(between("sim-lun", "node-name"));
    expect(await told("-device", "virtio-scsi id=a")).to.contain(between("virtio-scsi", "id"));
    expect(await told("-object", "pr-manager-memory,id=pr0 path=/x")).to.contain(between("pr0", "path"));
    expect(await told("-object", "pr-manager-memory, id=pr0")).to.contain("do not put a blank after a comma");
    expect(await told("-object", "pr-manager-memory", "id=pr0", "x")).to.contain(
      "'id=pr0' is not an option (the parameters of an option are one word",
    );
    expect(await told("-drive", "if=none,id=hd,file=/a b,format=nope")).not.to.contain("comma");
    expect(commaHint("a,b=c d,e=f=g h,,i=j")).to.equal(undefined);
  });

  it("is a comma of a value that is not doubled, although another one is", async () => {
    const hint = "double every comma in a value: the one before '0x1' is not";
    const initiator = "iqn.2026-11.org.example:a,,i,0x1";
    const texts = [
      await told("-blockdev", `driver=sim-lun,node-name=hd,wwn=${WWN},initiator=${initiator}`),
      await told("-blockdev", `driver=sim-lun,node-name=hd,wwn=${WWN},initiator=${initiator},size=1M`),
      await told("-drive", `if=none,id=hd,file.driver=sim-lun,file.wwn=${WWN},file.initiator=${initiator}`),
    ];
    for (const each of texts) expect(each).to.contain(hint);
    expect(await told("-blockdev", `driver=sim-lun,node-name=hd,wwn=${WWN},initiator=iqn.a:b,,,,i,,,,0x1`)).to.contain(
      "a comma is written twice in option strings only",
    );
    expect(await told("-blockdev", `{"driver":"sim-lun","node-name":"hd","wwn":"${WWN}","initiator":"iqn.a:b,,i,,0x1"}`)).to.contain(
      "a comma is written twice in option strings only",
    );
    expect(commaHint("a=b,,c,d")).to.equal(undefined);
  });

  it("is a type that nearly exists, or one that does not: aliases count, and are listed", async () => {
    expect(await told("-device", "virtio-scs")).to.contain("(did you mean 'virtio-scsi'?)");
    expect(await told("-device", "floppy")).to.contain(
      "device types are scsi-block, scsi-generic, virtio-scsi-ccw, virtio-scsi-device, virtio-scsi-pci (alias virtio-scsi)",
    );
    expect(await told("-object", "pr-manager-memroy,id=a")).to.contain("(did you mean 'pr-manager-memory'?)");
    expect(await told("-object", "rng-random,id=a")).to.contain(
      "pr-manager-helper, pr-manager-memory, pr-manager-sgio, reservation-folder, scsi-fabric",
    );
    expect(await told("-blockdev", "simlun,node-name=a")).to.contain("(did you mean 'sim-lun'?)");
    expect(await told("-blockdev", "qcow2,node-name=a")).to.contain("block drivers are file, host_device, raw, sim-lun");
  });

  it("is found in every option before anything is opened", async () => {
    const file = folder.path("medium");
    const state = folder.path("state");
    const opening = [
      "-object",
      `scsi-fabric,id=san0,state=${state}`,
      "-blockdev",
      `sim-lun,node-name=hd,wwn=${WWN},filename=${file},size=1M`,
    ];
    const wrong: (readonly [string[], string])[] = [
      [["-object", "pr-manager-memory,id=pr0,fabrik=san0"], "did you mean 'fabric'?"],
      [["-object", "pr-manager-helper,id=pr0,path=/x,timeout=soon"], "'timeout'"],
      [["-object", "pr-manager-helper,id=pr0"], "'path'"],
      [["-object", "pr-manager-memory"], "'id'"],
      [["-blockdev", "host_device,node-name=h,filename=/dev/nowhere,raed-only=on"], "did you mean 'read-only'?"],
      [["-blockdev", "raw,node-name=h,file.driver=file,file.filename=/nowhere,file.foo=1"], "'foo'"],
      [["-blockdev", "raw,node-name=h,file.driver=host_devise,file.filename=/nowhere"], "did you mean 'host_device'?"],
      [["-blockdev", "sim-lun,node-name=h,wwn=naa.5"], "is not the name of a logical unit"],
      [["-blockdev", `sim-lun,node-name=h,wwn=${WWN},initiator=iqm.x`], "iqm.x"],
      [["-blockdev", `sim-lun,node-name=h,wwn=${WWN},block-size=500`], "block size 500"],
      [["-blockdev", `sim-lun,node-name=1h,wwn=${WWN}`], "invalid node name '1h'"],
      [["-blockdev", `{"driver":"sim-lun","node-name":"h","wwn":"${WWN}","size":"1M"}`], "'size'"],
      [["-drive", "if=none,id=d,file=/nowhere,foo=1"], "'foo'"],
      [["-drive", "if=ide,id=d,file=/nowhere"], "if=ide"],
      [["-device", "scsi-block,drive=hd,lun=first"], "'lun'"],
      [["-device", "scsi-block"], "'drive'"],
      [["-device", '{"driver":"scsi-block","drive":"hd","id":"1a"}'], "'1a'"],
    ];
    for (const [argv, says] of wrong) {
      expect(await told(...opening, ...argv), argv.join(" "))
        .to.match(new RegExp(`^${argv[0]} `))
        .and.to.contain(says);
      expect([existsSync(file), existsSync(state)], argv.join(" ")).to.deep.equal([false, false]);
    }
  });

  it("is not one that an embedder's type accepts by itself", async () => {
    let made = 0;
    @qomType({ name: "self-made", description: "gives itself a property", interfaces: [USER_CREATABLE] })
    class SelfMade extends QomObject {
      constructor() {
        super();
        made += 1;
        this.given = "by itself";
        addProperty(this, "colour", qom.string(), { description: "what it paints with", get: () => "red", set: () => undefined });
      }
      @qomProperty(qom.string(), { description: "set by the constructor", required: true })
      accessor given!: string;
    }
    const machine = await Machine.create(["-object", "self-made,id=a,colour=red"], { types: [SelfMade] });
    await machine.close();
    expect(made).to.equal(2);
    await refusal(() => Machine.create(["-object", "self-made,id=a,color=red"], { types: [SelfMade] }));
  });

  it("is a socket in a folder that is not there, told with its option", async () => {
    expect(await told("-qmp", "unix:/nonexistent/x.sock,server=on")).to.equal(
      "-qmp unix:/nonexistent/x.sock,server=on: cannot make the socket: the folder '/nonexistent' does not exist",
    );
    // The lock file beside it is nobody's concern either.
    expect(await told("-qmp", "unix:/proc/x.sock,server=on")).to.match(
      /: cannot make the socket '\/proc\/x\.sock': no such file or directory$/,
    );
    expect(await told("-chardev", "socket,id=c,path=/nonexistent/x.sock,server=on", "-mon", "c")).to.match(
      /^-chardev socket,.*: the folder/,
    );
    expect(await told("-monitor", "unix:/nonexistent/x.sock")).to.match(/^-monitor unix:.*: the folder '\/nonexistent' does not exist$/);
    expect(await told("-object", "pr-manager-helper,id=a,path=/nonexistent/x.sock")).to.match(
      /^-object pr-manager-helper,.*: the folder '\/nonexistent' does not exist$/,
    );
    expect(await told("-qmp", `unix:${folder.path("none")}`)).to.match(/: no such file or directory$/);
  });

  it("is an image in a folder that is not there", async () => {
    expect(await told("-blockdev", `driver=sim-lun,node-name=hd,wwn=${WWN},filename=/nonexistent/x.img`)).to.match(
      /: cannot open '\/nonexistent\/x\.img' as the medium of a logical unit: the folder '\/nonexistent' does not exist$/,
    );
    expect(await told("-blockdev", `driver=sim-lun,node-name=hd,wwn=${WWN},filename=/proc/x.img`)).to.match(/: no such file or directory$/);
  });

  it("is a monitor's character device that there is not, or that has one, told with its option", async () => {
    const chardev = ["-chardev", `socket,id=c,path=${folder.path("c")},server=on,wait=off`];
    expect(await told(...chardev, "-mon", "chardev=d,mode=control")).to.equal(
      "-mon chardev=d,mode=control: there is no character device 'd' (there is c)",
    );
    expect(await told("-qmp", "chardev:d")).to.equal("-qmp chardev:d: there is no character device 'd' (there is none)");
    expect(await told(...chardev, "-mon", "c", "-mon", "c,mode=control")).to.equal(
      "-mon c,mode=control: character device 'c' has a monitor already",
    );
    expect(await told("-qmp", "pipe:x")).to.match(/^-qmp pipe:x: 'pipe:x' is not a character device of a monitor /);
  });

  it("is a name that nothing has: those that are there are named", async () => {
    const disk = machineArguments("blockdev", "pr-manager-memory,id=pr0");
    expect(await told(...disk, "-device", "scsi-block,drive=hard,lun=3"))
      .to.contain("no block node named 'hard' (there are ")
      .and.to.contain("hd");
    expect(await told(...disk, "-blockdev", `sim-lun,node-name=x,wwn=${WWN},pr-manager=pr1`)).to.contain("(did you mean 'pr0'?)");
    expect(await told(...disk, "-blockdev", `sim-lun,node-name=x,wwn=${WWN},fabric=san0`)).to.contain("'san0' (there is none)");
    const machine = await Machine.create(disk);
    for (const [look, says] of [
      [() => machine.device("dsik0"), "no device 'dsik0' (did you mean 'disk0'?)"],
      [() => machine.object("manager"), "no object with id 'manager' (there is pr0)"],
    ] as const) {
      expect(describeError(await refusal(async () => look()))).to.equal(says);
    }
    await machine.close();
  });

  it("says each reason once", async () => {
    expect(await told("-blockdev", "file,node-name=f,filename=/nowhere")).to.equal(
      "-blockdev file,node-name=f,filename=/nowhere: cannot open '/nowhere': no such file or directory",
    );
  });
});

describe("what is closed", () => {
  it("says so, whatever it is asked for", async () => {
    const machine = await Machine.create(machineArguments("blockdev", "pr-manager-memory,id=pr0"));
    await machine.close();
    const asked: (() => unknown)[] = [
      () => machine.object("pr0"),
      () => machine.device("disk0"),
      () => machine.scsiDevice("disk0"),
      () => machine.hba("scsi0"),
      () => machine.graph.node("hd"),
      () => machine.graph.open(new Map(Object.entries({ driver: "raw", "node-name": "a", file: "hd" })), "json"),
      () => machine.qom.resolve("/objects/pr0"),
      () => machine.qom.get("/objects/pr0", "type"),
      () => machine.qom.add("pr-manager-memory", "pr1"),
      () => machine.qmp.execute("query-block"),
      () => machine.qmp.execute("device_add", { driver: "virtio-scsi" }),
      () => machine.toArgs(),
    ];
    for (const ask of asked) {
      const error = await refusal(async () => ask());
      expect([error.kind, error.message.includes("the machine is closed")], String(ask)).to.deep.equal(["closed", true]);
    }
    const fabric = new Fabric();
    await fabric.close();
    expect((await refusal(() => fabric.attach({ wwn: WWN }))).kind).to.equal("closed");
    expect((await refusal(() => fabric.powerCycle())).kind).to.equal("closed");
  });

  it("names the units that are there when another one is asked for", async () => {
    const fabric = new Fabric();
    const unknown = (): string => {
      try {
        fabric.unit("naa.0");
      } catch (error) {
        if (error instanceof QomError) return describeError(error);
      }
      return "";
    };
    expect(unknown()).to.equal("no logical unit 'naa.0' (there is none)");
    for (let index = 0; index < 10; index += 1) await fabric.attach({ wwn: `naa.500000000000000${index}`, sizeBytes: 512 });
    expect(unknown()).to.contain("there are naa.5000000000000000, naa.5000000000000001").and.to.contain("naa.5000000000000007 and 2 more");
    await fabric.close();
  });
});
