/** A simulated disk that may not be written: because the node is read-only, or because the unit itself is write-protected. */
import { expect } from "chai";
import { Fabric, Machine, PersistentReserveOut } from "qom-pr";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { bytes } from "../support/hex.js";

const WWN = "naa.5000000000000022";

const CONTROL_PAGE = bytes("00000000 0a0a 02100040 000000000000");

/** What each command is answered, with data-out of that many bytes, or these. */
const ANSWERS: readonly (readonly [string, string, string, (number | Uint8Array)?])[] = [
  ["WRITE(6)", "0a 00 00 00 01 00", "07/27/00", 512],
  ["WRITE(10)", "2a 00 00 00 00 00 00 00 01 00", "07/27/00", 512],
  ["WRITE(12)", "aa 00 00 00 00 00 00 00 00 01 00 00", "07/27/00", 512],
  ["WRITE(16)", "8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "07/27/00", 512],
  ["WRITE AND VERIFY(10)", "2e 00 00 00 00 00 00 00 01 00", "07/27/00", 512],
  ["COMPARE AND WRITE", "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "07/27/00", 1024],
  ["WRITE SAME(10)", "41 00 00 00 00 00 00 00 01 00", "07/27/00", 512],
  ["WRITE SAME(16)", "93 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "07/27/00", 512],
  ["UNMAP", "42 00 00 00 00 00 00 00 08 00", "07/27/00", 8],
  ["MODE SELECT(6)", "15 10 00 00 10 00", "07/27/00", CONTROL_PAGE],
  ["MODE SELECT(10)", "55 10 00 00 00 00 00 00 10 00", "07/27/00", 16],
  ["MODE SELECT of nothing", "15 10 00 00 00 00", "GOOD"],
  ["SYNCHRONIZE CACHE(10)", "35 00 00 00 00 00 00 00 00 00", "GOOD"],
  ["SYNCHRONIZE CACHE(16)", "91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "GOOD"],
  ["READ(10)", "28 00 00 00 00 00 00 00 01 00", "GOOD"],
  ["VERIFY(10)", "2f 00 00 00 00 00 00 00 01 00", "GOOD"],
  ["WRITE(10) beyond the end", "2a 00 00 00 08 00 00 00 01 00", "05/21/00", 512],
  ["FORMAT UNIT", "04 00 00 00 00 00", "05/20/00"],
  ["WRITE BUFFER", "3b 00 00 00 00 00 00 00 04 00", "05/20/00", 4],
  ["SANITIZE", "48 00 00 00 00 00 00 00 00 00", "05/20/00"],
  ["LOG SELECT", "4c 00 00 00 00 00 00 00 00 00", "05/20/00"],
];

describe("a disk that may not be written", () => {
  let fabric: Fabric;
  const machines: Machine[] = [];
  beforeEach(() => {
    fabric = new Fabric();
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.close();
    await fabric.close();
  });

  const start = async (node: string, type = "scsi-block"): Promise<Machine> => {
    const argv = ["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"];
    const blockdev = `node-name=hd,driver=raw,${node.replace("UNIT", `file.driver=sim-lun,file.wwn=${WWN},file.size=1M,file.pr-manager=pr0`)}`;
    const machine = await Machine.create([...argv, "-blockdev", blockdev, "-device", `${type},drive=hd,id=disk0`], { fabric });
    machines.push(machine);
    return machine;
  };

  const nodes = [
    ["a node that is read-only", "UNIT,file.read-only=on"],
    ["a format that is read-only", "UNIT,read-only=on"],
    ["a unit that is write-protected", "UNIT,file.write-protected=on"],
  ] as const;
  for (const [what, node] of nodes) {
    for (const type of ["scsi-block", "scsi-generic"]) {
      it(`${what} is one story behind ${type}`, async () => {
        const disk = (await start(node, type)).scsiDevice("disk0");
        for (const [name, cdb, expected, data] of ANSWERS) {
          const dataOut = typeof data === "number" ? new Uint8Array(data) : data;
          const result = await disk.execute({ cdb: bytes(cdb), ...(dataOut === undefined ? {} : { dataOut }) });
          expect(outcome(result), name).to.equal(expected);
        }
        for (const [cdb, at] of [
          ["1a 00 0a 00 ff 00", 2],
          ["5a 00 0a 00 00 00 00 00 ff 00", 3],
        ] as const) {
          expect((await disk.execute({ cdb: bytes(cdb) })).dataIn[at], "WP and DPOFUA").to.equal(0x90);
        }
      });
    }
  }

  it("reservations can be made where the unit is write-protected, not where the node is read-only", async () => {
    const register = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n });
    const [, , unit] = nodes;
    expect(outcome(await (await start(unit[1])).scsiDevice("disk0").execute(register))).to.equal("GOOD");
    expect(outcome(await (await start(nodes[0][1])).scsiDevice("disk0").execute(register))).to.equal("05/20/00");
  });

  it("who may not write may stop and start the disk, which writes nothing", async () => {
    const reader = (await start("UNIT,read-only=on")).scsiDevice("disk0");
    const writer = (await start("UNIT")).scsiDevice("disk0");
    const [stop, begin] = [bytes("1b 00 00 00 00 00"), bytes("1b 00 00 00 01 00")];
    expect(outcome(await reader.execute({ cdb: stop }))).to.equal("GOOD");
    expect(outcome(await writer.execute({ cdb: new Uint8Array(6) }))).to.equal("02/04/02");
    expect(outcome(await reader.execute({ cdb: new Uint8Array(6) }))).to.equal("02/04/02");
    expect(outcome(await reader.execute({ cdb: begin }))).to.equal("GOOD");
    expect(outcome(await writer.execute({ cdb: new Uint8Array(6) }))).to.equal("GOOD");
  });

  it("others write by nodes that are not read-only, and conflicts and unit attentions come first", async () => {
    const reader = (await start("UNIT,read-only=on")).scsiDevice("disk0");
    const writer = (await start("UNIT")).scsiDevice("disk0");
    const write = { cdb: bytes("2a 00 00 00 00 00 00 00 01 00"), dataOut: new Uint8Array(512).fill(7) };
    expect(outcome(await writer.execute(write))).to.equal("GOOD");
    expect(outcome(await reader.execute(write))).to.equal("07/27/00");
    expect((await reader.execute({ cdb: bytes("28 00 00 00 00 00 00 00 01 00") })).dataIn[0]).to.equal(7);
    await writer.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }));
    await writer.execute(PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 1 }));
    expect(outcome(await reader.execute(write))).to.equal("RC");
    await writer.reset("target");
    expect(outcome(await reader.execute(write))).to.equal("06/29/02");
  });

  it("who comes first decides whether a unit is write-protected", async () => {
    await start("UNIT,file.write-protected=on");
    const { message } = await refusal(() => start("UNIT,file.write-protected=off"));
    expect(message).to.include("write-protected false contradicts true");
    await start("UNIT");
  });
});
