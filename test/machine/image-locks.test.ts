/** Who may open an image beside whom: machines of this process, other processes, and QEMU's own programs as the other side. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { truncateSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Fabric, Machine } from "qom-pr";
import { memoryStore } from "#src/stores/memory.js";
import { PROGRAM, run, runProgram } from "../cli/support/programs.js";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { skipUnlessRequired } from "../support/requirement.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const OTHER_WWN = "naa.5000000000000002";
const HBA = ["-device", "virtio-scsi,id=scsi0"];
const IN_USE = /^[^\n]*image' is in use by another process[^\n]*share-rw=on[^\n]*locking=off[^\n]*$/;

/** Processes of a test; each holds an image until it is killed. */
class Holders {
  readonly #running = new Set<ChildProcess>();

  /** Starts a program and waits for its first line; null when it ended before, which is how it refuses. */
  async start(program: string, argv: readonly string[]): Promise<ChildProcess | string> {
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "pipe"] });
    this.#running.add(child);
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const spoke = once(child.stdout, "data").then(() => child);
    return Promise.race([spoke, once(child, "close").then(() => errors)]);
  }

  async kill(child: ChildProcess): Promise<void> {
    this.#running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  async killAll(): Promise<void> {
    for (const child of [...this.#running]) await this.kill(child);
  }
}

describe("image locks of machines", function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const holders = new Holders();
  const opened: { close(): Promise<void> }[] = [];
  let image = "";
  beforeEach(() => {
    image = folder.path("image");
    writeFileSync(image, "");
    truncateSync(image, 1_048_576);
  });
  afterEach(async () => {
    await holders.killAll();
    for (const one of opened.splice(0).toReversed()) await one.close();
  });

  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  const create = async (argv: readonly string[], fabric = keep(new Fabric())): Promise<Machine> =>
    keep(await Machine.create(argv, { fabric }));
  const node = (rest = "", wwn = WWN): string[] => ["-blockdev", `driver=sim-lun,node-name=hd,wwn=${wwn},filename=${image}${rest}`];
  const disk = (rest = ""): string[] => ["-device", `scsi-block,drive=hd,id=disk0${rest}`];
  const machine = (nodeRest = "", deviceRest = ""): string[] => [...HBA, ...node(nodeRest), ...disk(deviceRest)];
  const file = (rest = ""): string[] => ["-blockdev", `driver=file,node-name=f,filename=${image}${rest}`];

  describe("in one process", () => {
    it("refuse each other, in one line", async () => {
      await create(machine());
      for (const argv of [machine(), machine("", ",share-rw=on"), machine(",locking=on"), file()]) {
        const error = await refusal(() => create(argv));
        expect(error.kind).to.equal("in-use");
        expect(`${error.message} (${error.hint})`).to.match(IN_USE);
      }
      await create(machine(",locking=off"));
      await create(file(",locking=off"));
      await create(file(",read-only=on"));
    });

    it("go together when every device shares, and by the device's word, not the node's", async () => {
      await create(machine("", ",share-rw=on"));
      await create(machine("", ",share-rw=on"));
      await create([...HBA, ...node()]);
      const error = await refusal(() => create(machine()));
      expect([error.kind, error.context.argument]).to.deep.equal(["in-use", "device"]);
    });

    it("are one user where they are given one fabric: the unit is one, and so are its reservations", async () => {
      const fabric = keep(new Fabric());
      await create(machine(), fabric);
      await create(machine(), fabric);
      expect((await refusal(() => create(machine()))).kind).to.equal("in-use");
    });

    it("hold the image by nested keys and by drives too", async () => {
      const nested = `driver=sim-lun,file.wwn=${WWN},file.filename=${image}`.replace("driver", "file.driver");
      for (const argv of [
        ["-blockdev", `driver=raw,node-name=hd,${nested}`],
        ["-drive", `if=none,id=hd,driver=raw,${nested}`],
      ]) {
        const held = await Machine.create([...HBA, ...argv, ...disk()]);
        expect((await refusal(() => create([...HBA, ...argv, ...disk()]))).kind).to.equal("in-use");
        await create([...HBA, argv[0] ?? "", `${argv[1]},file.locking=off`, ...disk()]);
        await held.close();
      }
    });

    it("hold it while a device uses it, and let go of it with the device, the node, and the machine", async () => {
      const first = await create([...HBA, ...node()]);
      const attempt = async (argv: readonly string[]): Promise<string> => {
        try {
          const second = await Machine.create(argv);
          await second.close();
          return "accepted";
        } catch (error) {
          return error instanceof Error ? error.message.replace(/^.*(in use).*$/, "$1") : "";
        }
      };
      const shared = machine("", ",share-rw=on");
      const both = async (): Promise<readonly string[]> => [await attempt(shared), await attempt(machine())];
      expect(await both(), "a node").to.deep.equal(["accepted", "accepted"]);
      const add = (rest: object): Promise<unknown> =>
        first.qmp.execute("device_add", { driver: "scsi-block", drive: "hd", id: "disk0", ...rest });
      await add({});
      expect(await both(), "a device").to.deep.equal(["in use", "in use"]);
      await first.qmp.execute("device_del", { id: "disk0" });
      await add({ "share-rw": true });
      expect(await both(), "a device that shares").to.deep.equal(["accepted", "in use"]);
      await first.qmp.execute("device_del", { id: "disk0" });
      await first.qmp.execute("blockdev-del", { "node-name": "hd" });
      expect(await both(), "nothing, though the unit is there as long as its fabric").to.deep.equal(["accepted", "accepted"]);
      await first.qmp.execute("blockdev-add", { driver: "sim-lun", "node-name": "hd", wwn: WWN });
      await add({});
      expect(await both(), "another path to the same unit").to.deep.equal(["in use", "in use"]);
    });

    it("a refusal leaves nothing behind: neither a unit nor a lock", async () => {
      const holder = await Machine.create(machine());
      const fabric = keep(new Fabric());
      const second = await create(HBA, fabric);
      const add = (): Promise<unknown> =>
        second.qmp.execute("blockdev-add", { driver: "sim-lun", "node-name": "hd", wwn: WWN, filename: image });
      await refusal(add);
      expect(fabric.units).to.deep.equal([]);
      await holder.close();
      await add();
    });

    for (const kind of ["read-only", "write-protected"]) {
      it(`a ${kind} disk keeps writers out that it would read from, and readers not`, async () => {
        await create(machine(`,${kind}=on`));
        await create(machine(",read-only=on"));
        await create(machine(",write-protected=on"));
        for (const rest of ["", ",share-rw=on"]) expect((await refusal(() => create(machine("", rest)))).kind).to.equal("in-use");
      });

      it(`a ${kind} disk that shares goes beside a writer`, async () => {
        await create(machine());
        await create(machine(`,${kind}=on`, ",share-rw=on"));
        expect((await refusal(() => create(machine(`,${kind}=on`)))).kind).to.equal("in-use");
      });
    }
  });

  describe("of units that a program attaches itself", () => {
    const spec = { wwn: WWN };

    it("two fabrics refuse each other until one is closed", async () => {
      const first = new Fabric();
      await first.attach({ ...spec, filename: image });
      const second = keep(new Fabric());
      const error = await refusal(() => second.attach({ ...spec, filename: image }));
      expect([error.kind, error.context.option]).to.deep.equal(["in-use", "filename"]);
      expect(second.units).to.deep.equal([]);
      await first.close();
      await second.attach({ ...spec, filename: image });
    });

    it("share when both say so; a later path agrees with the first about locking", async () => {
      const fabrics = [keep(new Fabric()), keep(new Fabric()), keep(new Fabric())] as const;
      for (const fabric of fabrics.slice(0, 2)) await fabric.attach({ ...spec, filename: image, sharesWrites: true });
      expect((await refusal(() => fabrics[2].attach({ ...spec, filename: image }))).kind).to.equal("in-use");
      await fabrics[2].attach({ ...spec, filename: image, locking: "off" });
      await fabrics[2].attach(spec);
      expect((await refusal(() => fabrics[2].attach({ ...spec, locking: "on" }))).kind).to.equal("conflict");
    });

    it("share the writing where hosts share the reservations, and not with a program that does not", async () => {
      const store = { ...memoryStore, sharedByHosts: true };
      const shared = [keep(new Fabric({ store })), keep(new Fabric({ store }))];
      for (const fabric of shared) {
        await create(machine(), fabric);
        await fabric.attach({ ...spec, filename: image });
      }
      expect((await refusal(() => create(machine()))).kind).to.equal("in-use");
    });

    it("a fabric that was closed has no units that a device could come to", async () => {
      const fabric = new Fabric();
      const left = await create([...HBA, ...node()], fabric);
      await fabric.close();
      await create(machine());
      const error = await refusal(() => left.qmp.execute("device_add", { driver: "scsi-block", drive: "hd" }));
      expect(error.kind).to.equal("closed");
    });

    it("two units of one fabric in one file are told apart from another process", async () => {
      const fabric = keep(new Fabric());
      await fabric.attach({ ...spec, filename: image });
      const error = await refusal(() => fabric.attach({ wwn: OTHER_WWN, filename: image }));
      expect(error.message).to.contain(`is the medium of ${WWN}`);
    });
  });

  describe("in other processes", () => {
    const runs = (argv: readonly string[]): Promise<ChildProcess | string> => holders.start(process.execPath, [PROGRAM, "run", ...argv]);
    /** Without a leading `qom-pr: ` and the line's end. */
    const refused = async (argv: readonly string[]): Promise<string> => {
      const { code, stderr } = await run(["run", "--check", ...argv]);
      expect(code).to.equal(1);
      return stderr.trimEnd();
    };

    it("of two programs the second is refused, until the first is killed", async () => {
      const first = await runs(machine());
      expect(await refused(machine())).to.match(IN_USE);
      expect(await refused(file())).to.match(IN_USE);
      expect((await run(["run", "--check", ...machine(",locking=off")])).code).to.equal(0);
      if (typeof first !== "string") await holders.kill(first);
      expect(await run(["run", "--check", ...machine()])).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    });

    it("a reservation command by itself goes on beside a machine", async () => {
      await runs(machine());
      const manager = ["--object", `scsi-fabric,id=san,state=${folder.path("san")}`, "--manager", "pr-manager-memory,fabric=san"];
      const { code, stderr } = await run(["persist", "-k", ...manager, image]);
      expect([code, stderr]).to.deep.equal([0, ""]);
    });

    describe("without native code", () => {
      const elsewhere = "data:text/javascript,Object.defineProperty(process,'platform',{value:'sunos'})";
      const nodeElsewhere = (argv: readonly string[], stdin = ""): ReturnType<typeof runProgram> =>
        runProgram(process.execPath, ["--import", elsewhere, ...argv], { stdin });
      const WARNING = "image locks are not available here (system calls need Linux, and this is sunos)";

      it("auto says so once for a machine, on is refused, off is silent", async () => {
        const twice = [...machine(), ...file()];
        const auto = await nodeElsewhere([PROGRAM, "run", "--check", ...twice]);
        expect([auto.code, auto.stderr]).to.deep.equal([
          0,
          `qom-pr: warning: ${WARNING}: another process that opens the same image will not be noticed\n`,
        ]);
        for (const argv of [machine(",locking=on"), file(",locking=on")]) {
          const on = await nodeElsewhere([PROGRAM, "run", "--check", ...argv]);
          expect([on.code, on.stderr]).to.satisfy(([code, text]: [number, string]) => code === 1 && text.includes(`${WARNING}, and`));
        }
        expect((await nodeElsewhere([PROGRAM, "run", "--check", ...machine(",locking=off")])).stderr).to.equal("");
      });

      it("a program that attaches units is warned once for each fabric", async () => {
        const script = `
          import { Fabric } from "${new URL("dist/index.js", `file://${ROOT}`).href}";
          const fabric = new Fabric();
          await fabric.attach({ wwn: "${WWN}", filename: "${image}" });
          await fabric.attach({ wwn: "${OTHER_WWN}", filename: "${folder.path("second")}" });
          await fabric.close();`;
        const { code, stderr } = await nodeElsewhere(["--input-type=module", "-"], script);
        expect([code, stderr.split(WARNING).length]).to.deep.equal([0, 2]);
      });
    });
  });

  describe("beside QEMU's programs", () => {
    const PACKAGES = { "qemu-storage-daemon": "qemu-system-common or qemu-storage-daemon", "qemu-img": "qemu-utils" } as const;
    const require = async (context: Mocha.Context, program: keyof typeof PACKAGES): Promise<void> => {
      const found = await runProgram(program, ["--version"]).catch(() => null);
      if (found?.code !== 0) skipUnlessRequired(context, `there is no ${program}: apt-get install ${PACKAGES[program]}`);
    };
    /** A daemon that exports the image; it greets on its monitor once the export is there. */
    const daemon = (writable: boolean, blockdev = `driver=file,filename=${image}`): Promise<ChildProcess | string> =>
      holders.start("qemu-storage-daemon", [
        ...["--blockdev", `${blockdev},node-name=n${writable ? "" : ",read-only=on"}`],
        ...["--nbd-server", `addr.type=unix,addr.path=${folder.path("nbd")}`],
        ...["--export", `type=nbd,id=e,node-name=n,writable=${writable ? "on" : "off"}`],
        ...["--chardev", "stdio,id=c", "--monitor", "chardev=c"],
      ]);

    for (const [what, argv, besideWriter, besideReader] of [
      ["a device", () => machine(), false, true],
      ["a device with share-rw=on", () => machine("", ",share-rw=on"), true, true],
      ["a device on a read-only node", () => machine(",read-only=on"), false, true],
      ["a device that shares, on a read-only node", () => machine(",read-only=on", ",share-rw=on"), true, true],
      ["a device on a node with locking=on", () => machine(",locking=on"), false, true],
      ["a device on a node with locking=off", () => machine(",locking=off"), true, true],
      ["a sim-lun node that no device uses", () => node(), true, true],
      ["a file node", () => file(), false, true],
      ["a read-only file node", () => file(",read-only=on"), true, true],
      ["a file node with locking=off", () => file(",locking=off"), true, true],
    ] as const) {
      it(`${what}: ${besideWriter ? "beside" : "not beside"} a writable export, and beside one for reading, whoever is first`, async function () {
        await require(this, "qemu-storage-daemon");
        for (const [writable, together] of [
          [true, besideWriter],
          [false, besideReader],
        ] as const) {
          const ours = await Machine.create(argv());
          const theirs = await daemon(writable);
          if (together) expect(theirs, "they are second").to.have.property("pid");
          else expect(theirs, "they are second").to.match(/Failed to get "write" lock/);
          await ours.close();
          await holders.killAll();

          const holding = await daemon(writable);
          expect(holding, "they are first").to.have.property("pid");
          const second = await Machine.create(argv()).then(
            async (made) => made.close().then(() => "accepted"),
            (error: unknown) => (error instanceof Error ? error.message : ""),
          );
          expect(second, "we are second").to.match(together ? /^accepted$/ : /is in use by another process/);
          await holders.killAll();
        }
      });
    }

    it("a device of the host is locked as QEMU locks it: as long as somebody uses it", async function () {
      await require(this, "qemu-storage-daemon");
      const device = folder.path("device");
      if (process.getuid?.() !== 0) skipUnlessRequired(this, "only root makes device nodes, and those of /dev are everybody's");
      expect((await runProgram("mknod", [device, "c", "1", "3"])).code).to.equal(0);
      const { container } = new ScriptedDisk();
      const made = await Machine.create([...HBA, "-blockdev", `driver=host_device,node-name=hd,filename=${device}`], { container });
      keep(made);
      const attempt = async (): Promise<string> => {
        const theirs = await daemon(true, `driver=host_device,filename=${device}`);
        await holders.killAll();
        return typeof theirs === "string" ? theirs : "accepted";
      };
      const add = (rest: object): Promise<unknown> =>
        made.qmp.execute("device_add", { driver: "scsi-generic", drive: "hd", id: "disk0", ...rest });
      expect(await attempt()).to.equal("accepted");
      await add({ "share-rw": true });
      expect(await attempt()).to.equal("accepted");
      await made.qmp.execute("device_del", { id: "disk0" });
      await add({});
      expect(await attempt()).to.match(/Failed to get "write" lock/);
      await made.qmp.execute("device_del", { id: "disk0" });
      expect(await daemon(true, `driver=host_device,filename=${device}`)).to.have.property("pid");
      const error = await refusal(() => add({}));
      expect([error.kind, error.message]).to.satisfy(([kind, text]: [string, string]) => kind === "in-use" && text.includes(`'${device}'`));
      await add({ "share-rw": true });
    });

    it("a disk of QEMU's that does not share is refused beside one of ours that does, as beside another of its own", async function () {
      await require(this, "qemu-img");
      const reads = ["convert", "-f", "raw", "-O", "raw", image, folder.path("copy")];
      expect((await runProgram("qemu-img", reads)).code).to.equal(0);
      await create(machine("", ",share-rw=on"));
      const { code, stderr } = await runProgram("qemu-img", reads);
      expect([code, stderr]).to.satisfy(
        ([status, text]: [number, string]) => status === 1 && text.includes('Failed to get shared "write" lock'),
      );
    });
  });
});
