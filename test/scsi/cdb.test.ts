import { expect } from "chai";
import fc from "fast-check";
import { blockAccess, cdbLengthOf, expectedTransfer, Opcode, opcodeName, serviceActionOf } from "#src/scsi/cdb.js";
import { COMMANDS } from "#src/scsi/cdb-table.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import { anyBytes } from "./arbitraries.js";
import { bytes } from "../support/hex.js";

const BLOCK = 512;

/** CDB, name, direction and bytes with blocks of 512 bytes, LBA and number of blocks or none */
const CASES: readonly (readonly [cdb: string, name: string, transfer: string, access: string])[] = [
  ["00 00 00 00 00 00", "TEST UNIT READY", "none 0", "-"],
  ["03 00 00 00 FC 00", "REQUEST SENSE", "in 252", "-"],
  ["04 00 00 00 00 00", "FORMAT UNIT", "none 0", "-"],
  ["04 10 00 00 00 00", "FORMAT UNIT", "out 4", "-"],
  ["04 30 00 00 00 00", "FORMAT UNIT", "out 8", "-"],
  ["08 1F FF FE 02 00", "READ(6)", "in 1024", "2097150+2"],
  ["08 E0 00 01 00 00", "READ(6)", "in 131072", "1+256"],
  ["0A 00 00 05 01 00", "WRITE(6)", "out 512", "5+1"],
  ["12 01 83 01 02 00", "INQUIRY", "in 258", "-"],
  ["15 10 00 00 18 00", "MODE SELECT(6)", "out 24", "-"],
  ["16 00 00 00 00 00", "RESERVE(6)", "none 0", "-"],
  ["1A 00 3F 00 C0 00", "MODE SENSE(6)", "in 192", "-"],
  ["1B 00 00 00 01 00", "START STOP UNIT", "none 0", "-"],
  ["25 00 00 00 00 00 00 00 00 00", "READ CAPACITY(10)", "in 8", "-"],
  ["28 00 80 00 00 01 00 01 02 00", "READ(10)", "in 132096", "2147483649+258"],
  ["28 00 00 00 00 01 00 00 00 00", "READ(10)", "none 0", "1+0"],
  ["2A 00 00 00 00 01 00 00 08 00", "WRITE(10)", "out 4096", "1+8"],
  ["2E 00 00 00 00 01 00 00 08 00", "WRITE AND VERIFY(10)", "out 4096", "1+8"],
  ["2F 00 00 00 00 01 00 00 08 00", "VERIFY(10)", "none 0", "1+8"],
  ["2F 02 00 00 00 01 00 00 08 00", "VERIFY(10)", "out 4096", "1+8"],
  ["2F 04 00 00 00 01 00 00 08 00", "VERIFY(10)", "none 0", "1+8"],
  ["2F 06 00 00 00 01 00 00 08 00", "VERIFY(10)", "out 512", "1+8"],
  ["34 00 00 00 00 09 00 00 08 00", "PRE-FETCH(10)", "none 0", "9+8"],
  ["35 00 00 00 00 00 00 00 00 00", "SYNCHRONIZE CACHE(10)", "none 0", "0+0"],
  ["3B 01 00 00 00 00 01 00 00 00", "WRITE BUFFER", "out 65536", "-"],
  ["41 00 00 00 00 01 00 00 08 00", "WRITE SAME(10)", "out 512", "1+8"],
  ["42 00 00 00 00 00 00 00 18 00", "UNMAP", "out 24", "-"],
  ["4D 00 40 00 00 00 00 02 00 00", "LOG SENSE", "in 512", "-"],
  ["5A 00 3F 00 00 00 00 01 00 00", "MODE SENSE(10)", "in 256", "-"],
  ["5E 00 00 00 00 00 00 20 00 00", "PERSISTENT RESERVE IN", "in 8192", "-"],
  ["5F 01 05 00 00 00 00 00 18 00", "PERSISTENT RESERVE OUT", "out 24", "-"],
  ["5F 01 05 00 00 00 01 00 00 00", "PERSISTENT RESERVE OUT", "out 65536", "-"],
  ["7F 00 00 00 00 00 00 18 00 09", "READ(32)", "none 0", "-"],
  ["7F 00 00 00 00 00 00 18 77 77", "VARIABLE LENGTH CDB", "none 0", "-"],
  ["83 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", "EXTENDED COPY(LID1)", "out 256", "-"],
  ["84 03 00 00 00 00 00 00 00 00 00 00 01 00 00 00", "RECEIVE COPY OPERATING PARAMETERS", "in 256", "-"],
  ["85 08 0E 00 00 00 01 00 00 00 00 00 00 00 EC 00", "ATA PASS-THROUGH(16)", "in 512", "-"],
  ["85 0A 06 00 00 00 02 00 00 00 00 00 00 00 30 00", "ATA PASS-THROUGH(16)", "out 1024", "-"],
  ["85 08 09 00 07 00 00 00 00 00 00 00 00 00 00 00", "ATA PASS-THROUGH(16)", "in 7", "-"],
  ["85 06 20 00 00 00 01 00 00 00 00 00 00 00 E5 00", "ATA PASS-THROUGH(16)", "none 0", "-"],
  ["A1 08 0E 00 02 00 00 00 00 EC 00 00", "ATA PASS-THROUGH(12)", "in 1024", "-"],
  ["A1 08 1E 00 02 00 00 00 00 EC 00 00", "ATA PASS-THROUGH(12)", "in 1024", "-"],
  ["88 00 00 00 00 01 00 00 00 02 00 00 00 03 00 00", "READ(16)", "in 1536", "4294967298+3"],
  ["89 00 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "COMPARE AND WRITE", "out 3072", "2+3"],
  ["8A 00 00 00 00 00 00 00 00 02 00 01 00 00 00 00", "WRITE(16)", "out 33554432", "2+65536"],
  ["8F 02 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "VERIFY(16)", "out 1536", "2+3"],
  ["91 00 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "SYNCHRONIZE CACHE(16)", "none 0", "2+3"],
  ["93 00 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "WRITE SAME(16)", "out 512", "2+3"],
  ["93 09 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "WRITE SAME(16)", "none 0", "2+3"],
  ["9C 00 00 00 00 00 00 00 00 02 00 00 00 03 00 00", "WRITE ATOMIC(16)", "out 1536", "2+3"],
  ["9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00", "READ CAPACITY(16)", "in 32", "-"],
  ["9E 1F 00 00 00 00 00 00 00 00 00 00 00 20 00 00", "SERVICE ACTION IN(16)", "in 32", "-"],
  ["9E 11 00 00 00 00 00 00 00 00 00 00 02 08 00 00", "READ LONG(16)", "in 520", "-"],
  ["9F 12 00 00 00 00 00 00 00 01 00 00 00 02 00 00", "WRITE SCATTERED(16)", "out 1024", "-"],
  ["A0 00 00 00 00 00 00 00 10 00 00 00", "REPORT LUNS", "in 4096", "-"],
  ["A2 00 00 00 80 00 00 00 00 02 00 00", "SECURITY PROTOCOL IN", "in 1024", "-"],
  ["B5 00 00 00 00 00 00 00 00 02 00 00", "SECURITY PROTOCOL OUT", "out 2", "-"],
  ["A3 0A 00 00 00 00 00 00 02 00 00 00", "REPORT TARGET PORT GROUPS", "in 512", "-"],
  ["A8 00 00 00 00 01 00 00 00 02 00 00", "READ(12)", "in 1024", "1+2"],
  ["AA 00 00 00 00 01 00 00 00 02 00 00", "WRITE(12)", "out 1024", "1+2"],
  ["C0 00 00 00 00 00 00 00 02 00", "UNKNOWN COMMAND (C0h)", "none 0", "-"],
  ["06 00 00 00 02 00", "UNKNOWN COMMAND (06h)", "none 0", "-"],
];

/** Direction, offset and size of the field that counts the bytes, and the commands (operation code, or it and the service action) */
const BYTE_COUNTS: readonly (readonly [direction: string, at: number, size: number, commands: string])[] = [
  ["in", 4, 1, "03 1A"],
  ["out", 4, 1, "15"],
  ["in", 3, 2, "12 1C"],
  ["out", 3, 2, "1D"],
  ["in", 7, 2, "37 3E 43 46 4A 4D 5A 5E"],
  ["out", 7, 2, "3F 42 48 4C 55 56 57"],
  ["in", 6, 3, "3C"],
  ["out", 6, 3, "3B"],
  ["out", 5, 4, "5F"],
  ["in", 6, 4, "A0 A2 A3/05 A3/0A A3/0B A3/0C A3/0D A3/0E A3/0F A3/10 A3/1F AB/01 AB/02 B7"],
  ["out", 6, 4, "A4/06 A4/0A A4/0B A4/0C A4/0E A4/0F A4/10 A4/1F A9 B5"],
  ["in", 10, 4, "84/00 84/01 84/03 84/04 84/05 84/06 84/07 84/08 84/1F 86 8C 95/00 95/01 9B"],
  ["in", 10, 4, "9E/10 9E/12 9E/13 9E/14 9E/16 9E/17 9E/1F"],
  ["out", 10, 4, "83/00 83/01 83/10 83/11 83/1F 87 8D 9F/1F"],
  ["in", 12, 2, "9E/11"],
  ["out", 12, 2, "9F/11"],
];

/** Names by service action; the last of each is that of an operation code with a service action nobody knows. */
const SERVICE_ACTIONS: readonly (readonly [command: string, name: string])[] = [
  ["83/00", "EXTENDED COPY(LID1)"],
  ["83/01", "EXTENDED COPY(LID4)"],
  ["83/10", "POPULATE TOKEN"],
  ["83/11", "WRITE USING TOKEN"],
  ["83/1C", "COPY OPERATION ABORT"],
  ["83/1F", "THIRD-PARTY COPY OUT"],
  ["84/00", "RECEIVE COPY STATUS(LID1)"],
  ["84/01", "RECEIVE COPY DATA(LID1)"],
  ["84/03", "RECEIVE COPY OPERATING PARAMETERS"],
  ["84/04", "RECEIVE COPY FAILURE DETAILS(LID1)"],
  ["84/05", "RECEIVE COPY STATUS(LID4)"],
  ["84/06", "RECEIVE COPY DATA(LID4)"],
  ["84/07", "RECEIVE ROD TOKEN INFORMATION"],
  ["84/08", "REPORT ALL ROD TOKENS"],
  ["84/1F", "THIRD-PARTY COPY IN"],
  ["95/00", "REPORT ZONES"],
  ["95/1F", "ZBC IN"],
  ["9E/10", "READ CAPACITY(16)"],
  ["9E/11", "READ LONG(16)"],
  ["9E/12", "GET LBA STATUS"],
  ["9E/13", "REPORT REFERRALS"],
  ["9E/14", "STREAM CONTROL"],
  ["9E/15", "BACKGROUND CONTROL"],
  ["9E/16", "GET STREAM STATUS"],
  ["9E/17", "GET PHYSICAL ELEMENT STATUS"],
  ["9E/18", "REMOVE ELEMENT AND TRUNCATE"],
  ["9E/19", "RESTORE ELEMENTS AND REBUILD"],
  ["9E/1F", "SERVICE ACTION IN(16)"],
  ["9F/11", "WRITE LONG(16)"],
  ["9F/12", "WRITE SCATTERED(16)"],
  ["9F/1F", "SERVICE ACTION OUT(16)"],
  ["A3/05", "REPORT IDENTIFYING INFORMATION"],
  ["A3/0A", "REPORT TARGET PORT GROUPS"],
  ["A3/0B", "REPORT ALIASES"],
  ["A3/0C", "REPORT SUPPORTED OPERATION CODES"],
  ["A3/0D", "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS"],
  ["A3/0E", "REPORT PRIORITY"],
  ["A3/0F", "REPORT TIMESTAMP"],
  ["A3/10", "MANAGEMENT PROTOCOL IN"],
  ["A3/1F", "MAINTENANCE IN"],
  ["A4/06", "SET IDENTIFYING INFORMATION"],
  ["A4/0A", "SET TARGET PORT GROUPS"],
  ["A4/0B", "CHANGE ALIASES"],
  ["A4/0C", "REMOVE I_T NEXUS"],
  ["A4/0E", "SET PRIORITY"],
  ["A4/0F", "SET TIMESTAMP"],
  ["A4/10", "MANAGEMENT PROTOCOL OUT"],
  ["A4/1F", "MAINTENANCE OUT"],
  ["AB/01", "READ MEDIA SERIAL NUMBER"],
  ["AB/1F", "SERVICE ACTION IN(12)"],
];

/** Commands that never have data. */
const WITHOUT_DATA = "00 01 0B 16 17 1B 1E 2B 34 35 38 7F 83/1C 90 91 94 9E/15 9E/18 9E/19";

/** Commands that move as many blocks as they address, by CDB layout: offset and size of LBA and of the number of blocks. */
const BLOCK_COUNTS: readonly (readonly [
  direction: string,
  lba: readonly [number, number],
  count: readonly [number, number],
  commands: string,
])[] = [
  ["in", [1, 3], [4, 1], "08"],
  ["out", [1, 3], [4, 1], "0A"],
  ["in", [2, 4], [7, 2], "28 52"],
  ["out", [2, 4], [7, 2], "2A 2E 50 51 53"],
  ["in", [2, 4], [6, 4], "A8"],
  ["out", [2, 4], [6, 4], "AA AE"],
  ["in", [2, 8], [10, 4], "88"],
  ["out", [2, 8], [10, 4], "8A 8B 8E"],
  ["out", [2, 8], [12, 2], "9A 9C"],
];

/** A CDB of 16 bytes with operation code and service action, all else zero. */
function blank(command: string): Uint8Array {
  const [opcode = "", serviceAction = "00"] = command.split("/");
  return Uint8Array.of(Number.parseInt(opcode, 16), Number.parseInt(serviceAction, 16), ...new Uint8Array(14));
}

describe("the table of commands", () => {
  for (const [cdb, name, transfer, access] of CASES) {
    it(`knows ${cdb} as ${name}`, () => {
      const data = bytes(cdb);
      expect(opcodeName(data)).to.equal(name);
      const { direction, bytes: count } = expectedTransfer(data, BLOCK);
      expect(`${direction} ${count}`).to.equal(transfer);
      const range = blockAccess(data);
      expect(range === null ? "-" : `${range.lba}+${range.blocks}`).to.equal(access);
    });
  }

  for (const [direction, at, size, commands] of BYTE_COUNTS) {
    it(`finds the byte count of ${commands} in ${size} bytes from ${at}`, () => {
      for (const command of commands.split(" ")) {
        const cdb = blank(command);
        let expected = 0;
        for (let i = 0; i < size; i += 1) {
          cdb[at + i] = 0x11 * (i + 1);
          expected = expected * 256 + 0x11 * (i + 1);
        }
        expect(expectedTransfer(cdb, BLOCK), command).to.deep.equal({ direction, bytes: expected });
        expect(blockAccess(cdb), command).to.equal(null);
      }
    });
  }

  for (const [direction, [lbaAt, lbaSize], [countAt, countSize], commands] of BLOCK_COUNTS) {
    it(`finds the blocks of ${commands}`, () => {
      for (const command of commands.split(" ")) {
        const cdb = blank(command);
        cdb[lbaAt] = lbaSize === 8 ? 0 : 0x12;
        cdb[lbaAt + lbaSize - 2] = 0x34;
        cdb[lbaAt + lbaSize - 1] = 0x56;
        cdb[countAt] = 0x02;
        cdb[countAt + countSize - 1] = 0x03;
        const lba = (lbaSize === 8 ? 0 : 0x12 * 256 ** (lbaSize - 1)) + 0x3456;
        const blocks = countSize === 1 ? 3 : 2 * 256 ** (countSize - 1) + 3;
        expect(blockAccess(cdb), command).to.deep.equal({ lba, blocks });
        expect(expectedTransfer(cdb, BLOCK), command).to.deep.equal({ direction, bytes: blocks * BLOCK });
      }
    });
  }

  it("knows which commands have no data, whatever their bytes", () => {
    for (const command of WITHOUT_DATA.split(" ")) {
      const cdb = blank(command);
      cdb.fill(0xff, 2);
      expect(opcodeName(cdb), command).to.not.contain("UNKNOWN");
      expect(expectedTransfer(cdb, BLOCK), command).to.deep.equal({ direction: "none", bytes: 0 });
    }
    expect(expectedTransfer(blank("07"), BLOCK)).to.deep.equal({ direction: "out", bytes: 4 });
  });

  it("names commands by their service action", () => {
    for (const [command, name] of SERVICE_ACTIONS) expect(opcodeName(blank(command)), command).to.equal(name);
  });

  it("names commands of variable length by their service action", () => {
    const names = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1800, 0x1ff0].map((serviceAction) => {
      const cdb = blank("7F");
      cdb[8] = serviceAction >> 8;
      cdb[9] = serviceAction & 0xff;
      return opcodeName(cdb);
    });
    expect(names.join(", ")).to.equal(
      "READ(32), VERIFY(32), WRITE(32), WRITE AND VERIFY(32), WRITE SAME(32), RECEIVE CREDENTIAL, ATA PASS-THROUGH(32)",
    );
  });

  it("counts blocks of the device's size", () => {
    expect(expectedTransfer(bytes("28 00 00 00 00 01 00 00 08 00"), 4096).bytes).to.equal(32768);
    expect(expectedTransfer(bytes("A1 08 1E 00 02 00 00 00 00 EC 00 00"), 4096).bytes).to.equal(8192);
  });

  it("does not lose bits of a 64-bit LBA below 2^53", () => {
    expect(blockAccess(bytes("88 00 00 1F FF FF FF FF FF FF 00 00 00 01 00 00"))?.lba).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it("agrees with the encoders of persistent reservations", () => {
    const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register" });
    expect(expectedTransfer(cdb, BLOCK)).to.deep.equal({ direction: "out", bytes: dataOut.length });
    const request = PersistentReserveIn.readFullStatus(4000);
    expect(expectedTransfer(request.cdb, BLOCK)).to.deep.equal({ direction: "in", bytes: 4000 });
    expect(serviceActionOf(request.cdb)).to.equal(3);
  });

  it("has each command once", () => {
    const ids = COMMANDS.map((row) => `${row.opcode} ${row.serviceAction}`);
    expect(new Set(ids).size).to.equal(ids.length);
    const names = COMMANDS.map((row) => row.name);
    expect(new Set(names).size).to.equal(names.length);
  });

  it("names the constants as they are called", () => {
    for (const [constant, opcode] of Object.entries(Opcode)) {
      const row = COMMANDS.find((candidate) => candidate.opcode === opcode && candidate.serviceAction === null);
      expect(row?.name.replaceAll(/[()\- ]+/g, "_").replace(/_$/, ""), constant).to.equal(constant);
    }
  });

  it("gives the length of CDBs by group", () => {
    const lengths = [0x00, 0x1f, 0x20, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff].map(cdbLengthOf);
    expect(lengths).to.deep.equal([6, 6, 10, 10, null, null, 16, 16, 12, 12, null, null]);
  });

  it("answers any CDB, also one cut at any byte", () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom(512, 4096), (cdb, blockSizeBytes) => {
        for (let end = 0; end <= Math.min(cdb.length, 20); end += 1) {
          const cut = cdb.subarray(0, end);
          const transfer = expectedTransfer(cut, blockSizeBytes);
          expect(transfer.direction === "none").to.equal(transfer.bytes === 0);
          expect(transfer.bytes).to.satisfy((count: number) => Number.isSafeInteger(count) && count >= 0);
          blockAccess(cut);
          expect(opcodeName(cut)).to.not.equal("");
          expect(serviceActionOf(cut)).to.be.within(0, 0xffff);
        }
      }),
    );
  });
});
