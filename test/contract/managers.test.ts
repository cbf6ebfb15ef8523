/**
 * The contract of all PR managers: one suite, one machine, only the -object argument differs. What each manager answers is the table
 * of expectations below.
 */
import { expect } from "chai";
import { Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ScsiCommand, ScsiDevice } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import type { CommandLine } from "../support/machine.js";
import { helperUnderTest } from "../support/helpers.js";
import type { HelperUnderTest } from "../support/helpers.js";

/** A manager under test, and what it answers. */
interface Contender {
  readonly name: string;
  /** Text of -object; a helper's socket path is known when the helper runs. */
  readonly object: (socket: string) => string;
  readonly helper?: "qemu-pr-helper" | "qom-pr-helper";
  /** It reaches a disk that knows reservations: then the rules are tested too. Else every command ends so. */
  readonly answers: "reservations" | "0B/00/06";
}

/** The helpers' SG_IO on the file behind the disk fails with ENOTTY: there is no SCSI behind a file. */
const CONTENDERS: readonly Contender[] = [
  { name: "pr-manager-memory", object: () => "pr-manager-memory,id=pr0", answers: "reservations" },
  { name: "pr-manager-sgio", object: () => "pr-manager-sgio,id=pr0", answers: "reservations" },
  {
    name: "pr-manager-helper on qemu-pr-helper",
    object: (socket) => `pr-manager-helper,id=pr0,path=${socket}`,
    helper: "qemu-pr-helper",
    answers: "0B/00/06",
  },
  {
    name: "pr-manager-helper on qom-pr-helper",
    object: (socket) => `pr-manager-helper,id=pr0,path=${socket}`,
    helper: "qom-pr-helper",
    answers: "0B/00/06",
  },
];

const KEY = 0x1122334455667788n;

/** Every PERSISTENT RESERVE command of the contract. */
const COMMANDS: Readonly<Record<string, ScsiCommand>> = {
  "READ KEYS": PersistentReserveIn.readKeys(256),
  "READ RESERVATION": PersistentReserveIn.readReservation(256),
  "REPORT CAPABILITIES": PersistentReserveIn.reportCapabilities(8),
  REGISTER: PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY }),
  RESERVE: PersistentReserveOut.encode({ action: "reserve", key: KEY, type: 5 }),
  RELEASE: PersistentReserveOut.encode({ action: "release", key: KEY, type: 5 }),
  PREEMPT: PersistentReserveOut.encode({ action: "preempt", key: KEY, serviceActionKey: KEY, type: 5 }),
  "REGISTER AND IGNORE": PersistentReserveOut.encode({ action: "register-and-ignore-existing-key", serviceActionKey: KEY }),
  CLEAR: PersistentReserveOut.encode({ action: "clear", key: KEY }),
};

for (const contender of CONTENDERS) {
  for (const line of ["blockdev", "drive"] as const satisfies readonly CommandLine[]) {
    describe(`contract of ${contender.name}, by -${line}`, () => {
      const folder = temporaryFolder();
      let helper: HelperUnderTest | undefined;
      let machine: Machine;
      let disk: ScsiDevice;

      before(async function () {
        helper = contender.helper === undefined ? undefined : await helperUnderTest(this, contender.helper);
      });
      after(() => helper?.stop());

      beforeEach(async () => {
        const text = contender.object(helper?.socket ?? "");
        machine = await Machine.create(machineArguments(line, text, { filename: folder.path("disk.img"), size: "1M" }));
        disk = machine.scsiDevice("disk0");
      });
      afterEach(() => machine.close());

      it("serves other commands as the disk does", async () => {
        const read = await disk.execute({ cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0) });
        expect([outcome(read), read.dataIn.length, read.residual]).to.deep.equal(["GOOD", 512, 0]);
      });

      it("refuses a data-out that is shorter than the CDB says", async () => {
        const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY });
        expect(outcome(await disk.execute({ cdb, dataOut: dataOut.subarray(0, 23) }))).to.equal("05/24/00");
      });

      it("refuses a buffer that is smaller than the CDB says", async () => {
        expect(outcome(await disk.execute({ ...PersistentReserveIn.readKeys(64), allocationLength: 63 }))).to.equal("05/24/00");
      });

      it("ends a command whose signal fired with TASK ABORTED", async () => {
        const result = await disk.execute({ ...PersistentReserveIn.readKeys(8), signal: AbortSignal.abort() });
        expect(outcome(result)).to.equal("ABORTED");
      });

      it("cannot be deleted while the disk uses it, and says who does", async () => {
        let message = "";
        await machine.qom.delete("pr0").catch((error: unknown) => (message = String(error)));
        expect(message).to.contain("pr0").and.to.contain("block node");
        expect(outcome(await disk.execute(PersistentReserveIn.readKeys(8)))).not.to.equal("");
      });

      if (contender.answers === "reservations")
        reservations(
          () => disk,
          () => machine,
        );
      else onlySense(() => disk, contender.answers);
    });
  }
}

