/** The human monitor of a machine: what it prints, what Tab offers, how it begins and ends. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { typeRegistries } from "#src/machine/types.js";
import { complete } from "#src/monitor/human/completion.js";
import { HUMAN_COMMANDS } from "#src/monitor/human/commands.js";
import type { HumanContext } from "#src/monitor/human/command.js";
import { temporaryFolder } from "../../support/folder.js";
import { machineArguments, WWN } from "../../support/machine.js";
import { QmpClient } from "../support/qmp-client.js";

const GREETING = /^qom-pr \d+\.\d+\.\d+ monitor - type 'help' for more information\r\n/;
const PROMPT = "(qemu) ";

/** Standard streams of a machine that are the test's. */
class Typist {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  #text = "";
  #wake: () => void = () => undefined;

  constructor() {
    this.output.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
  }

  /** What was printed up to the next prompt. */
  async answer(): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(PROMPT);
      if (at >= 0) {
        const text = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + PROMPT.length);
        return text;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Types a line; its answer in lines. */
  async type(line: string): Promise<readonly string[]> {
    this.input.write(`${line}\n`);
    const text = await this.answer();
    return text === "" ? [] : text.trimEnd().split("\r\n");
  }
}

const OBJECT = "pr-manager-memory,id=pr0";

describe("the human monitor", () => {
  let typist: Typist;
  let machine: Machine;
  beforeEach(async () => {
    typist = new Typist();
    machine = await Machine.create([...machineArguments("blockdev", OBJECT), "-name", "m", "-monitor", "stdio"], { stdio: typist });
    expect(await typist.answer()).to.match(GREETING);
  });
  afterEach(() => machine.close());

  it("takes any number of lines that end as a terminal's Enter key ends them", async () => {
    for (let line = 0; line < 70; line += 1) {
      typist.input.write(`${"info status".padEnd(1024)}\r`);
      expect(await typist.answer(), `line ${line}`).to.equal("VM status: running\r\n");
    }
  });

  it("sends SCSI commands and shows their data and sense", async () => {
    expect(await typist.type("scsi disk0 5f000000000000001800 000000000000000000000000000000a10000000000000000")).to.deep.equal([
      "status: GOOD (00h)",
    ]);
    expect(await typist.type("scsi disk0 5e0000000000000010")).to.deep.equal([
      "status: GOOD (00h)",
      "data: 16 bytes",
      " 00     00 00 00 01 00 00 00 08  00 00 00 00 00 00 00 a1   ................",
    ]);
    expect(await typist.type("scsi disk0 5e1f")).to.deep.equal([
      "status: CHECK CONDITION (02h)",
      "sense: ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00)",
    ]);
    expect((await typist.type("scsi disk0 5e0"))[0]).to.match(/^Error: 'cdb' expects pairs of hexadecimal digits/);
    const ready = ["status: GOOD (00h)"];
    for (const line of ["0x00", "0", "00 00 00 00 00 00", "0x00 0x00", "00:00:00:00:00:00", "0x0,0x0,0x0", "0x000000000000"])
      expect(await typist.type(`scsi disk0 ${line}`), line).to.deep.equal(ready);
    const capacity = await typist.type("scsi disk0 0x25");
    expect(await typist.type("scsi disk0 25:00:00:00:00:00:00:00:00:00")).to.deep.equal(capacity);
    // Byte by byte, the operation code says where the data begin: REGISTER AND IGNORE EXISTING KEY, and the key.
    const parameters = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 b2 00 00 00 00 00 00 00 00";
    expect(await typist.type(`scsi disk0 5f 06 00 00 00 00 00 00 18 00 ${parameters}`)).to.deep.equal(ready);
    expect((await typist.type("scsi disk0 5e 00 00 00 00 00 00 00 10 00"))[2]).to.match(/00 b2 /);
    expect((await typist.type("scsi disk0 0xzz"))[0]).to.match(/^Error: 'cdb' expects pairs of hexadecimal digits/);
    expect((await typist.type("scsi pr0 00"))[0]).to.match(/^Error: no device 'pr0'/);
  });

  it("shows what there is", async () => {
    await typist.type("scsi disk0 5f000000000000001800 000000000000000000000000000000a10000000000000000");
    await typist.type("scsi disk0 5f010500000000001800 00000000000000a100000000000000000000000000000000");
    expect(await typist.type("info reservations")).to.deep.equal([
      `${WWN}: generation 1, 1 registrant, Write Exclusive - Registrants Only`,
      "    0x00000000000000a1  iqn.2026-11.org.qom-pr:m:hd,i,0x804e5c8dfe63, target port 1  << reservation holder >>",
    ]);
    expect(await typist.type("info reservations naa.0")).to.deep.equal([`Error: no logical unit 'naa.0' (there is ${WWN})`]);
    expect(await typist.type("info pr")).to.deep.equal(["pr0: pr-manager-memory, connected"]);
    expect(await typist.type("info status")).to.deep.equal(["VM status: running"]);
    expect(await typist.type("info block")).to.deep.equal([
      `hd: sim-lun:${WWN} (raw)`,
      "    Attached to:      disk0",
      "    Cache mode:       writeback",
    ]);
    expect(await typist.type("info qom-tree /machine/peripheral")).to.deep.equal(["/peripheral (container)", "  /disk0 (scsi-block)"]);
    expect(await typist.type("info history")).to.include(
      "1: 'scsi disk0 5f010500000000001800 00000000000000a100000000000000000000000000000000'",
    );
  });

  it("makes and deletes objects and devices", async () => {
    expect(await typist.type("object_add pr-manager-helper,id=h,path=/nowhere")).to.have.lengthOf(1);
    expect(await typist.type("object_add pr-manager-memory,id=pr1")).to.deep.equal([]);
    expect(await typist.type("qom-list /objects")).to.include("pr1 (child<pr-manager-memory>)");
    expect(await typist.type("object_del pr1")).to.deep.equal([]);
    expect((await typist.type("object_del pr0"))[0]).to.match(/^Error: .*in use/);
    const deleted = new Promise<unknown>((resolve) => machine.qmp.onEvent((event) => resolve(event.event)));
    expect(await typist.type("device_del disk0")).to.deep.equal([]);
    expect(await deleted).to.equal("DEVICE_DELETED");
    expect(await typist.type("device_add scsi-generic,drive=hd,id=disk1,lun=3")).to.deep.equal([]);
    expect(await typist.type("qom-get /machine/peripheral/disk1 lun")).to.deep.equal(["3"]);
    expect((await typist.type("object_add pr-manager-memory,help"))[0]).to.match(/^Error: .*Tab/);
  });

  it("makes and removes drives and block nodes", async () => {
    expect(await typist.type(`drive_add 0 if=none,id=d0,driver=sim-lun,wwn=${WWN}`)).to.deep.equal(["OK"]);
    expect(await typist.type(`drive_add -n 0 driver=sim-lun,node-name=n0,wwn=${WWN}`)).to.deep.equal([]);
    expect(await typist.type(`blockdev-add sim-lun,node-name=n1,wwn=${WWN}`)).to.deep.equal([]);
    expect(await typist.type(`blockdev-add {"driver": "raw", "node-name": "n2", "file": "n1"}`)).to.deep.equal([]);
    expect(await typist.type(`drive_add 0 if=none,driver=sim-lun,wwn=${WWN}`)).to.deep.equal(["OK"]);
    expect(machine.graph.drives.map(({ nodeName }) => nodeName)).to.deep.equal(["d0", "none0"]);
    expect(await typist.type("device_add scsi-block,drive=d0,lun=5,id=disk5")).to.deep.equal([]);
    expect((await typist.type("drive_del d0"))[0]).to.match(/^Error: .*in use/);
    await typist.type("device_del disk5");
    expect((await typist.type("drive_del nothing"))[0]).to.match(/^Error: no drive 'nothing' \(there (?:is|are) /);
    expect((await typist.type("drive_del n2"))[0]).to.equal("Error: no drive 'n2' (blockdev-del removes a block node)");
    for (const line of ["drive_del none0", "blockdev-del n2", "blockdev-del n1", "blockdev-del n0"])
      expect(await typist.type(line), line).to.deep.equal([]);
    expect((await typist.type(`drive_add 0 if=none,id=d0,file=/nowhere`))[0]).to.match(/^Error: cannot open '\/nowhere': no such file/);
    expect((await typist.type(`blockdev-add sim-lun node-name=n1,wwn=${WWN}`))[0]).to.contain("a comma stands between");
    expect(machine.graph.outermost.map(({ nodeName }) => nodeName))
      .not.to.include("n1")
      .and.not.to.include("d0");
  });

  it("asks whether another command was meant", async () => {
    expect(await typist.type("inof block")).to.deep.equal(["unknown command: 'inof'", "did you mean 'info'?"]);
    expect(await typist.type("info blok")).to.deep.equal(["unknown command: 'info blok'", "did you mean 'info block'?"]);
    expect(await typist.type("help drive-add")).to.deep.equal(["unknown command: 'drive-add'", "did you mean 'drive_add'?"]);
    expect(await typist.type("frobnicate")).to.deep.equal(["unknown command: 'frobnicate'"]);
  });

  it("sets properties, from text and from JSON", async () => {
    for (const [line, value] of [
      ["qom-set /machine/peripheral/disk0 nope 1", undefined],
      ["qom-get /machine/peripheral/disk0 drive", '"hd"'],
    ] as const) {
      const [first = ""] = await typist.type(line);
      expect(first).to.match(value === undefined ? /^Error: / : /^"hd"$/);
    }
    expect((await typist.type('qom-set -j /machine/peripheral/disk0 drive "x"'))[0]).to.match(/^Error: /);
  });

  it("ends the machine at quit", async () => {
    typist.input.write("quit\nquit\n");
    await machine.ended;
    expect(await machine.close()).to.equal(undefined);
  });

  it("goes on when its client says no more", async () => {
    typist.input.end("info status");
    expect(await typist.answer()).to.equal("VM status: running\r\n");
    expect(await machine.qmp.execute("query-status")).to.deep.include({ running: true });
  });

  it("completes commands, types, ids, paths and properties", async () => {
    // Of the host only the drivers are asked for.
    const host = { drivers: typeRegistries([]).drivers } as never;
    const context: HumanContext = { executor: machine.qmp, commands: HUMAN_COMMANDS, history: [], host };
    const candidates = async (line: string): Promise<readonly string[]> => (await complete(line, context))[0];
    expect(await candidates("qom-")).to.deep.equal(["qom-get", "qom-list", "qom-set"]);
    expect(await candidates("inf")).to.deep.equal(["info "]);
    expect(await candidates("info re")).to.deep.equal(["reservations "]);
    expect(await candidates("info reservations n")).to.deep.equal([`${WWN} `]);
    expect(await candidates("info block -")).to.deep.equal(["-n "]);
    expect(await candidates("info block -n ")).to.include("hd");
    expect(await candidates("object_del ")).to.deep.equal(["pr0 "]);
    expect(await candidates("device_del d")).to.deep.equal(["disk0 "]);
    expect(await candidates("device_add scsi-")).to.deep.equal(["scsi-block", "scsi-generic"]);
    expect(await candidates("device_add scsi-block,dr")).to.deep.equal(["scsi-block,drive="]);
    expect(await candidates("object_add pr-manager-m")).to.deep.equal(["pr-manager-memory,"]);
    expect(await candidates("device_add v")).to.deep.equal([
      "virtio-scsi-ccw",
      "virtio-scsi-device",
      "virtio-scsi-pci",
      "virtio-scsi-pci-non-transitional",
      "virtio-scsi-pci-transitional",
    ]);
    expect(await candidates("device_add virtio-scsi-c")).to.deep.equal(["virtio-scsi-ccw,"]);
    expect(await candidates("qom-get /mach")).to.deep.equal(["/machine/"]);
    expect(await candidates("qom-get /nope")).to.deep.equal([]);
    expect(await candidates("qom-get /")).to.deep.equal(["/machine", "/objects"]);
    expect(await candidates("qom-get /machine/peripheral/")).to.deep.equal(["/machine/peripheral/disk0 "]);
    expect(await candidates("qom-set -j /machine/peripheral/disk0 dr")).to.deep.equal(["drive "]);
    expect(await candidates("qom-get /nowhere/x ")).to.deep.equal([]);
    expect(await candidates("nope ")).to.deep.equal([]);
    expect(await candidates("help sc")).to.deep.equal(["scsi "]);
    expect(await candidates("blockdev-add sim")).to.deep.equal(["sim-lun,"]);
    expect(await candidates("blockdev-add sim-lun,ww")).to.deep.equal(["sim-lun,wwn="]);
    expect(await candidates("drive_add 0 if=none,driver=file,file")).to.deep.equal(["if=none,driver=file,filename="]);
    expect(await candidates("drive_del ")).to.include("hd");
  });
});

describe("a human monitor on a socket", () => {
  const folder = temporaryFolder();
  let machine: Machine;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await machine.close();
  });

  it("serves several clients, hangs up on a line without end, and lets the machine end", async () => {
    const path = folder.path("monitor");
    machine = await Machine.create(["-monitor", "none", "-chardev", `socket,id=c,path=${path},server=on,wait=off`, "-mon", "c"]);
    const clients = [connect(path), connect(path)];
    const texts = clients.map((client) => {
      let text = "";
      client.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      return (): string => text;
    });
    clients[0]?.end("info status\ninfo version\n");
    const closed = clients.map((client) => once(client, "close"));
    await closed[0];
    expect(texts[0]?.()).to.match(/monitor - [^]*\(qemu\) VM status: running\r\n\(qemu\) \d/);
    clients[1]?.on("error", () => undefined);
    clients[1]?.write("x".repeat(65 * 1024));
    await closed[1];
  });

  /** So long that the lines fill a socket, whatever the system lets one have. */
  const LINE_LENGTH = 80;

  /** A client of the human monitor on `path` that types faster than it reads. */
  function hasty(path: string): { readonly socket: Socket; readonly sent: Promise<boolean> } {
    const socket = connect(path);
    sockets.push(socket);
    socket.on("error", () => undefined);
    const sent = once(socket, "connect").then(() => socket.write(`${"help".padEnd(LINE_LENGTH)}\n`.repeat(50_000)));
    return { socket, sent };
  }

  it("is not read faster than it reads its answers, and nobody waits for it", async function () {
    this.timeout(60_000);
    const [path, qmp] = [folder.path("deaf"), folder.path("qmp")];
    machine = await Machine.create(["-monitor", `unix:${path},server,nowait`, "-qmp", `unix:${qmp},server,nowait`]);
    const { socket, sent } = hasty(path);
    expect(await sent, "it is taken at once").to.equal(false);
    const other = await QmpClient.ready({ path: qmp });
    sockets.push(other.socket);
    for (let count = 0; count < 100; count += 1) await other.run("query-name");
    expect(socket.writableLength, "some of it waits at the client").to.be.above(0);
    let answers = 0;
    socket.setEncoding("utf8").on("data", (text: string) => (answers += text.split("quit|q").length - 1));
    while (answers < 50_000) await once(socket, "data");
  });

  it("may leave at any moment without hurting the machine", async function () {
    this.timeout(60_000);
    const path = folder.path("leaving");
    machine = await Machine.create(["-monitor", `unix:${path},server,nowait`]);
    for (let count = 0; count < 20; count += 1) {
      const { socket, sent } = hasty(path);
      await sent;
      if (count % 2 === 0) await once(socket, "readable");
      socket.destroy();
      await once(socket, "close");
    }
    expect(await machine.qmp.execute("query-status")).to.deep.include({ running: true });
  });
});
