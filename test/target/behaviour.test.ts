import { expect } from "chai";
import { QomError } from "#src/base/errors.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { TargetBehaviour } from "#src/target/behaviour.js";
import { hex } from "../support/hex.js";
import { temporaryFolder } from "../support/folder.js";
import { command, disk, KEYS, nexus, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";

const READ_KEYS = "5e 00 00 00 00 00 00 00 08 00";
const ALL_COMMANDS = "a3 0c 00 00 00 00 00 00 ff ff 00 00";

/** Operation codes that REPORT SUPPORTED OPERATION CODES lists. */
function listed(report: Uint8Array): Set<number> {
  const codes = new Set<number>();
  for (let at = 4; at < report.length; at += 8) codes.add(report[at] ?? 0);
  return codes;
}

describe("disks without persistent reservations", () => {
  const { path } = temporaryFolder();
  const without = { behaviour: { persistentReservations: false } };

  it("have neither command, and do not list them; RESERVE of SPC-2 is theirs still", async () => {
    const san = await disk({}, without);
    expect(await san.try("A", READ_KEYS)).to.equal("05/20/00");
    expect(await san.reserveOut("A", { action: "register", serviceActionKey: 1n })).to.equal("05/20/00");
    const codes = listed((await san.send("A", ALL_COMMANDS)).dataIn);
    expect([codes.has(0x5e), codes.has(0x5f), codes.has(0x16), codes.has(0x2a)]).to.deep.equal([false, false, true, true]);
    expect(hex((await san.send("A", "a3 0c 03 5f 00 00 00 00 ff ff 00 00")).dataIn)).to.equal("00010000");
    expect(await san.try("A", "16 00 00 00 00 00")).to.equal("GOOD");
    expect(await san.try("B", "00 00 00 00 00 00")).to.equal("RC");
    await san.fabric.close();
  });

  it("are what stands for real disks, too", async () => {
    const fabric = new Fabric(without);
    expect(outcome(await fabric.shadow("dev:8:16").execute(nexus("A1"), command(READ_KEYS)))).to.equal("05/20/00");
    await fabric.close();
  });

  it("keep nobody out by what a folder has, and leave that alone", async () => {
    const stateDir = path("state");
    const open = async (behaviour: Partial<TargetBehaviour>): Promise<Fabric> => Fabric.open({ stateDir, behaviour });
    const before = await open({});
    const unit = await before.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    const send = async (who: string, fabric: Fabric, cdb: string, dataOut?: string): Promise<string> => {
      const rest = dataOut === undefined ? {} : { dataOut: Buffer.from(dataOut, "hex") };
      return outcome(await fabric.unit(unit.wwn).execute(nexus(who), command(cdb, rest)));
    };
    const list = (key: string, own: string, aptpl: string): string =>
      `${key.padStart(16, "0")}${own.padStart(16, "0")}00000000${aptpl}000000`;
    expect(await send("A1", before, "5f 00 00 00 00 00 00 00 18 00", list("0", "1", "01"))).to.equal("GOOD");
    expect(await send("A1", before, "5f 01 03 00 00 00 00 00 18 00", list("1", "0", "00"))).to.equal("GOOD");
    await before.close();
    const bare = await open(without.behaviour);
    await bare.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    expect(await send("B1", bare, "28 00 00 00 00 00 00 00 01 00")).to.equal("GOOD");
    await bare.powerCycle();
    expect(await send("B1", bare, "00 00 00 00 00 00")).to.equal("06/29/00");
    expect(await send("B1", bare, "28 00 00 00 00 00 00 00 01 00")).to.equal("GOOD");
    await bare.close();
    const after = await open({});
    await after.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    expect(await send("B1", after, "28 00 00 00 00 00 00 00 01 00")).to.equal("RC");
    await after.close();
  });
});

describe("disks with few reservations", () => {
  it("have the types that they should, list those, and refuse others by RESERVE and PREEMPT", async () => {
    const san = await disk({}, { behaviour: { types: [1, 5] } });
    await san.register("A", "B");
    const { dataIn } = await san.send("A", "5e 02 00 00 00 00 00 00 08 00");
    const capabilities = PersistentReserveIn.parse("report-capabilities", dataIn);
    expect("types" in capabilities ? capabilities.types : null).to.deep.equal([1, 5]);
    for (const type of [3, 6, 7, 8] as const) {
      expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type }), `type ${type}`).to.equal("05/24/00");
    }
    expect(san.unit.reservations.reservation).to.equal(null);
    expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 })).to.equal("GOOD");
    expect(await san.reserveOut("B", { action: "preempt", key: KEYS.B, serviceActionKey: KEYS.A, type: 3 })).to.equal("05/24/00");
    expect(await san.reserveOut("B", { action: "preempt", key: KEYS.B, serviceActionKey: KEYS.A, type: 1 })).to.equal("GOOD");
    await san.fabric.close();
  });

  it("have room for that many registrations; a change of a key needs none", async () => {
    const san = await disk({}, { behaviour: { registrationsMax: 2 } });
    await san.register("A", "B");
    expect(await san.reserveOut("C", { action: "register", serviceActionKey: KEYS.C })).to.equal("05/55/04");
    expect(await san.reserveOut("C", { action: "register-and-ignore-existing-key", serviceActionKey: KEYS.C })).to.equal("05/55/04");
    expect(await san.reserveOut("A", { action: "register", key: KEYS.A, serviceActionKey: 9n })).to.equal("GOOD");
    expect(await san.reserveOut("A", { action: "reserve", key: 9n, type: 1 })).to.equal("GOOD");
    const move = { action: "register-and-move", key: 9n, serviceActionKey: 5n, relativeTargetPort: 1 } as const;
    const transportIds = [nexus("C1").initiator];
    expect(await san.reserveOut("A", { ...move, transportIds })).to.equal("05/55/04");
    expect(await san.reserveOut("A", { ...move, transportIds, unregister: true }), "makes its own room").to.equal("GOOD");
    expect(await san.reserveOut("B", { action: "register", key: KEYS.B, serviceActionKey: 0n })).to.equal("GOOD");
    const both = { action: "register", serviceActionKey: 7n, transportIds: [nexus("D1").initiator] } as const;
    expect(await san.reserveOut("A", both), "two at once").to.equal("05/55/04");
    expect(await san.reserveOut("A", { action: "register", serviceActionKey: 7n })).to.equal("GOOD");
    await san.fabric.close();
  });
});

