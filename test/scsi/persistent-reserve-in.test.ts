import { expect } from "chai";
import fc from "fast-check";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import type { FullStatusEntry, ReserveCapabilities } from "#src/scsi/persistent-reserve-in.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { refusal } from "../support/refusal.js";
import { anyBytes, reservationKey, transportId } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

/** Everything but RLR, as in the facts' golden vector. */
const CAPABILITIES: ReserveCapabilities = {
  replaceLostReservation: false,
  compatibleReservationHandling: true,
  specifyInitiatorPorts: true,
  allTargetPorts: true,
  persistThroughPowerLoss: true,
  persistThroughPowerLossActive: false,
  allowCommands: 4,
  types: [1, 3, 5, 6, 7, 8],
};

/** One encoder with some arguments: the complete data, and the data cut. */
interface Encoder {
  readonly name: string;
  readonly golden: string;
  readonly encode: (allocationLength: number, into?: Uint8Array) => Uint8Array;
}

const holder = (): FullStatusEntry => ({
  key: 0xa1n,
  initiator: TransportId.parse("naa.5000c50012345678"),
  targetPort: 1,
  holder: true,
  type: 5,
  scope: 0,
});
const sharing = (): FullStatusEntry => ({
  key: 0xb2n,
  initiator: TransportId.parse("iqn.a"),
  targetPort: 0x0102,
  holder: false,
  type: 0,
  scope: 0,
  allTargetPorts: true,
});

const ENCODERS: readonly Encoder[] = [
  {
    name: "READ KEYS",
    golden: "00000003 00000010 00000000000000A1 00000000000000B2",
    encode: (length, into) => PersistentReserveIn.encodeKeys(3, [0xa1n, 0xb2n], 2, length, into),
  },
  {
    name: "READ KEYS without keys",
    golden: "FFFFFFFF 00000000",
    encode: (length, into) => PersistentReserveIn.encodeKeys(0xffffffff, [], 0, length, into),
  },
  {
    name: "READ RESERVATION without one",
    golden: "00000003 00000000",
    encode: (length, into) => PersistentReserveIn.encodeReservation(3, null, length, into),
  },
  {
    name: "READ RESERVATION",
    golden: "00000003 00000010 00000000000000A1 00000000 00 05 0000",
    encode: (length, into) => PersistentReserveIn.encodeReservation(3, { key: 0xa1n, scope: 0, type: 5 }, length, into),
  },
  {
    name: "REPORT CAPABILITIES, not persistent now",
    golden: "00 08 1D C0 EA 01 00 00",
    encode: (length, into) => PersistentReserveIn.encodeCapabilities(CAPABILITIES, length, into),
  },
  {
    name: "REPORT CAPABILITIES, persistent now",
    golden: "00 08 1D C1 EA 01 00 00",
    encode: (length, into) =>
      PersistentReserveIn.encodeCapabilities({ ...CAPABILITIES, persistThroughPowerLossActive: true }, length, into),
  },
  {
    name: "READ FULL STATUS",
    golden: `00000003 00000030 00000000000000A1 00000000 01 05 00000000 0001 00000018 06000000 5000C50012345678 ${"00".repeat(12)}`,
    encode: (length, into) => PersistentReserveIn.encodeFullStatus(3, [holder()], 1, length, into),
  },
  {
    name: "READ FULL STATUS of two",
    golden:
      `00000000 00000060 00000000000000A1 00000000 01 05 00000000 0001 00000018 06000000 5000C50012345678 ${"00".repeat(12)}` +
      `00000000000000B2 00000000 02 00 00000000 0102 00000018 05000014 69716E2E61 ${"00".repeat(15)}`,
    encode: (length, into) => PersistentReserveIn.encodeFullStatus(0, [holder(), sharing()], 2, length, into),
  },
  {
    name: "READ FULL STATUS of none",
    golden: "00000007 00000000",
    encode: (length, into) => PersistentReserveIn.encodeFullStatus(7, [], 0, length, into),
  },
];

