import { expect } from "chai";
import { hex } from "../support/hex.js";
import { disk } from "./support.js";
import type { Disk } from "./support.js";

describe("how a unit is", () => {
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
  });
  afterEach(async () => san.fabric.close());

  it("TEST UNIT READY is GOOD, and leaves a buffer empty", async () => {
    const { status, residual } = await san.send("A", "00 00 00 00 00 00", { allocationLength: 64 });
    expect([status, residual]).to.deep.equal([0, 64]);
  });

  it("REQUEST SENSE has nothing to tell", async () => {
    const { dataIn, status } = await san.send("A", "03 00 00 00 12 00");
    expect(status).to.equal(0);
    expect(hex(dataIn)).to.equal("700000000000000a00000000000000000000");
    expect(await san.try("A", "03 01 00 00 12 00"), "descriptor format").to.equal("05/24/00");
  });

  const startStop: readonly (readonly [string, string, string])[] = [
    ["start", "1b 00 00 00 01 00", "GOOD"],
    ["stop", "1b 00 00 00 00 00", "GOOD"],
    ["stop without flush", "1b 00 00 00 04 00", "GOOD"],
    ["eject", "1b 00 00 00 02 00", "05/24/00"],
    ["a power condition", "1b 00 00 00 10 00", "05/24/00"],
  ];
  for (const [what, cdb, expected] of startStop) {
    const ready = what.startsWith("stop") ? "02/04/02" : "GOOD";
    it(`START STOP UNIT, ${what}: ${expected}; a read is ${ready} then`, async () => {
      expect(await san.try("A", cdb)).to.equal(expected);
      expect(await san.try("A", "28 00 00 00 00 00 00 00 01 00")).to.equal(ready);
    });
  }

  describe("stopped", () => {
    const STOP = "1b 00 00 00 00 00";
    const START = "1b 00 00 00 01 00";
    const TUR = "00 00 00 00 00 00";
    const NOT_READY = "02/04/02";
    beforeEach(async () => {
      expect(await san.try("A", STOP)).to.equal("GOOD");
    });

    const refused: readonly (readonly [string, string, number?])[] = [
      ["TEST UNIT READY", TUR],
      ["READ(6)", "08 00 00 00 01 00"],
      ["READ(16)", "88 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00"],
      ["READ beyond the end", "28 00 ff ff ff ff 00 00 01 00"],
      ["WRITE(10)", "2a 00 00 00 00 00 00 00 01 00", 512],
      ["WRITE AND VERIFY(10)", "2e 00 00 00 00 00 00 00 01 00", 512],
      ["VERIFY(10)", "2f 00 00 00 00 00 00 00 01 00"],
      ["COMPARE AND WRITE", "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 1024],
      ["SYNCHRONIZE CACHE(10)", "35 00 00 00 00 00 00 00 00 00"],
      ["SYNCHRONIZE CACHE(16)", "91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"],
      ["WRITE SAME(16)", "93 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", 512],
      ["UNMAP", "42 00 00 00 00 00 00 00 08 00", 8],
    ];
    for (const [what, cdb, length] of refused) {
      it(`${what}: ${NOT_READY}, from every nexus`, async () => {
        const rest = length === undefined ? {} : { dataOut: new Uint8Array(length) };
        for (const who of ["A", "B"] as const) expect(await san.try(who, cdb, rest), who).to.equal(NOT_READY);
      });
    }

    const goesOn: readonly (readonly [string, string])[] = [
      ["INQUIRY", "12 00 00 00 60 00"],
      ["REPORT LUNS", "a0 00 00 00 00 00 00 00 00 20 00 00"],
      ["PERSISTENT RESERVE IN", "5e 00 00 00 00 00 00 00 08 00"],
      ["READ CAPACITY(10)", "25 00 00 00 00 00 00 00 00 00"],
      ["MODE SENSE(6)", "1a 00 3f 00 ff 00"],
      ["REPORT SUPPORTED OPERATION CODES", "a3 0c 00 00 00 00 00 00 10 00 00 00"],
      ["REPORT TARGET PORT GROUPS", "a3 0a 00 00 00 00 00 00 10 00 00 00"],
      ["RESERVE(6)", "16 00 00 00 00 00"],
    ];
    for (const [what, cdb] of goesOn) {
      it(`${what} goes on`, async () => {
        expect(await san.try("A", cdb)).to.equal("GOOD");
        expect(await san.try("A", TUR)).to.equal(NOT_READY);
      });
    }

    it("REQUEST SENSE says why, after the unit attentions", async () => {
      expect(hex((await san.send("A", "03 00 00 00 12 00")).dataIn)).to.equal("700002000000000a00000000040200000000");
      await san.unit.reset("i-t-nexus", san.nexuses.A);
      expect(hex((await san.send("A", "03 00 00 00 12 00")).dataIn)).to.equal("700006000000000a00000000290700000000");
      expect(hex((await san.send("A", "03 00 00 00 12 00")).dataIn)).to.equal("700002000000000a00000000040200000000");
    });

    it("reservations go on, and a conflict counts first", async () => {
      await san.register("A", "B");
      expect(await san.reserveOut("A", { action: "reserve", key: 1n, type: 3 })).to.equal("GOOD");
      expect(await san.try("B", "28 00 00 00 00 00 00 00 01 00")).to.equal("RC");
      expect(await san.try("B", TUR)).to.equal(NOT_READY);
      expect(await san.try("B", STOP)).to.equal("RC");
      expect(await san.try("B", START), "START = 1 is free").to.equal("GOOD");
      expect(await san.try("A", TUR)).to.equal("GOOD");
    });

    it("a unit attention counts first", async () => {
      await san.unit.reset("i-t-nexus", san.nexuses.A);
      expect([await san.try("A", TUR), await san.try("A", TUR)]).to.deep.equal(["06/29/07", NOT_READY]);
    });

    it("ends by START = 1 of any nexus, a reset of the unit or the target, and power on", async () => {
      expect(await san.try("B", START)).to.equal("GOOD");
      expect(await san.try("A", TUR)).to.equal("GOOD");
      for (const kind of ["logical-unit", "target"] as const) {
        await san.try("A", STOP);
        await san.unit.reset(kind, san.nexuses.B);
        expect([await san.try("A", TUR), await san.try("A", TUR)], kind).to.deep.equal([
          kind === "target" ? "06/29/02" : "06/29/03",
          "GOOD",
        ]);
      }
      await san.try("A", STOP);
      await san.fabric.powerCycle();
      expect([await san.try("A", TUR), await san.try("A", TUR)]).to.deep.equal(["06/29/00", "GOOD"]);
    });

    it("a power condition changes nothing", async () => {
      expect(await san.try("A", "1b 00 00 00 11 00")).to.equal("05/24/00");
      expect(await san.try("A", TUR)).to.equal(NOT_READY);
    });
  });

  it("NACA = 1 is refused by every command", async () => {
    for (const cdb of ["00 00 00 00 00 04", "12 00 00 00 60 04", "28 00 00 00 00 00 00 00 01 04", "5e 00 00 00 00 00 00 00 08 04"]) {
      expect(await san.try("A", cdb), cdb).to.equal("05/24/00");
    }
    expect(await san.try("A", "5f 00 00 00 00 00 00 00 18 04", { dataOut: new Uint8Array(24).fill(1, 8, 16) })).to.equal("05/24/00");
    expect(san.unit.reservations.registrants).to.deep.equal([]);
  });

  it("a CDB that is empty, too long or cut is refused", async () => {
    expect(await san.try("A", "")).to.equal("05/24/00");
    expect(await san.try("A", "00".repeat(17))).to.equal("05/24/00");
    expect(await san.try("A", "28 00 00 00 00 00")).to.equal("05/24/00");
    expect(await san.try("A", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), "a longer one is not").to.equal("GOOD");
  });

  describe("mode pages", () => {
    it("MODE SENSE tells of all, with a block descriptor unless that is disabled", async () => {
      const six = (await san.send("A", "1a 00 3f 00 ff 00")).dataIn;
      expect(hex(six.subarray(0, 12))).to.equal("430010080000080000000200");
      expect(hex(six.subarray(12, 24))).to.equal("010a80000000000000000000");
      expect([six[24], six[25], six[44], six[45]]).to.deep.equal([0x08, 0x12, 0x0a, 0x0a]);
      expect(hex(six.subarray(56))).to.equal("1c0a00000000000000000000");
      const ten = (await san.send("A", "5a 08 3f 00 00 00 00 00 ff 00")).dataIn;
      expect(hex(ten.subarray(0, 8))).to.equal("003e001000000000");
      expect(hex(ten.subarray(8))).to.equal(hex(six.subarray(12)));
    });

    it("MODE SENSE tells of one, with or without all its subpages", async () => {
      const page = (await san.send("A", "1a 08 08 00 ff 00")).dataIn;
      expect([page.length, page[4]]).to.deep.equal([24, 0x08]);
      expect(hex((await san.send("A", "1a 08 08 ff ff 00")).dataIn)).to.equal(hex(page));
    });

    it("MODE SENSE is cut at the allocation length", async () => {
      const { dataIn, residual } = await san.send("A", "1a 00 3f 00 04 00");
      expect([dataIn.length, dataIn[0], residual]).to.deep.equal([4, 0x43, 0]);
    });

    const refused: readonly (readonly [string, string, string])[] = [
      ["a page there is not", "1a 00 1d 00 ff 00", "05/24/00"],
      ["a subpage there is not", "1a 00 0a 01 ff 00", "05/24/00"],
      ["saved values", "1a 00 ca 00 ff 00", "05/39/00"],
    ];
    for (const [what, cdb, expected] of refused) {
      it(`MODE SENSE of ${what}: ${expected}`, async () => {
        expect(await san.try("A", cdb)).to.equal(expected);
      });
    }

    /** The Control page with these bytes 2 to 5. */
    const control = (flags: string): string => `0a0a${flags}000000000000`;
    const select = async (pages: string, from: "A" | "B" = "A"): Promise<string> => {
      const dataOut = Buffer.from(`00000000${pages}`, "hex");
      return san.try(from, `15 10 00 00 ${dataOut.length.toString(16).padStart(2, "0")} 00`, { dataOut });
    };
    const current = async (): Promise<string> => hex((await san.send("A", "1a 08 0a 00 ff 00")).dataIn.subarray(6, 10));

    it("MODE SELECT changes TAS, SWP and WCE, and the others are told", async () => {
      expect(await select(control("02100840"))).to.equal("GOOD");
      expect(await current()).to.equal("02100840");
      expect(await san.try("A", "00 00 00 00 00 00")).to.equal("GOOD");
      expect(await san.try("B", "00 00 00 00 00 00")).to.equal("06/2A/01");
      expect(await san.try("B", "00 00 00 00 00 00")).to.equal("GOOD");
      expect(await select(`081204${"00".repeat(17)}`)).to.equal("GOOD");
      expect((await san.send("A", "1a 08 08 00 ff 00")).dataIn[6]).to.equal(0x04);
      expect(await san.try("B", "00 00 00 00 00 00")).to.equal("06/2A/01");
    });

    it("MODE SELECT of what is so already tells nobody", async () => {
      expect(await select(control("02100000"))).to.equal("GOOD");
      expect(await san.try("B", "00 00 00 00 00 00")).to.equal("GOOD");
    });

    it("MODE SELECT changes all of it or nothing", async () => {
      expect(await select(control("02100840") + control("06100000"))).to.equal("05/26/00");
      expect(await current()).to.equal("02100000");
    });

    it("MODE SENSE tells what can be changed, and what the values were at power on", async () => {
      await select(control("02100840"));
      const changeable = (await san.send("A", "1a 08 4a 00 ff 00")).dataIn;
      for (const [at, mask] of [
        [8, 0x08],
        [9, 0x40],
      ] as const) {
        expect((changeable[at] ?? 0) & mask).to.equal(mask);
      }
      expect(hex((await san.send("A", "1a 08 8a 00 ff 00")).dataIn.subarray(6, 10))).to.equal("02100000");
    });

    it("a reset takes the values of power on", async () => {
      await select(control("02100840"));
      await san.unit.reset("logical-unit", san.nexuses.B);
      expect(await san.try("A", "00 00 00 00 00 00")).to.equal("06/29/03");
      expect(await current()).to.equal("02100000");
    });

    const wrong: readonly (readonly [string, string, string, string])[] = [
      ["without PF", "15 00 00 00 10 00", "00000000" + control("02100000"), "05/24/00"],
      ["with SP", "15 11 00 00 10 00", "00000000" + control("02100000"), "05/24/00"],
      ["shorter than announced", "15 10 00 00 20 00", "00000000" + control("02100000"), "05/1A/00"],
      ["of less than a header", "15 10 00 00 03 00", "000000", "05/1A/00"],
      ["with a page that is cut", "15 10 00 00 0f 00", "00000000" + control("02100000").slice(0, 22), "05/1A/00"],
      ["with a page there is not", "15 10 00 00 06 00", "000000001d00", "05/26/00"],
      ["with a page that cannot be changed", "15 10 00 00 10 00", "000000001c0a08000000000000000000", "05/26/00"],
      ["of a page that cannot be changed, as it is", "15 10 00 00 10 00", "00000000010a80000000000000000000", "GOOD"],
      ["with a page of another length", "15 10 00 00 0e 00", "000000000a0802100000000000ff", "05/26/00"],
      ["with a bit that cannot be changed", "15 10 00 00 10 00", "00000000" + control("22100000"), "05/26/00"],
      ["with another capacity", "15 10 00 00 0c 00", "000000080000000100000200", "05/26/00"],
      ["with another block length", "15 10 00 00 0c 00", "000000080000080000001000", "05/26/00"],
      ["of nothing", "15 10 00 00 00 00", "", "GOOD"],
      ["of what the unit is", "15 10 00 00 0c 00", "000000080000080000000200", "GOOD"],
      ["(10) of what the unit is", "55 10 00 00 00 00 00 00 10 00", "00000000000000080000000000000200", "GOOD"],
      ["(10) with a page", "55 10 00 00 00 00 00 00 14 00", "0000000000000000" + control("02100000"), "GOOD"],
    ];
    for (const [what, cdb, dataOut, expected] of wrong) {
      it(`MODE SELECT ${what}: ${expected}`, async () => {
        expect(await san.try("A", cdb, { dataOut: Buffer.from(dataOut, "hex") })).to.equal(expected);
        expect(await current()).to.equal("02100000");
      });
    }
  });
});
