import { expect } from "chai";
import type { CommandInFlight } from "#src/target/unit/interference.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";
import { blocks, command, disk, KEYS, nexus } from "./support.js";
import { outcome } from "../support/outcome.js";
import type { Disk } from "./support.js";

const TUR = "00 00 00 00 00 00";
const READ_ONE = "28 00 00 00 00 00 00 00 01 00";
const WRITE_ONE = "2a 00 00 00 00 00 00 00 01 00";
const LARGE = 8 * 1024 * 1024;
const WRITE_LARGE = "aa 00 00 00 00 00 00 00 40 00 00 00";

const writes = ({ cdb }: CommandInFlight): boolean => cdb[0] === 0x2a;

describe("nexuses that come and go, and what resets them", () => {
  const { path } = temporaryFolder();
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
  });
  afterEach(async () => san.fabric.close());

  /** Block 0, as the first byte of it. */
  const blockZero = async (): Promise<number | undefined> => (await san.send("A", READ_ONE)).dataIn[0];
  const writeOne = async (from: "A" | "B" | "C", fill: number): Promise<string> => san.try(from, WRITE_ONE, { dataOut: blocks(1, fill) });

  describe("resets", () => {
    const wide = ["logical-unit", "target"] as const;
    for (const kind of wide) {
      it(`of the ${kind} aborts everything and tells every nexus; reservations stay`, async () => {
        await san.register("A", "B");
        await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
        const before = san.unit.reservations;
        const hold = san.unit.hold(writes);
        const pending = [writeOne("A", 1), writeOne("B", 2)];
        await san.unit.reset(kind, san.nexuses.B);
        expect(await Promise.all(pending)).to.deep.equal(["ABORTED", "ABORTED"]);
        hold.release();
        const attention = kind === "target" ? "06/29/02" : "06/29/03";
        for (const name of ["A", "B", "C", "A2"] as const)
          expect([await san.try(name, TUR), await san.try(name, TUR)]).to.deep.equal([attention, "GOOD"]);
        expect(san.unit.reservations).to.deep.equal(before);
        expect(await blockZero()).to.equal(0);
      });
    }

    it("of an I_T nexus aborts its commands and tells it alone", async () => {
      const hold = san.unit.hold(writes);
      const pending = [writeOne("A", 1), writeOne("B", 2)];
      await san.unit.reset("i-t-nexus", san.nexuses.A);
      expect(await pending[0]).to.equal("ABORTED");
      expect(hold.count).to.equal(1);
      hold.release();
      expect(await pending[1]).to.equal("GOOD");
      expect(await san.try("A", TUR)).to.equal("06/29/07");
      for (const name of ["A", "B", "C", "A2"] as const) expect(await san.try(name, TUR)).to.equal("GOOD");
    });

    it("take away what was said of reservations before, and are told in the order of their rank", async () => {
      await san.register("A", "B");
      await san.reserveOut("A", { action: "clear", key: KEYS.A });
      await san.unit.reset("logical-unit", san.nexuses.A);
      await san.unit.reset("target", san.nexuses.A);
      expect([await san.try("B", TUR), await san.try("B", TUR), await san.try("B", TUR)]).to.deep.equal(["06/29/02", "06/29/03", "GOOD"]);
    });

    it("leave what was said of reservations before where that is wanted", async () => {
      const keeping = await disk({}, { behaviour: { resetForgetsReservations: false } });
      await keeping.register("A", "B");
      await keeping.reserveOut("A", { action: "clear", key: KEYS.A });
      await keeping.unit.reset("logical-unit", keeping.nexuses.A);
      expect([await keeping.try("B", TUR), await keeping.try("B", TUR), await keeping.try("B", TUR)]).to.deep.equal([
        "06/29/03",
        "06/2A/03",
        "GOOD",
      ]);
      await keeping.fabric.close();
    });

    it("wait for the step that a file is at", async () => {
      const file = await disk({ filename: path("reset"), sizeBytes: LARGE });
      let ended = "";
      const pending = file.try("A", WRITE_LARGE, { dataOut: new Uint8Array(LARGE).fill(1) }).then((result) => (ended = result));
      await file.unit.reset("logical-unit", file.nexuses.B);
      expect(ended).to.equal("ABORTED");
      await pending;
      await file.fabric.close();
    });
  });

  describe("logins", () => {
    it("a nexus that appears has nothing to be told, unless that is wanted", async () => {
      const [quiet, told] = [nexus("D1"), nexus("E1")];
      san.unit.login(quiet);
      san.unit.login(told, { powerOnUnitAttention: true });
      const status = async (who: typeof quiet): Promise<string> => outcome(await san.unit.execute(who, command(TUR)));
      expect(await status(quiet)).to.equal("GOOD");
      expect([await status(told), await status(told)]).to.deep.equal(["06/29/00", "GOOD"]);
      san.unit.login(told, { powerOnUnitAttention: true });
      expect(await status(told), "it was there already").to.equal("GOOD");
    });

    it("the last logout ends the nexus: its commands, and what it was not told", async () => {
      await san.register("A", "B");
      await san.reserveOut("B", { action: "clear", key: KEYS.B });
      san.unit.login(san.nexuses.A);
      const hold = san.unit.hold(writes);
      const pending = san.unit.execute(nexus("F1"), command(WRITE_ONE, { dataOut: blocks(1, 1) }));
      san.unit.logout(nexus("F1"));
      expect(outcome(await pending)).to.equal("ABORTED");
      hold.release();
      san.unit.logout(san.nexuses.A);
      expect(await san.try("A", TUR), "one login is left").to.equal("06/2A/03");
      await san.register("A", "B");
      await san.reserveOut("B", { action: "clear", key: KEYS.B });
      san.unit.logout(san.nexuses.A);
      san.unit.login(san.nexuses.A);
      expect(await san.try("A", TUR)).to.equal("GOOD");
      san.unit.logout(nexus("Z1"));
    });

    it("registrations outlive them", async () => {
      await san.register("A");
      san.unit.logout(san.nexuses.A);
      expect(san.unit.reservations.registrants).to.have.length(1);
      san.unit.login(san.nexuses.A);
      expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 1 })).to.equal("GOOD");
    });

    it("two objects of one nexus are one nexus", async () => {
      await san.unit.reset("i-t-nexus", nexus("A1"));
      expect(await san.try("A", TUR)).to.equal("06/29/07");
      expect(outcome(await san.unit.execute(nexus("A1"), command(TUR)))).to.equal("GOOD");
    });
  });

  it("through a target port that is none are refused", async () => {
    const { initiator } = san.nexuses.A;
    for (const targetPort of [0, -1, 1.5, 0x1_0000, Number.NaN]) {
      const error = await refusal(() => san.unit.execute({ initiator, targetPort }, command(TUR)));
      expect([error.kind, error.context.option]).to.deep.equal(["invalid-value", "targetPort"]);
      expect((await refusal(() => san.unit.login({ initiator, targetPort }))).kind).to.equal("invalid-value");
    }
  });

  it("power off and on aborts everything, forgets reservations, and tells every nexus", async () => {
    await san.register("A", "B");
    await san.reserveOut("B", { action: "clear", key: KEYS.B });
    await san.register("B");
    const hold = san.unit.hold(writes);
    const pending = writeOne("B", 1);
    await san.fabric.powerCycle();
    expect(await pending).to.equal("ABORTED");
    hold.release();
    expect(san.unit.reservations).to.deep.equal({ generation: 0, registrants: [], reservation: null });
    for (const name of ["A", "B", "C"] as const)
      expect([await san.try(name, TUR), await san.try(name, TUR)]).to.deep.equal(["06/29/00", "GOOD"]);
    expect(await writeOne("C", 4)).to.equal("GOOD");
    expect(await san.try("A", "16 00 00 00 00 00")).to.equal("GOOD");
    await san.fabric.powerCycle();
    for (const name of ["A", "B"] as const) await san.try(name, TUR);
    expect(await san.try("B", "16 00 00 00 00 00"), "a reservation by RESERVE").to.equal("GOOD");
  });
});