describe("PersistentReserveIn as a device server", () => {
  for (const { name, golden, encode } of ENCODERS) {
    it(`encodes ${name}, cut at any byte`, () => {
      const whole = digits(golden);
      const size = whole.length / 2;
      expect(hex(encode(0xffff))).to.equal(whole);
      for (let length = 0; length <= size; length += 1) {
        expect(hex(encode(length)), `allocation length ${length}`).to.equal(whole.slice(0, 2 * length));
      }
    });

    it(`encodes ${name} into the caller's memory, whatever that holds`, () => {
      const whole = digits(golden);
      for (let length = 0; length <= whole.length / 2 + 3; length += 1) {
        const memory = new Uint8Array(length + 4).fill(0xee);
        const data = encode(0xffff, memory.subarray(2, 2 + length));
        expect(data.buffer).to.equal(memory.buffer);
        expect(hex(data), `${length} bytes`).to.equal(whole.slice(0, 2 * length));
        expect(hex(memory.subarray(2 + data.length)), "what follows is untouched").to.match(/^(?:ee)*$/);
        expect(hex(memory.subarray(0, 2))).to.equal("eeee");
      }
    });
  }

  it("takes no more memory than it was asked for", () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => BigInt(i + 1));
    const data = PersistentReserveIn.encodeKeys(1, keys, keys.length, 64);
    expect(data.buffer.byteLength).to.equal(64);
    expect(PersistentReserveIn.completeLength(0, data)).to.equal(8 + 8 * keys.length);
    const entries = Array.from({ length: 1000 }, holder);
    const status = PersistentReserveIn.encodeFullStatus(1, entries, entries.length, 100);
    expect(status.buffer.byteLength).to.equal(100);
    expect(PersistentReserveIn.completeLength(3, status)).to.equal(8 + 48 * entries.length);
  });

  it("takes a generator of keys no further than needed", () => {
    let taken = 0;
    function* keys(): Generator<bigint> {
      for (;;) {
        taken += 1;
        yield BigInt(taken);
      }
    }
    PersistentReserveIn.encodeKeys(1, keys(), 1000, 8 + 20);
    expect(taken).to.equal(3);
    PersistentReserveIn.encodeKeys(1, keys(), 1000, 8 + 16);
    expect(taken).to.equal(3 + 2);
    PersistentReserveIn.encodeKeys(1, keys(), 1000, 8);
    expect(taken).to.equal(3 + 2);
  });
});

