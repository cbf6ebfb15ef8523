/** Which way each of the 256 operation codes goes: 5Eh and 5Fh to the manager, all others to the device. */
import { expect } from "chai";
import { Fabric, Machine, PrManager, qomType, ScsiStatus } from "qom-pr";
import type { ScsiCommand, ScsiResult, ScsiUnit } from "qom-pr";
import { machineArguments, WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";

/** Operation codes that a manager was asked for, since the last machine was made. */
const asked: number[] = [];

@qomType({ name: "pr-manager-recorder", description: "notes what it is asked and answers BUSY" })
class Recorder extends PrManager {
  protected override run(_unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    asked.push(command.cdb[0] ?? -1);
    return Promise.resolve({ status: ScsiStatus.BUSY, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0) });
  }
}

/** A CDB of operation code `opcode` whose every other field is zero, with data-out where the command wants some. */
function commandOf(opcode: number): ScsiCommand {
  const cdb = new Uint8Array(opcode >> 5 === 4 ? 16 : opcode >> 5 === 5 ? 12 : 10);
  cdb[0] = opcode;
  return opcode === 0x5f ? { cdb: cdb.with(8, 24), dataOut: new Uint8Array(24) } : { cdb };
}

for (const device of ["scsi-block", "scsi-generic"]) {
  describe(`routing of ${device}`, () => {
    let fabric: Fabric;
    let machine: Machine;
    let reached: number[];

    const start = async (object: string | null): Promise<void> => {
      asked.length = 0;
      reached = [];
      fabric = new Fabric();
      machine = await Machine.create(machineArguments("blockdev", object, {}, device), { fabric, types: [Recorder] });
      const unit = fabric.unit(WWN);
      const execute = unit.executeChecked.bind(unit);
      unit.executeChecked = (nexus, sent, path): ReturnType<typeof execute> => {
        reached.push(sent.cdb[0] ?? -1);
        return execute(nexus, sent, path);
      };
    };
    afterEach(async () => {
      await machine.close();
      await fabric.close();
    });

    it("gives the manager 5Eh and 5Fh and the device all other operation codes", async () => {
      await start("pr-manager-recorder,id=pr0");
      const disk = machine.scsiDevice("disk0");
      for (let opcode = 0; opcode < 256; opcode += 1) {
        const result = await disk.execute(commandOf(opcode));
        expect(result.status === ScsiStatus.BUSY, `${opcode.toString(16)}h`).to.equal(opcode === 0x5e || opcode === 0x5f);
        expect(disk.routeOf(opcode)).to.equal(opcode === 0x5e || opcode === 0x5f ? "manager" : "device");
      }
      expect(asked).to.deep.equal([0x5e, 0x5f]);
      expect(reached).to.deep.equal(
        Array.from({ length: 256 }, (_, opcode) => opcode).filter((opcode) => opcode !== 0x5e && opcode !== 0x5f),
      );
    });

    it("goes the device's usual way without a manager, which the operating system refuses", async () => {
      await start(null);
      const disk = machine.scsiDevice("disk0");
      expect(outcome(await disk.execute(commandOf(0x5e)))).to.equal("0B/00/06");
      expect(outcome(await disk.execute(commandOf(0x5f)))).to.equal("0B/00/06");
      expect([disk.routeOf(0x5e), disk.routeOf(0x5f), disk.routeOf(0x28)]).to.deep.equal(["device", "device", "device"]);
      expect(outcome(await disk.execute({ cdb: new Uint8Array(6) }))).to.equal("GOOD");
      expect([asked, reached]).to.deep.equal([[], [0x00]]);
    });
  });
}