/** What a manager answers that reaches a disk with reservations. */
function reservations(disk: () => ScsiDevice, machine: () => Machine): void {
  it("registers, reserves, reads back, releases and clears", async () => {
    const run = async (name: string): Promise<string> => outcome(await disk().execute(COMMANDS[name] ?? { cdb: new Uint8Array(0) }));
    expect(await run("REGISTER")).to.equal("GOOD");
    expect(await run("RESERVE")).to.equal("GOOD");
    const reservation = await disk().execute(PersistentReserveIn.readReservation(256));
    expect(PersistentReserveIn.parse(1, reservation.dataIn)).to.deep.equal({
      generation: 1,
      reservation: { type: 5, scope: 0, key: KEY },
    });
    const keys = await disk().execute(PersistentReserveIn.readKeys(256));
    expect(PersistentReserveIn.parse(0, keys.dataIn)).to.deep.include({ generation: 1, keys: [KEY] });
    expect([keys.dataIn.length, keys.residual]).to.deep.equal([16, 240]);
    const { registrants, reservation: held } = machine().fabric.unit(WWN).reservations;
    expect(registrants.map(({ key, holder }) => ({ key, holder }))).to.deep.equal([{ key: KEY, holder: true }]);
    expect(held?.type).to.equal(5);
    expect(await run("REGISTER")).to.equal("RC");
    expect(await run("RELEASE")).to.equal("GOOD");
    expect(await run("CLEAR")).to.equal("GOOD");
    expect(machine().fabric.unit(WWN).reservations).to.deep.equal({ generation: 2, registrants: [], reservation: null });
  });

  it("answers whatever the allocation length, up to the largest", async () => {
    for (const request of [PersistentReserveIn.readKeys, PersistentReserveIn.readFullStatus, PersistentReserveIn.reportCapabilities]) {
      for (const length of [8192, 8200, 0xffff]) {
        const result = await disk().execute(request(length));
        expect([outcome(result), result.dataIn.length, result.residual], String(length)).to.deep.equal(["GOOD", 8, length - 8]);
      }
    }
  });

  it("fills the caller's memory", async () => {
    const into = new Uint8Array(64).fill(0xee);
    const result = await disk().execute({ ...PersistentReserveIn.readKeys(64), allocationLength: 64, into });
    expect(outcome(result)).to.equal("GOOD");
    expect(result.dataIn.buffer).to.equal(into.buffer);
    expect(Array.from(into.subarray(0, 9))).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 0, 0xee]);
  });
}

/** What a manager answers whose helper finds no SCSI behind the descriptor. */
function onlySense(disk: () => ScsiDevice, expected: string): void {
  for (const [name, command] of Object.entries(COMMANDS)) {
    it(`gives the helper's sense for ${name}`, async () => {
      const result = await disk().execute(command);
      expect([result.status, outcome(result), result.residual, result.dataIn.length]).to.deep.equal([0x02, expected, 0, 0]);
    });
  }

  it("stays usable over many commands from several callers", async () => {
    const lengths = Array.from({ length: 64 }, (_, i) => 8192 + i);
    const answers = await Promise.all(lengths.map((length) => disk().execute(PersistentReserveIn.readKeys(length))));
    expect(new Set(answers.map(outcome))).to.deep.equal(new Set([expected]));
  });
}