describe("PersistentReserveIn as an initiator", () => {
  it("encodes the four CDBs", () => {
    expect(hex(PersistentReserveIn.readKeys(8192).cdb)).to.equal(digits("5E 00 00 00 00 00 00 20 00 00"));
    expect(hex(PersistentReserveIn.readReservation(24).cdb)).to.equal(digits("5E 01 00 00 00 00 00 00 18 00"));
    expect(hex(PersistentReserveIn.reportCapabilities(8).cdb)).to.equal(digits("5E 02 00 00 00 00 00 00 08 00"));
    expect(hex(PersistentReserveIn.readFullStatus(65535).cdb)).to.equal(digits("5E 03 00 00 00 00 00 FF FF 00"));
    for (const length of [0, 8192, 65535]) expect(PersistentReserveIn.readKeys(length).allocationLength).to.equal(length);
  });

  it("refuses an allocation length that is no 16-bit number", async () => {
    for (const length of [-1, 65536, 1.5, Number.NaN]) {
      const error = await refusal(() => PersistentReserveIn.readKeys(length));
      expect(error.kind).to.equal("invalid-value");
      expect(error.message).to.contain(`allocationLength ${length}`);
    }
  });

  it("reads the golden vectors, by number and by name", () => {
    const keys = bytes("00000003 00000010 00000000000000A1 00000000000000B2");
    expect(PersistentReserveIn.parse(0, keys)).to.deep.equal({ generation: 3, keys: [0xa1n, 0xb2n] });
    expect(PersistentReserveIn.parse("read-keys", keys)).to.deep.equal({ generation: 3, keys: [0xa1n, 0xb2n] });
    expect(PersistentReserveIn.parse(1, bytes("00000003 00000000"))).to.deep.equal({ generation: 3, reservation: null });
    expect(PersistentReserveIn.parse("read-reservation", bytes("00000003 00000010 00000000000000A1 00000000 00 15 0000"))).to.deep.equal({
      generation: 3,
      reservation: { key: 0xa1n, type: 5, scope: 1 },
    });
    expect(PersistentReserveIn.parse(2, bytes("00 08 1D C0 EA 01 00 00"))).to.deep.equal(CAPABILITIES);
    const { registrants } = PersistentReserveIn.parse(3, PersistentReserveIn.encodeFullStatus(3, [holder(), sharing()], 2, 1000));
    expect(registrants.map(({ initiator, ...rest }) => ({ ...rest, initiator: String(initiator) }))).to.deep.equal([
      { ...holder(), initiator: "naa.5000c50012345678", allTargetPorts: false },
      { ...sharing(), initiator: "iqn.a" },
    ]);
  });

  it("reads no types when the mask is not valid", () => {
    expect(PersistentReserveIn.parse(2, bytes("00 08 00 00 EA 01 00 00")).types).to.equal(null);
  });

  it("reads the keys that are complete in data cut at any byte", () => {
    const whole = PersistentReserveIn.encodeKeys(9, [1n, 2n, 3n], 3, 100);
    for (let length = 8; length <= whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      expect(PersistentReserveIn.parse(0, cut).keys, `${length}`).to.deep.equal([1n, 2n, 3n].slice(0, (length - 8) >> 3));
      expect(PersistentReserveIn.completeLength("read-keys", cut)).to.equal(32);
    }
  });

  it("believes the length field when more bytes than that were received", () => {
    const data = bytes(`00000001 00000008 00000000000000A1 ${"FF".repeat(16)}`);
    expect(PersistentReserveIn.parse(0, data).keys).to.deep.equal([0xa1n]);
    expect(PersistentReserveIn.parse(1, bytes(`00000001 00000000 ${"FF".repeat(16)}`)).reservation).to.equal(null);
  });

  it("refuses data of which nothing can be said", async () => {
    for (const serviceAction of [0, 1, 2, 3]) {
      const error = await refusal(() => PersistentReserveIn.parse(serviceAction, new Uint8Array(7)));
      expect(error.kind).to.equal("syntax");
      expect(error.message).to.contain("7 bytes");
      expect(PersistentReserveIn.completeLength(serviceAction, new Uint8Array(7))).to.equal(0);
    }
    const reserved = bytes("00000003 00000010 00000000000000A1 00000000 00 05 0000");
    for (let length = 8; length < 22; length += 1) {
      const error = await refusal(() => PersistentReserveIn.parse(1, reserved.subarray(0, length)));
      expect(error.message).to.contain(`${length} bytes`);
    }
    expect(PersistentReserveIn.parse(1, reserved.subarray(0, 22)).reservation).to.deep.equal({ key: 0xa1n, type: 5, scope: 0 });
    for (const unknown of [4, 31, -1, "toString", "__proto__"]) {
      // what a program without types can pass
      const error = await refusal(() => PersistentReserveIn.parse(unknown as number, new Uint8Array(8)));
      expect(error.kind).to.equal("unknown-name");
      expect(error.message).to.contain(String(unknown));
    }
  });

  it("keeps a registration whose TransportID is malformed", () => {
    const data = PersistentReserveIn.encodeFullStatus(3, [holder(), sharing()], 2, 1000);
    data[32] = 0x07;
    const [first, second] = PersistentReserveIn.parse(3, data).registrants;
    expect(first?.initiator).to.equal(null);
    expect(first?.key).to.equal(0xa1n);
    expect(hex(first?.malformedInitiator?.bytes ?? new Uint8Array()))
      .to.match(/^07000000/)
      .and.to.have.length(48);
    expect(first?.malformedInitiator?.message).to.contain("7h");
    expect(second?.initiator?.format()).to.equal("iqn.a");
    expect(second).to.not.have.property("malformedInitiator");
  });

  it("reads a registration whatever its TransportID is, and keeps the bytes of one that is none", () => {
    const id = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constant(Uint8Array.from(Buffer.from("450000280000iqn.a\0,i,0x0123", "latin1"))),
    );
    fc.assert(
      fc.property(id, (bytesOfId) => {
        const size = 24 + bytesOfId.length;
        const data = Uint8Array.from([
          0,
          0,
          0,
          9,
          0,
          0,
          size >> 8,
          size & 0xff,
          ...new Uint8Array(22),
          bytesOfId.length >> 8,
          bytesOfId.length & 0xff,
          ...bytesOfId,
        ]);
        const [registrant] = PersistentReserveIn.parse(3, data).registrants;
        expect(registrant?.initiator === null ? hex(registrant.malformedInitiator?.bytes ?? new Uint8Array(1)) : "").to.equal(
          registrant?.initiator === null ? hex(bytesOfId) : "",
        );
        expect(registrant).to.not.equal(undefined);
      }),
    );
  });

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.array(reservationKey), (generation, keys) => {
        const data = PersistentReserveIn.encodeKeys(generation, keys, keys.length, 0xffff);
        expect(PersistentReserveIn.parse(0, data)).to.deep.equal({ generation, keys });
      }),
    );
    const reservation = fc.record({ key: reservationKey, scope: fc.nat(15), type: fc.nat(15) });
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.option(reservation), (generation, value) => {
        const data = PersistentReserveIn.encodeReservation(generation, value, 24);
        expect(PersistentReserveIn.parse(1, data)).to.deep.equal({ generation, reservation: value });
      }),
    );
    const capabilities: fc.Arbitrary<ReserveCapabilities> = fc.record({
      replaceLostReservation: fc.boolean(),
      compatibleReservationHandling: fc.boolean(),
      specifyInitiatorPorts: fc.boolean(),
      allTargetPorts: fc.boolean(),
      persistThroughPowerLoss: fc.boolean(),
      persistThroughPowerLossActive: fc.boolean(),
      allowCommands: fc.nat(7),
      types: fc.option(fc.subarray([1, 3, 5, 6, 7, 8] as const)),
    });
    fc.assert(
      fc.property(capabilities, (value) => {
        const data = PersistentReserveIn.encodeCapabilities(value, 8);
        expect(PersistentReserveIn.parse(2, data)).to.deep.equal(value);
        expect(PersistentReserveIn.completeLength(2, data)).to.equal(8);
      }),
    );
  });

  it("gives back registrations, as many as are complete in data cut at any byte", () => {
    const entry: fc.Arbitrary<FullStatusEntry> = fc.record({
      key: reservationKey,
      initiator: transportId,
      targetPort: fc.nat(0xffff),
      holder: fc.boolean(),
      type: fc.nat(15),
      scope: fc.nat(15),
      allTargetPorts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.array(entry, { maxLength: 5 }), (generation, entries) => {
        const whole = PersistentReserveIn.encodeFullStatus(generation, entries, entries.length, 0xffff);
        const plain = entries.map(({ initiator, ...rest }) => ({ ...rest, initiator: initiator.format() }));
        const ends = entries.map((_, i) => entries.slice(0, i + 1).reduce((end, e) => end + 24 + e.initiator.encodedLength, 8));
        for (let length = 8; length <= whole.length; length += 1) {
          const cut = PersistentReserveIn.encodeFullStatus(generation, entries, entries.length, length);
          const parsed = PersistentReserveIn.parse(3, cut);
          expect(parsed.generation).to.equal(generation);
          expect(parsed.registrants.map(({ initiator, ...rest }) => ({ ...rest, initiator: initiator?.format() }))).to.deep.equal(
            plain.slice(0, ends.filter((end) => end <= length).length),
          );
        }
        expect(PersistentReserveIn.completeLength(3, whole)).to.equal(whole.length);
      }),
      { numRuns: 20 },
    );
  });

  it("reads or refuses any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3), anyBytes, async (serviceAction, data) => {
        const parse = (): unknown => PersistentReserveIn.parse(serviceAction, data);
        try {
          parse();
        } catch {
          expect((await refusal(parse)).kind).to.equal("syntax");
        }
      }),
    );
  });
});