describe("behaviour that there is not", () => {
  const { path } = temporaryFolder();
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ["an unknown member", { persistentReservation: false }, /no behaviour is named 'persistentReservation'/],
    ["a member of every object", { toString: true }, /no behaviour is named 'toString'/],
    ["a switch that is none", { allTargetPorts: "yes" }, /behaviour\.allTargetPorts is 'yes' and not true or false/],
    ["no types", { types: [] }, /behaviour\.types is [^]+ and not a list of different types of 1, 3, 5, 6, 7, 8/],
    ["an obsolete type", { types: [1, 2] }, /behaviour\.types is [^]+ and not a list of different types of 1, 3, 5, 6, 7, 8/],
    ["a type twice", { types: [1, 1] }, /behaviour\.types is [^]+ and not a list of different types of 1, 3, 5, 6, 7, 8/],
    ["a type as text", { types: ["1"] }, /behaviour\.types is [^]+ and not a list of different types of 1, 3, 5, 6, 7, 8/],
    ["types that are no list", { types: 1 }, /behaviour\.types is [^]+ and not a list of different types of 1, 3, 5, 6, 7, 8/],
    ["no room at all", { registrationsMax: 0 }, /behaviour\.registrationsMax is 0 and not a number of registrations, 1 to 1000000/],
    ["too much room", { registrationsMax: 1_000_001 }, /registrationsMax/],
    ["a part of a registration", { registrationsMax: 1.5 }, /registrationsMax/],
    ["a number as text", { registrationsMax: "2" }, /registrationsMax/],
  ];
  for (const [what, behaviour, message] of wrong) {
    it(`${what} is refused`, () => {
      expect(() => new Fabric({ behaviour })).to.throw(message);
    });
  }

  it("a fabric that is refused for it does not keep its folder", async () => {
    const stateDir = path("refused");
    const behaviour: object = { types: [] };
    const refused = await Fabric.open({ stateDir, behaviour }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(QomError);
    await (await Fabric.open({ stateDir })).close();
  });

  it("a member that is undefined is left out, and a list is copied", async () => {
    const types: (1 | 3)[] = [1];
    const behaviour: object = { types, registrationsMax: undefined, allTargetPorts: undefined };
    const san = await disk({}, { behaviour });
    types[0] = 3;
    await san.register("A");
    expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 })).to.equal("05/24/00");
    expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 1 })).to.equal("GOOD");
    await san.fabric.close();
  });
});
