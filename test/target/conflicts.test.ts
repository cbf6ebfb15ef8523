import { expect } from "chai";
import { blocks, disk, KEYS } from "./support.js";
import type { CommandRest, Disk } from "./support.js";

/** Commands by how a reservation looks at them, with the answer when nothing keeps them out (GOOD unless given). */
const two = { dataOut: blocks(2, 1) };
const FREE: readonly (readonly [string, CommandRest?])[] = [
  ["00 00 00 00 00 00"],
  ["03 00 00 00 12 00"],
  ["12 00 00 00 60 00"],
  ["25 00 00 00 00 00 00 00 00 00"],
  ["9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00"],
  ["a0 00 00 00 00 00 00 00 00 10 00 00"],
  ["a3 0a 00 00 00 00 00 00 00 ff 00 00"],
  ["1b 00 00 00 01 00"],
  ["5e 00 00 00 00 00 00 00 08 00"],
  ["5e 01 00 00 00 00 00 00 08 00"],
  ["5e 02 00 00 00 00 00 00 08 00"],
  ["5e 03 00 00 00 00 00 00 08 00"],
];
const READ: typeof FREE = [
  ["08 00 00 00 01 00"],
  ["28 00 00 00 00 00 00 00 01 00"],
  ["28 00 00 00 00 00 00 00 00 00"],
  ["a8 00 00 00 00 00 00 00 00 01 00 00"],
  ["88 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00"],
  ["2f 00 00 00 00 00 00 00 01 00"],
  ["af 00 00 00 00 00 00 00 00 01 00 00"],
  ["8f 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00"],
  ["1a 00 3f 00 ff 00"],
  ["5a 00 3f 00 00 00 00 00 ff 00"],
  ["a3 0c 00 00 00 00 00 00 ff ff 00 00"],
];
const WRITE: typeof FREE = [
  ["0a 00 00 00 01 00", two],
  ["2a 00 00 00 00 00 00 00 01 00", two],
  ["2a 00 00 00 00 00 00 00 00 00"],
  ["aa 00 00 00 00 00 00 00 00 01 00 00", two],
  ["8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", two],
  ["2e 00 00 00 00 00 00 00 01 00", two],
  ["ae 00 00 00 00 00 00 00 00 01 00 00", two],
  ["8e 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", two],
  ["41 00 00 00 00 00 00 00 01 00", two],
  ["93 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", two],
  ["42 00 00 00 00 00 00 00 08 00", { dataOut: new Uint8Array(8) }],
  ["35 00 00 00 00 00 00 00 00 00"],
  ["91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"],
  ["15 10 00 00 00 00"],
  ["55 10 00 00 00 00 00 00 00 00"],
  ["1b 00 00 00 00 00"],
];

const TYPES = [1, 3, 5, 6, 7, 8] as const;
type Standing = "holder" | "registrant" | "stranger";

/** Which classes a nexus that does not hold the reservation is kept from. */
function keptFrom(type: (typeof TYPES)[number], standing: Standing): { readonly read: boolean; readonly write: boolean } {
  const everyRegistrant = type >= 5;
  if (standing === "holder" || (standing === "registrant" && everyRegistrant)) return { read: false, write: false };
  return { read: [3, 6, 8].includes(type), write: true };
}

describe("reservation conflicts", () => {
  for (const type of TYPES) {
    for (const [standing, from] of [
      ["holder", "A"],
      ["registrant", "B"],
      ["stranger", "C"],
    ] as const) {
      const kept = keptFrom(type, standing);
      it(`type ${type}, ${standing}: ${kept.read ? "no reads" : "reads"}, ${kept.write ? "no writes" : "writes"}`, async () => {
        const san = await disk();
        await san.register("A", "B");
        expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type })).to.equal("GOOD");
        for (const [cdb, rest] of FREE) expect(await san.try(from, cdb, rest), cdb).to.equal("GOOD");
        for (const [cdb, rest] of READ) expect(await san.try(from, cdb, rest), cdb).to.equal(kept.read ? "RC" : "GOOD");
        for (const [cdb, rest] of WRITE) expect(await san.try(from, cdb, rest), cdb).to.equal(kept.write ? "RC" : "GOOD");
        await san.fabric.close();
      });
    }
  }

  it("a conflict changes nothing", async () => {
    const san = await disk();
    await san.register("A");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 1 });
    await san.try("B", "2a 00 00 00 00 00 00 00 02 00", two);
    expect((await san.send("B", "28 00 00 00 00 00 00 00 02 00")).dataIn.every((byte) => byte === 0)).to.equal(true);
    await san.fabric.close();
  });

  it("a conflict has neither sense nor residual", async () => {
    const san = await disk();
    await san.register("A");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 });
    const { status, sense, dataIn, residual } = await san.send("B", "28 00 00 00 00 00 00 00 01 00");
    expect([status, sense.length, dataIn.length, residual]).to.deep.equal([0x18, 0, 0, 0]);
    await san.fabric.close();
  });
});

