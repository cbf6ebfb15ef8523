import { expect } from "chai";
import { hex } from "../support/hex.js";
import { disk, KEYS } from "./support.js";
import type { Disk } from "./support.js";

describe("LOG SENSE", () => {
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
  });
  afterEach(async () => san.fabric.close());

  const pages: readonly (readonly [string, string, string])[] = [
    ["lists its pages", "4d 00 40 00 00 00 00 00 ff 00", "00000003000d2f"],
    ["lists them with their subpages", "4d 00 40 ff 00 00 00 00 ff 00", "40ff0008000000ff0d002f00"],
    ["has temperatures, the present one and what disks stand", "4d 00 4d 00 00 00 00 00 ff 00", "0d00000c000003020019000103020041"],
    ["has them from a parameter on", "4d 00 4d 00 00 00 01 00 ff 00", "0d000006000103020041"],
    ["has no informational exception", "4d 00 6f 00 00 00 00 00 ff 00", "2f0000080000030400001941"],
    ["has one value, whatever the page control", "4d 00 2f 00 00 00 00 00 ff 00", "2f0000080000030400001941"],
    ["is cut at the allocation length", "4d 00 6f 00 00 00 00 00 04 00", "2f000008"],
    ["may be asked for nothing", "4d 00 6f 00 00 00 00 00 00 00", ""],
  ];
  for (const [what, cdb, expected] of pages) {
    it(what, async () => {
      const { dataIn, status } = await san.send("A", cdb);
      expect([status, hex(dataIn)]).to.deep.equal([0, expected]);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ["a page there is not", "4d 00 50 00 00 00 00 00 ff 00"],
    ["a subpage there is not", "4d 00 4d 01 00 00 00 00 ff 00"],
    ["all subpages of a page", "4d 00 4d ff 00 00 00 00 ff 00"],
    ["another subpage of the list", "4d 00 40 01 00 00 00 00 ff 00"],
    ["a parameter beyond the last", "4d 00 4d 00 00 00 02 00 ff 00"],
    ["a parameter of the list", "4d 00 40 00 00 00 01 00 ff 00"],
    ["to save", "4d 01 4d 00 00 00 00 00 ff 00"],
    ["PPC", "4d 02 4d 00 00 00 00 00 ff 00"],
  ];
  for (const [what, cdb] of refused) {
    it(`refuses ${what}`, async () => {
      expect(await san.try("A", cdb)).to.equal("05/24/00");
    });
  }

  it("is among what `smartctl --health` 7.3 asks, which finds nothing wrong", async () => {
    const asked: readonly (readonly [string, string?])[] = [
      ["12 01 00 00 fc 00"],
      ["12 00 00 00 24 00"],
      ["1a 00 1c 00 40 00", "1700100800000800000002001c0a00000000000000000000"],
      ["4d 00 40 00 00 00 00 00 04 00", "00000003"],
      ["4d 00 40 00 00 00 00 00 08 00", "00000003000d2f"],
      ["4d 00 40 ff 00 00 00 3e fc 00", "40ff0008000000ff0d002f00"],
      ["4d 00 6f 00 00 00 00 00 04 00", "2f000008"],
      ["4d 00 6f 00 00 00 00 00 0c 00", "2f0000080000030400001941"],
      ["03 00 00 00 12 00", "700000000000000a00000000000000000000"],
      ["4d 00 4d 00 00 00 00 00 04 00", "0d00000c"],
      ["4d 00 4d 00 00 00 00 00 10 00", "0d00000c000003020019000103020041"],
    ];
    for (const [cdb, expected] of asked) {
      const { dataIn, status } = await san.send("A", cdb);
      expect(status, cdb).to.equal(0);
      if (expected !== undefined) expect(hex(dataIn), cdb).to.equal(expected);
    }
  });

  it("is listed, goes through every reservation, and works on a stopped unit", async () => {
    expect(hex((await san.send("A", "a3 0c 01 4d 00 00 00 00 ff ff 00 00")).dataIn)).to.equal("0003000a4d033fff00ffffffff04");
    await san.register("A");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 });
    expect(await san.try("A", "1b 00 00 00 00 00")).to.equal("GOOD");
    expect(await san.try("B", "4d 00 6f 00 00 00 00 00 ff 00")).to.equal("GOOD");
  });
});
