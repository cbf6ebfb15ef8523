/** Trace points, and how `run -trace` prints them. */
import { spawnSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { Machine, PersistentReserveOut } from "qom-pr";
import { tracePoint } from "#src/base/trace.js";
import { onTraceLine, traceNames } from "#src/machine/trace-points.js";
import type { TraceName } from "#src/machine/trace-points.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import { refusal } from "../support/refusal.js";
import { parseTraceOptions, startTracing } from "#src/cli/trace.js";
import { run } from "./support/programs.js";
import { skipUnlessRequired } from "../support/requirement.js";

const OBJECT = "pr-manager-memory,id=pr0";

/** The lines that `names` give while `action` runs. */
async function linesOf(names: readonly TraceName[], action: () => Promise<unknown>): Promise<readonly string[]> {
  const lines: string[] = [];
  const ends = names.map((name) => onTraceLine(name, (line) => lines.push(line)));
  try {
    await action();
  } finally {
    for (const end of ends) end();
  }
  return lines;
}

describe("trace points", () => {
  const folder = temporaryFolder();
  let machine: Machine;
  before(async () => {
    machine = await Machine.create(machineArguments("blockdev", OBJECT));
  });
  after(() => machine.close());

  it("have names that QEMU has", function () {
    const { status, stdout } = spawnSync("qemu-system-x86_64", ["-trace", "help"], { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
    if (status !== 0) skipUnlessRequired(this, "there is no QEMU: apt-get install qemu-system-x86");
    expect(stdout.split("\n")).to.include.members([...traceNames()]);
    return undefined;
  });

  it("tell the way of a command", async () => {
    const disk = machine.scsiDevice("disk0");
    const lines = await linesOf(traceNames(), async () => {
      await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }));
      await disk.execute({ cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 9, 0, 0, 2, 0) });
      // Too short a parameter list: the manager refuses it and does not run it.
      await disk.execute({ cdb: Uint8Array.of(0x5f, 1, 5, 0, 0, 0, 0, 0, 24, 0), dataOut: new Uint8Array(8) });
    });
    expect(lines).to.deep.equal([
      "scsi_req_parsed target 0 lun 0 tag 1 command 95 dir 2 length 24",
      "pr_manager_execute fd=-1 cmd=0x5f service action=0x00",
      "pr_manager_run fd=-1 cmd=0x5f service action=0x00",
      "scsi_req_dequeue target 0 lun 0 tag 1",
      "scsi_req_parsed target 0 lun 0 tag 2 command 40 dir 1 length 1024",
      "scsi_req_parsed_lba target 0 lun 0 tag 2 command 40 lba 9",
      "scsi_req_dequeue target 0 lun 0 tag 2",
      "scsi_req_parsed target 0 lun 0 tag 3 command 95 dir 2 length 24",
      "pr_manager_execute fd=-1 cmd=0x5f service action=0x01",
      "scsi_req_dequeue target 0 lun 0 tag 3",
    ]);
  });

  it("tell of commands and task management in the queues of virtio-scsi", async () => {
    const [adapter] = machine.qom.children(machine.qom.resolve("/machine/peripheral-anon"));
    const hba = machine.hba(adapter?.canonicalPath ?? "");
    const lun = Uint8Array.of(1, 0, 0x40, 0, 0, 0, 0, 0);
    const tag = Uint8Array.of(0x34, 0x12, 0, 0, 1, 0, 0, 0);
    const command = Uint8Array.of(...lun, ...tag, 0, 0, 0, ...new Uint8Array(32));
    const reset = Uint8Array.of(0, 0, 0, 0, 5, 0, 0, 0, ...lun, ...tag);
    hba.start(hba.features);
    const lines = await linesOf(
      traceNames().filter((name) => name.startsWith("virtio_")),
      async () => {
        await hba.submit(2, { readable: [command], writable: [new Uint8Array(108)] });
        await hba.submit(0, { readable: [reset], writable: [new Uint8Array(1)] });
        const event = hba.submit(1, { readable: [], writable: [new Uint8Array(16)] });
        hba.reportChange(machine.scsiDevice("disk0"));
        await event;
      },
    );
    expect(lines).to.deep.equal([
      "virtio_scsi_cmd_req virtio_scsi_cmd_req lun=0 tag=0x1234 cmd=0x0",
      "virtio_scsi_cmd_resp virtio_scsi_cmd_resp lun=0 tag=0x1234 response=0 status=0x2",
      "virtio_scsi_tmf_req virtio_scsi_tmf_req lun=0 tag=0x1234 subtype=5",
      "virtio_scsi_tmf_resp virtio_scsi_tmf_resp lun=0 tag=0x1234 response=0",
      "virtio_scsi_event virtio_scsi_event lun=0 event=3 reason=2346",
    ]);
  });

  it("publish values on node:diagnostics_channel", async () => {
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push(message);
    subscribe("qom-pr:scsi_req_dequeue", listen);
    expect(tracePoint("scsi_req_dequeue").enabled).to.equal(true);
    await machine.scsiDevice("disk0").execute({ cdb: new Uint8Array(6) });
    unsubscribe("qom-pr:scsi_req_dequeue", listen);
    expect(tracePoint("scsi_req_dequeue").enabled).to.equal(false);
    expect(told).to.have.lengthOf(1);
    expect(told[0]).to.deep.include({ device: "device 'disk0'", target: 0, lun: 0, opcode: 0, status: 2 });
  });

  describe("-trace", () => {
    async function selected(...texts: readonly string[]): Promise<{ readonly names: readonly string[]; readonly stderr: string }> {
      let stderr = "";
      const tracing = await startTracing(parseTraceOptions(texts), { out: () => undefined, error: (text) => void (stderr += text) });
      const names = traceNames().filter((name) => tracePoint(name).enabled);
      await tracing.stop();
      expect(traceNames().some((name) => tracePoint(name).enabled)).to.equal(false);
      return { names, stderr };
    }

    it("selects points by patterns with ?, as QEMU does", async () => {
      expect((await selected("pr_manager_r?n")).names).to.deep.equal(["pr_manager_run"]);
      expect((await selected("virtio_scsi_???_req")).names).to.deep.equal(["virtio_scsi_cmd_req", "virtio_scsi_tmf_req"]);
      expect((await selected("pr_manager_run?")).names).to.deep.equal([]);
    });

    it("selects points by patterns", async () => {
      expect(await selected("pr_*")).to.deep.equal({ names: ["pr_manager_execute", "pr_manager_run"], stderr: "" });
      expect((await selected("enable=*_req*", "-virtio*")).names).to.deep.equal(traceNames().filter((name) => name.startsWith("scsi_req")));
      expect((await selected("*")).names).to.deep.equal(traceNames());
      expect((await selected("*pr*run*")).names).to.deep.equal(["pr_manager_run"]);
      expect((await selected("pr_manager_run*run")).names).to.deep.equal([]);
      const file = folder.path("events");
      writeFileSync(file, "# managers\n\npr_manager_run\n  scsi_req_cancel\n");
      expect((await selected(`events=${file}`)).names).to.deep.equal(["pr_manager_run", "scsi_req_cancel"]);
      // In the order given, and of one option the file last, as QEMU does.
      writeFileSync(file, "-pr_manager_run\n");
      expect((await selected(`pr_*,events=${file}`)).names).to.deep.equal(["pr_manager_execute"]);
      expect((await selected(`events=${file}`, "pr_*", `events=${file}`)).names).to.deep.equal(["pr_manager_execute"]);
      expect((await selected(`events=${file}`, "pr_*")).names).to.deep.equal(["pr_manager_execute", "pr_manager_run"]);
      expect(await selected("nope")).to.deep.equal({
        names: [],
        stderr: "qom-pr: warning: -trace: there is no trace point 'nope' ('help' lists them)\n",
      });
      expect((await selected("pr_manager_rum")).stderr).to.contain("'pr_manager_rum' (did you mean 'pr_manager_run'?)");
      expect((await selected("prmanager*")).stderr).to.equal(
        "qom-pr: warning: -trace: no trace point fits 'prmanager*' ('help' lists them)\n",
      );
    });

    it("refuses what it does not know", async () => {
      expect((await refusal(() => parseTraceOptions(["pr_*,files=x"]))).kind).to.equal("unknown-name");
      for (const [path, kind] of [
        [folder.path("absent"), "io"],
        ["/dev/zero", "limit"],
      ]) {
        const options = parseTraceOptions([`events=${path}`]);
        expect((await refusal(() => startTracing(options, { out: () => undefined, error: () => undefined }))).kind).to.equal(kind);
      }
    });

    it("leaves lines out while nobody takes those that are there, and says how many", async () => {
      const lines: string[] = [];
      let waiting = 0;
      const output = { out: () => undefined, error: (text: string) => void lines.push(text), errorBacklogBytes: () => waiting };
      const tracing = await startTracing(parseTraceOptions(["pr_manager_run"]), output);
      const trace = tracePoint("pr_manager_run");
      const message = { id: "pr0", unit: "u", fd: 3, opcode: 0x5e, serviceAction: 0 };
      for (const backlog of [0, 17 * 1024 * 1024, 17 * 1024 * 1024, 0]) {
        waiting = backlog;
        trace.publish(message);
      }
      await tracing.stop();
      const line = "pr_manager_run fd=3 cmd=0x5e service action=0x00\n";
      expect(lines).to.deep.equal([line, "2 lines were dropped\n", line]);
    });

    it("prints to stderr or to a file", async () => {
      const stdin = [
        { execute: "qmp_capabilities" },
        { execute: "x-scsi-execute", arguments: { device: "disk0", cdb: "5e000000000000000800" } },
        { execute: "quit" },
      ]
        .map((message) => JSON.stringify(message))
        .join("\n");
      const expected = "pr_manager_run fd=-1 cmd=0x5e service action=0x00\n";
      const argv = ["run", ...machineArguments("blockdev", OBJECT), "-qmp", "stdio"];
      const toStderr = await run([...argv, "-trace", "pr_manager_run"], { stdin });
      expect(toStderr.code, toStderr.stderr).to.equal(0);
      expect(toStderr.stderr).to.contain(expected);
      const file = folder.path("trace.log");
      await run([...argv, "-trace", `pr_manager_run,file=${file}`], { stdin });
      expect(readFileSync(file, "utf8")).to.equal(expected);
      expect((await run(["run", "-trace", "help"])).stdout).to.equal(`${traceNames().join("\n")}\n`);
    });

    it("ends the program when the file cannot be used, and no machine when its disk is full", async () => {
      for (const option of ["file", "events"]) {
        const { code, stderr } = await run(["run", "-trace", `pr_*,${option}=${folder.path("absent/file")}`]);
        expect([code, stderr.split("\n").length], stderr).to.deep.equal([1, 2]);
      }
      expect(await run(["run", "--check", "-trace"])).to.deep.equal({
        code: 1,
        stdout: "",
        stderr: "qom-pr: option '-trace' needs a value\n",
      });
      const command = { execute: "x-scsi-execute", arguments: { device: "disk0", cdb: "5e000000000000000800" } };
      const messages = [{ execute: "qmp_capabilities" }, command, { execute: "quit" }];
      const argv = ["run", ...machineArguments("blockdev", OBJECT), "-qmp", "stdio", "-trace", "pr_*,file=/dev/full"];
      const { code, stderr } = await run(argv, { stdin: messages.map((message) => JSON.stringify(message)).join("\n") });
      expect(code, stderr).to.equal(0);
      expect(stderr).to.contain("qom-pr: warning: -trace: cannot write '/dev/full': no space left on device\n");
    });
  });
});