describe("what a command meets first", () => {
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
    await san.register("A", "B");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
  });
  afterEach(async () => san.fabric.close());

  const WRITE_ONE = ["2a 00 00 00 00 00 00 00 01 00", two] as const;
  const TUR = "00 00 00 00 00 00";

  it("an unknown operation code: before everything", async () => {
    await san.unit.reset("logical-unit", san.nexuses.A);
    expect(await san.try("C", "ff 00 00 00 00 00")).to.equal("05/20/00");
    expect(await san.try("C", TUR)).to.equal("06/29/03");
  });

  it("the unit attention of a reset: before a conflict", async () => {
    await san.unit.reset("logical-unit", san.nexuses.A);
    expect(await san.try("C", ...WRITE_ONE)).to.equal("06/29/03");
    expect(await san.try("C", ...WRITE_ONE)).to.equal("RC");
  });

  it("a conflict: before any other unit attention, which stays", async () => {
    expect(await san.reserveOut("A", { action: "preempt", key: KEYS.A, serviceActionKey: KEYS.B })).to.equal("GOOD");
    expect(await san.try("B", ...WRITE_ONE)).to.equal("RC");
    expect(await san.reserveOut("B", { action: "reserve", key: KEYS.B, type: 5 })).to.equal("RC");
    expect(await san.try("B", "5e 00 00 00 00 00 00 00 08 00")).to.equal("06/2A/05");
    expect(await san.try("B", TUR)).to.equal("GOOD");
  });

  it("any other unit attention: before the command", async () => {
    expect(await san.reserveOut("A", { action: "release", key: KEYS.A, type: 5 })).to.equal("GOOD");
    expect(await san.try("B", ...WRITE_ONE)).to.equal("06/2A/04");
    expect((await san.send("A", "28 00 00 00 00 00 00 00 01 00")).dataIn[0], "it was not executed").to.equal(0);
    expect(await san.try("B", ...WRITE_ONE)).to.equal("GOOD");
  });

  it("an illegal CDB: before a conflict, after a unit attention", async () => {
    const beyond = ["2a 00 00 00 08 00 00 00 01 00", two] as const;
    expect(await san.try("C", ...beyond)).to.equal("05/21/00");
    await san.unit.reset("i-t-nexus", san.nexuses.C);
    expect(await san.try("C", ...beyond)).to.equal("06/29/07");
    expect(await san.reserveOut("A", { action: "release", key: KEYS.A, type: 5 })).to.equal("GOOD");
    expect(await san.try("B", ...beyond)).to.equal("06/2A/04");
    expect(await san.try("B", ...beyond)).to.equal("05/21/00");
  });

  it("INQUIRY and REPORT LUNS leave a unit attention alone, REQUEST SENSE reports it as data", async () => {
    await san.reserveOut("A", { action: "clear", key: KEYS.A });
    expect(await san.try("B", "12 00 00 00 60 00")).to.equal("GOOD");
    expect(await san.try("B", "a0 00 00 00 00 00 00 00 00 10 00 00")).to.equal("GOOD");
    const { dataIn } = await san.send("B", "03 00 00 00 12 00");
    expect([dataIn[0], dataIn[2], dataIn[12], dataIn[13]]).to.deep.equal([0x70, 6, 0x2a, 0x03]);
    expect(await san.try("B", TUR)).to.equal("GOOD");
  });

  it("can be told to report every unit attention before a conflict", async () => {
    const linuxLike = await disk({}, { behaviour: { unitAttentionsBeforeConflicts: true } });
    await linuxLike.register("A", "B");
    await linuxLike.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
    await linuxLike.reserveOut("A", { action: "preempt", key: KEYS.A, serviceActionKey: KEYS.B });
    expect(await linuxLike.try("B", ...WRITE_ONE)).to.equal("06/2A/05");
    expect(await linuxLike.try("B", ...WRITE_ONE)).to.equal("RC");
    await linuxLike.fabric.close();
  });

  it("an unknown service action of PERSISTENT RESERVE OUT: a conflict with another nexus's reservation, else illegal", async () => {
    const unknown = ["5f 1f 00 00 00 00 00 00 18 00", { dataOut: new Uint8Array(24) }] as const;
    expect(await san.try("B", ...unknown)).to.equal("RC");
    expect(await san.try("A", ...unknown)).to.equal("05/24/00");
    expect(await san.try("B", "5e 1f 00 00 00 00 00 00 18 00")).to.equal("05/24/00");
  });

  it("features can be left out", async () => {
    const plain = await disk(
      {},
      {
        behaviour: {
          specifyInitiatorPorts: false,
          allTargetPorts: false,
          compatibleReservationHandling: false,
          persistThroughPowerLoss: false,
        },
      },
    );
    expect(await plain.reserveOut("A", { action: "register", serviceActionKey: 1n, allTargetPorts: true })).to.equal("05/26/00");
    const others = { transportIds: [plain.nexuses.B.initiator] };
    expect(await plain.reserveOut("A", { action: "register", serviceActionKey: 1n, ...others })).to.equal("05/26/00");
    expect((await plain.send("A", "5e 02 00 00 00 00 00 00 08 00")).dataIn[2]).to.equal(0);
    await plain.fabric.close();
  });
});

