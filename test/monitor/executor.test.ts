/** Commands of QMP, asked of a machine directly. */
import { expect } from "chai";
import { Machine, PersistentReserveOut } from "qom-pr";
import type { QmpEvent } from "qom-pr";
import { machineArguments, WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";
import { hex } from "../support/hex.js";

describe("machine.qmp", () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await Machine.create(machineArguments("blockdev", "pr-manager-memory,id=pr0", { initiator: "iqn.2026-11.org.example:a" }));
  });
  afterEach(() => machine.close());

  it("runs commands on plain JavaScript values", async () => {
    expect(await machine.qmp.execute("query-pr-managers")).to.deep.equal([{ id: "pr0", connected: true }]);
    expect(await machine.qmp.execute("object-add", { "qom-type": "pr-manager-memory", id: "pr1" })).to.deep.equal({});
    expect(await machine.qmp.execute("qom-get", { path: "/objects/pr1", property: "type" })).to.equal("pr-manager-memory");
    expect(await machine.qmp.execute("object-del", { id: "pr1" })).to.deep.equal({});
  });

  it("runs SCSI commands and shows reservations", async () => {
    const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xabcn });
    const result = await machine.qmp.execute("x-scsi-execute", { device: "disk0", cdb: hex(cdb), "data-out": hex(dataOut) });
    expect(result).to.deep.equal({ status: 0, "data-in": "", residual: 0, sense: "" });
    expect(await machine.qmp.execute("x-query-reservations")).to.deep.equal([
      {
        unit: WWN,
        generation: 1,
        registrants: [{ initiator: "iqn.2026-11.org.example:a", "target-port": 1, key: "0x0000000000000abc", holder: false }],
      },
    ]);
  });

  it("tells what is wrong with the class of the answer", async () => {
    const cases: [string, object, string, string][] = [
      ["nope", {}, "CommandNotFound", "unknown-name"],
      ["object-del", {}, "GenericError", "missing"],
      ["object-del", { id: 5 }, "GenericError", "invalid-value"],
      ["object-del", { id: "pr0", x: 1 }, "GenericError", "unknown-name"],
      ["object-del", { id: "pr0" }, "GenericError", "in-use"],
      ["device_del", { id: "nope" }, "DeviceNotFound", "not-found"],
      ["qom-get", { path: "/nope", property: "x" }, "DeviceNotFound", "not-found"],
    ];
    for (const [command, args, qmpClass, kind] of cases) {
      const error = await refusal(() => machine.qmp.execute(command, { ...args }));
      expect([error.qmpClass, error.kind], `${command}: ${error.message}`).to.deep.equal([qmpClass, kind]);
    }
  });

  it("refuses arguments that cannot be read", async () => {
    const unreadable = {
      get id(): string {
        throw new Error("not today");
      },
    };
    const { kind, message } = await refusal(() => machine.qmp.execute("object-del", unreadable));
    expect([kind, message]).to.deep.equal([
      "invalid-value",
      "QmpExecutor.execute: args is an object and not an object whose members can be read",
    ]);
  });

  it("tells listeners that a device is gone", async () => {
    const told = new Promise<QmpEvent>((resolve) => machine.qmp.onEvent(resolve));
    expect(await machine.qmp.execute("device_del", { id: "disk0" })).to.deep.equal({});
    const { event, data } = await told;
    expect([event, data]).to.deep.equal(["DEVICE_DELETED", { device: "disk0", path: "/machine/peripheral/disk0" }]);
  });
});