describe("reservations through the device server", () => {
  it("the snapshot tells who is registered and who holds", async () => {
    const san = await disk();
    await san.register("A", "B");
    await san.reserveOut("B", { action: "reserve", key: KEYS.B, type: 1 });
    const [a, b] = [san.nexuses.A, san.nexuses.B].map(({ initiator, targetPort }) => ({ initiator: initiator.format(), targetPort }));
    expect(san.unit.reservations).to.deep.equal({
      generation: 2,
      registrants: [
        { ...a, key: 1n, holder: false },
        { ...b, key: 2n, holder: true },
      ],
      reservation: { type: 1, scope: 0, holder: b },
    });
    await san.fabric.close();
  });

  it("PERSISTENT RESERVE IN is cut by the CDB, wants a buffer as large as that says, and fills the caller's memory", async () => {
    const san = await disk();
    await san.register("A", "B");
    const whole = await san.send("C", "5e 00 00 00 00 00 00 01 00 00");
    expect([whole.dataIn.length, whole.residual]).to.deep.equal([24, 232]);
    expect((await san.send("C", "5e 00 00 00 00 00 00 00 0c 00")).dataIn).to.deep.equal(whole.dataIn.subarray(0, 12));
    const larger = await san.send("C", "5e 00 00 00 00 00 00 00 0c 00", { allocationLength: 64 });
    expect([larger.dataIn.length, larger.residual]).to.deep.equal([12, 52]);
    expect(await san.try("C", "5e 00 00 00 00 00 00 01 00 00", { allocationLength: 255 })).to.equal("05/24/00");
    expect(await san.try("C", "5e 00 00 00 00 00 00 01 00 00", { into: new Uint8Array(255) })).to.equal("05/24/00");
    const into = new Uint8Array(300).fill(0xee);
    const { dataIn, residual } = await san.send("C", "5e 00 00 00 00 00 00 01 00 00", { into });
    expect([dataIn.buffer === into.buffer, dataIn.length, residual, into[24]]).to.deep.equal([true, 24, 276, 0xee]);
    await san.fabric.close();
  });

  it("a parameter list shorter than announced is refused", async () => {
    const san = await disk();
    expect(await san.try("A", "5f 00 00 00 00 00 00 00 18 00", { dataOut: new Uint8Array(23) })).to.equal("05/1A/00");
    expect(await san.try("A", "5f 00 00 00 00 00 00 00 18 00")).to.equal("05/1A/00");
    await san.fabric.close();
  });

  it("ALL_TG_PT registers an initiator port at every target port that it came through", async () => {
    const san = await disk();
    expect(await san.reserveOut("A", { action: "register", serviceActionKey: 1n, allTargetPorts: true })).to.equal("GOOD");
    expect(san.unit.reservations.registrants.map(({ targetPort }) => targetPort)).to.deep.equal([1, 2]);
    expect(await san.reserveOut("B", { action: "register", serviceActionKey: 2n, allTargetPorts: true })).to.equal("GOOD");
    expect(san.unit.reservations.registrants).to.have.length(3);
    await san.fabric.close();
  });

  it("REGISTER AND MOVE goes to target ports there are, and to initiator ports nobody has seen", async () => {
    const san = await disk();
    await san.register("A");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 1 });
    const move = { action: "register-and-move", key: KEYS.A, serviceActionKey: 9n, transportIds: [san.nexuses.C.initiator] } as const;
    expect(await san.reserveOut("A", { ...move, relativeTargetPort: 3 })).to.equal("05/26/00");
    expect(await san.reserveOut("A", { ...move, relativeTargetPort: 2 })).to.equal("GOOD");
    expect(san.unit.reservations.reservation?.holder?.targetPort).to.equal(2);
    await san.fabric.close();
  });

  for (const aptpl of [true, false]) {
    it(`without a durable store ${aptpl ? "only what was made with APTPL survives" : "everything is forgotten by"} a power cycle of the fabric`, async () => {
      const san = await disk();
      expect(await san.reserveOut("A", { action: "register", serviceActionKey: 1n, aptpl })).to.equal("GOOD");
      expect(await san.reserveOut("A", { action: "reserve", key: 1n, type: 5 })).to.equal("GOOD");
      expect([...(await san.send("A", "5e 02 00 00 00 00 00 00 08 00")).dataIn.subarray(2, 4)].map((byte) => byte & 1)).to.deep.equal([
        1,
        aptpl ? 1 : 0,
      ]);
      await san.fabric.powerCycle();
      expect(san.unit.reservations.generation).to.equal(0);
      expect(san.unit.reservations.registrants.map(({ key }) => key)).to.deep.equal(aptpl ? [1n] : []);
      expect(san.unit.reservations.reservation?.type).to.equal(aptpl ? 5 : undefined);
      expect(await san.try("B", "00 00 00 00 00 00")).to.equal("06/29/00");
      expect(await san.try("B", "2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) })).to.equal(aptpl ? "RC" : "GOOD");
      expect(await san.reserveOut("A", { action: "register", key: aptpl ? 1n : 0n, serviceActionKey: 2n, aptpl: false })).to.equal(
        "06/29/00",
      );
      expect(await san.reserveOut("A", { action: "register", key: aptpl ? 1n : 0n, serviceActionKey: 2n, aptpl: false })).to.equal("GOOD");
      await san.fabric.powerCycle();
      expect(san.unit.reservations.registrants).to.deep.equal([]);
      await san.fabric.close();
    });
  }

  it("with a behaviour without it APTPL is refused, and the capabilities say so", async () => {
    const san = await disk({}, { behaviour: { persistThroughPowerLoss: false } });
    expect(await san.reserveOut("A", { action: "register", serviceActionKey: 1n, aptpl: true })).to.equal("05/26/00");
    expect(((await san.send("A", "5e 02 00 00 00 00 00 00 08 00")).dataIn[2] ?? 0) & 0x01).to.equal(0);
    await san.fabric.close();
  });

  it("NUAR keeps a RELEASE secret", async () => {
    const san = await disk({}, { behaviour: { noUnitAttentionOnRelease: true } });
    await san.register("A", "B");
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
    await san.reserveOut("A", { action: "release", key: KEYS.A, type: 5 });
    expect(await san.try("B", "00 00 00 00 00 00")).to.equal("GOOD");
    await san.fabric.close();
  });
});

describe("RESERVE and RELEASE of SPC-2", () => {
  for (const [length, RESERVE, RELEASE] of [
    [6, "16 00 00 00 00 00", "17 00 00 00 00 00"],
    [10, "56 00 00 00 00 00 00 00 00 00", "57 00 00 00 00 00 00 00 00 00"],
  ] as const) {
    describe(`(${length})`, () => {
      let san: Disk;
      beforeEach(async () => {
        san = await disk();
      });
      afterEach(async () => san.fabric.close());

      it("keep everybody else out, but for those who ask who is there", async () => {
        expect(await san.try("A", RESERVE)).to.equal("GOOD");
        expect(await san.try("A", RESERVE)).to.equal("GOOD");
        expect(await san.try("B", RESERVE)).to.equal("RC");
        for (const cdb of ["00 00 00 00 00 00", "1a 00 3f 00 ff 00", "28 00 00 00 00 00 00 00 01 00", "25 00 00 00 00 00 00 00 00 00"]) {
          expect(await san.try("B", cdb), cdb).to.equal("RC");
          expect(await san.try("A", cdb), cdb).to.equal("GOOD");
        }
        for (const cdb of ["12 00 00 00 60 00", "03 00 00 00 12 00", "a0 00 00 00 00 00 00 00 00 10 00 00"]) {
          expect(await san.try("B", cdb), cdb).to.equal("GOOD");
        }
        expect(await san.try("B", RELEASE)).to.equal("GOOD");
        expect(await san.try("B", RESERVE)).to.equal("RC");
        expect(await san.try("A", RELEASE)).to.equal("GOOD");
        expect(await san.try("B", RESERVE)).to.equal("GOOD");
      });

      it("exclude persistent reservations, even for the one who reserved", async () => {
        await san.try("A", RESERVE);
        for (const from of ["A", "B"] as const) {
          expect(await san.try(from, "5e 00 00 00 00 00 00 00 08 00")).to.equal("RC");
          expect(await san.reserveOut(from, { action: "register", serviceActionKey: 1n })).to.equal("RC");
        }
      });

      it("are excluded by registrations", async () => {
        await san.register("A", "B");
        for (const from of ["A", "C"] as const) {
          expect(await san.try(from, RESERVE)).to.equal("RC");
          expect(await san.try(from, RELEASE)).to.equal("RC");
        }
      });

      it("do nothing, with GOOD, for those whom a persistent reservation lets in", async () => {
        await san.register("A", "B");
        await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
        for (const from of ["A", "B"] as const) {
          expect(await san.try(from, RESERVE)).to.equal("GOOD");
          expect(await san.try(from, RELEASE)).to.equal("GOOD");
        }
        expect(await san.try("C", RESERVE)).to.equal("RC");
        expect(await san.try("B", "2a 00 00 00 00 00 00 00 01 00", two), "nobody is reserved out").to.equal("GOOD");
      });

      for (const kind of ["logical-unit", "target"] as const) {
        it(`end with a reset of the ${kind}`, async () => {
          await san.try("A", RESERVE);
          await san.unit.reset(kind, san.nexuses.B);
          await san.try("B", "00 00 00 00 00 00");
          expect(await san.try("B", RESERVE)).to.equal("GOOD");
        });
      }

      it("end with the nexus: by its reset or its logout, not by those of another", async () => {
        await san.try("A", RESERVE);
        await san.unit.reset("i-t-nexus", san.nexuses.C);
        san.unit.logout(san.nexuses.C);
        expect(await san.try("B", RESERVE)).to.equal("RC");
        await san.unit.reset("i-t-nexus", san.nexuses.A);
        expect(await san.try("B", RESERVE)).to.equal("GOOD");
        san.unit.logout(san.nexuses.B);
        await san.try("A", "00 00 00 00 00 00");
        expect(await san.try("A", RESERVE)).to.equal("GOOD");
      });

      it("know neither third parties nor extents", async () => {
        for (const flags of ["01", "02", "10"]) {
          expect(await san.try("A", RESERVE.replace(/ 00/, ` ${flags}`))).to.equal("05/24/00");
          expect(await san.try("A", RELEASE.replace(/ 00/, ` ${flags}`))).to.equal("05/24/00");
        }
      });
    });
  }
});
