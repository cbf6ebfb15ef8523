import { expect } from "chai";
import fc from "fast-check";
import {
  formatKey,
  isAllRegistrants,
  isRegistrantsType,
  isReservationType,
  ReservationTypeName,
  ReservationTypes,
  ReserveIn,
  reserveInAction,
  ReserveOut,
  reserveOutAction,
} from "#src/scsi/persistent-reserve.js";
import type { ReserveOutAction } from "#src/scsi/persistent-reserve.js";
import { PersistentReserveOut, RESERVE_OUT_LENGTH_MAX } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutParsed, ReserveOutRequest, ReserveOutSettings } from "#src/scsi/persistent-reserve-out.js";
import { formatSense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { refusal } from "../support/refusal.js";
import { anyBytes, reservationKey, transportId } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const sas = (): TransportId => TransportId.parse("naa.5000c50012345678");

/** `request` with TransportIDs that are made when they are asked for. */
function listing(request: ReserveOutRequest, get: () => readonly TransportId[] = () => [sas()]): ReserveOutRequest {
  return Object.defineProperty({ ...request }, "transportIds", { get, enumerable: true });
}
const SAS_HEX = "06000000 5000C50012345678 000000000000000000000000";
const ACTIONS = Object.keys(ReserveOut) as ReserveOutAction[]; // a table has no other keys
const BASIC_ACTIONS = ACTIONS.filter((action) => action !== "register-and-move");
const ALL_SUPPORTED: ReserveOutSettings = { replaceLostReservation: true };

/** `ok`, or sense digits and the place of the field: `26/00 list 20.3`. */
function verdict(parsed: ReserveOutParsed): string {
  if (parsed.problem === undefined) return "ok";
  const { sense, fieldPointer } = parsed.problem;
  const where = `${fieldPointer.in === "cdb" ? "cdb" : "list"} ${fieldPointer.byte}${fieldPointer.bit === undefined ? "" : `.${fieldPointer.bit}`}`;
  return `${formatSense(sense).replace(/^.*\(05\/(.*)\)$/, "$1")} ${where}`;
}

/** Parses the command with `change` applied to its two parts. */
function parseChanged(
  request: ReserveOutRequest,
  change: (cdb: Uint8Array, list: Uint8Array) => Uint8Array | void,
  settings: ReserveOutSettings = ALL_SUPPORTED,
): ReserveOutParsed {
  const { cdb, dataOut } = PersistentReserveOut.encode(request);
  const list = change(cdb, dataOut) ?? dataOut;
  return PersistentReserveOut.parse(cdb, list, settings);
}

describe("PersistentReserveOut.encode", () => {
  const GOLDEN: readonly (readonly [name: string, request: ReserveOutRequest, cdb: string, dataOut: string])[] = [
    [
      "REGISTER",
      { action: "register", serviceActionKey: 0xa1n, aptpl: true, allTargetPorts: true },
      "5F 00 00 00 00 00 00 00 18 00",
      "0000000000000000 00000000000000A1 00000000 05 00 0000",
    ],
    [
      "RESERVE of type 5",
      { action: "reserve", key: 0xffff_ffff_ffff_ffffn, type: 5 },
      "5F 01 05 00 00 00 00 00 18 00",
      "FFFFFFFFFFFFFFFF 0000000000000000 00000000 00 00 0000",
    ],
    [
      "PREEMPT AND ABORT with a scope",
      { action: "preempt-and-abort", key: 1n, serviceActionKey: 2n, type: 8, scope: 1 },
      "5F 05 18 00 00 00 00 00 18 00",
      "0000000000000001 0000000000000002 00000000 00 00 0000",
    ],
    [
      "REGISTER with a TransportID",
      listing({ action: "register", serviceActionKey: 0xa1n }),
      "5F 00 00 00 00 00 00 00 34 00",
      `0000000000000000 00000000000000A1 00000000 08 00 0000 00000018 ${SAS_HEX}`,
    ],
    [
      "REGISTER AND MOVE",
      listing({ action: "register-and-move", key: 0xa1n, serviceActionKey: 0xc3n, unregister: true, relativeTargetPort: 2 }),
      "5F 07 00 00 00 00 00 00 30 00",
      `00000000000000A1 00000000000000C3 00 02 0002 00000018 ${SAS_HEX}`,
    ],
    ["an empty list of ports", { action: "register", transportIds: [] }, "5F 00 00 00 00 00 00 00 18 00", "00".repeat(24)],
  ];
  for (const [name, request, cdb, dataOut] of GOLDEN) {
    it(`encodes ${name}`, () => {
      const encoded = PersistentReserveOut.encode(request);
      expect(hex(encoded.cdb)).to.equal(digits(cdb));
      expect(hex(encoded.dataOut)).to.equal(digits(dataOut));
    });
  }

  it("takes the longest list that fits, and members that are false for a field that is not there", () => {
    const ids = [...Array.from({ length: 339 }, sas), TransportId.parse("iqn.2024-01.example:h1")];
    expect(PersistentReserveOut.encode({ action: "register", transportIds: ids }).dataOut).to.have.lengthOf(RESERVE_OUT_LENGTH_MAX);
    expect(PersistentReserveOut.encode({ action: "clear", unregister: false }).dataOut).to.have.lengthOf(24);
  });

  // what a program without types can pass
  const asRequest = (request: object): ReserveOutRequest => request as ReserveOutRequest;
  const REFUSED: readonly (readonly [what: string, request: ReserveOutRequest, kind: string, naming: string])[] = [
    ["a key of 65 bits", { action: "register", key: 2n ** 64n }, "invalid-value", "key 18446744073709551616"],
    ["a negative key", { action: "register", serviceActionKey: -1n }, "invalid-value", "serviceActionKey -1"],
    ["a key that is a number", asRequest({ action: "register", key: 5 }), "invalid-value", "key 5"],
    ["a type of 5 bits", { action: "reserve", type: 16 }, "invalid-value", "type 16"],
    ["a type that is not whole", { action: "reserve", type: 1.5 }, "invalid-value", "type 1.5"],
    ["a scope of 5 bits", { action: "reserve", scope: 16 }, "invalid-value", "scope 16"],
    ["a negative scope", { action: "reserve", scope: -1 }, "invalid-value", "scope -1"],
    ["an unknown action", asRequest({ action: "toString" }), "unknown-name", "'toString'"],
    ["UNREG outside of MOVE", { action: "register", unregister: true }, "invalid-value", "unregister"],
    ["a target port outside of MOVE", { action: "clear", relativeTargetPort: 1 }, "invalid-value", "relativeTargetPort"],
    ["ALL_TG_PT in MOVE", listing({ action: "register-and-move", allTargetPorts: true }), "invalid-value", "allTargetPorts"],
    ["MOVE without destination", { action: "register-and-move" }, "invalid-value", "0 TransportIDs"],
    ["MOVE to two destinations", listing({ action: "register-and-move" }, () => [sas(), sas()]), "invalid-value", "2 TransportIDs"],
    ["a target port of 17 bits", listing({ action: "register-and-move", relativeTargetPort: 65536 }), "invalid-value", "65536"],
    ["too many TransportIDs", listing({ action: "register" }, () => Array.from({ length: 341 }, sas)), "limit", "8184 bytes"],
  ];
  for (const [what, request, kind, naming] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const error = await refusal(() => PersistentReserveOut.encode(request));
      expect(error.kind).to.equal(kind);
      expect(error.message).to.contain(naming);
    });
  }
});

describe("PersistentReserveOut.parse", () => {
  it("gives back what was encoded", () => {
    const common = {
      key: reservationKey,
      serviceActionKey: reservationKey.filter((key) => key !== 0n),
      type: fc.nat(15),
      scope: fc.nat(15),
    };
    const basic = fc.record({ action: fc.constantFrom("register" as const), ...common, aptpl: fc.boolean(), allTargetPorts: fc.boolean() });
    const ids = fc.uniqueArray(transportId, { maxLength: 20, selector: (id) => id.key });
    fc.assert(
      fc.property(basic, ids, (request, transportIds) => {
        const { cdb, dataOut } = PersistentReserveOut.encode({ ...request, transportIds });
        const { command } = PersistentReserveOut.parse(cdb, dataOut);
        const { transportIds: parsedIds, ...rest } = { transportIds: null, ...command };
        expect(rest).to.deep.equal({ ...request, serviceAction: 0 });
        expect((parsedIds ?? []).map(String)).to.deep.equal(transportIds.map(String));
        expect(parsedIds === null).to.equal(transportIds.length === 0);
      }),
    );
    const move = fc.record({ ...common, aptpl: fc.boolean(), unregister: fc.boolean(), relativeTargetPort: fc.nat(0xffff) });
    fc.assert(
      fc.property(move, transportId, (request, destination) => {
        const action = "register-and-move" as const;
        const { cdb, dataOut } = PersistentReserveOut.encode({ action, ...request, transportIds: [destination] });
        const { command } = PersistentReserveOut.parse(cdb, dataOut);
        expect(command).to.deep.equal({ action, serviceAction: 7, ...request, transportId: destination });
        expect(command?.action === "register-and-move" && command.transportId.format()).to.equal(destination.format());
      }),
    );
  });

  it("decodes every action and ignores the bits that mean nothing to it", () => {
    for (const action of BASIC_ACTIONS) {
      const usesAptpl = ["register", "register-and-ignore-existing-key", "replace-lost-reservation"].includes(action);
      const usesAllTargetPorts = ["register", "register-and-ignore-existing-key"].includes(action);
      const allTargetPorts = action !== "replace-lost-reservation";
      const { cdb, dataOut } = PersistentReserveOut.encode({ action, key: 1n, aptpl: true, allTargetPorts });
      const { command } = PersistentReserveOut.parse(cdb, dataOut, ALL_SUPPORTED);
      expect(command, action).to.deep.include({ action, serviceAction: ReserveOut[action], key: 1n, aptpl: usesAptpl });
      expect(command, action).to.deep.include({ allTargetPorts: usesAllTargetPorts, transportIds: null });
    }
  });

  it("ignores reserved and obsolete bits", () => {
    const parsed = parseChanged({ action: "reserve", key: 1n, type: 5 }, (cdb, list) => {
      cdb[1] = 0xe1;
      cdb.fill(0xff, 3, 5);
      list.fill(0xff, 16, 20);
      list[20] = 0xf2;
      list.fill(0xff, 21, 24);
    });
    expect(verdict(parsed)).to.equal("ok");
    expect(parsed.command).to.deep.include({ action: "reserve", key: 1n, type: 5, scope: 0 });
  });

  it("refuses the service actions that are reserved or not supported", () => {
    for (let serviceAction = 9; serviceAction < 32; serviceAction += 1) {
      const parsed = parseChanged({ action: "register" }, (cdb) => void (cdb[1] = serviceAction));
      expect(verdict(parsed), `${serviceAction}`).to.equal("24/00 cdb 1.4");
    }
    const lost: ReserveOutRequest = { action: "replace-lost-reservation" };
    expect(verdict(parseChanged(lost, () => {}, {}))).to.equal("24/00 cdb 1.4");
    expect(verdict(parseChanged(lost, () => {}))).to.equal("ok");
  });

  const withListLength = (length: number) => (cdb: Uint8Array) => {
    new DataView(cdb.buffer).setUint32(5, length);
    return new Uint8Array(Math.min(length, 10000));
  };
  for (const action of ACTIONS) {
    it(`wants the length of ${action} to be right`, () => {
      const request: ReserveOutRequest = action === "register-and-move" ? { action, transportIds: [sas()] } : { action };
      for (const length of [0, 1, 23, RESERVE_OUT_LENGTH_MAX + 1, 0xffff_ffff]) {
        expect(verdict(parseChanged(request, withListLength(length))), `${length}`).to.equal("1A/00 cdb 5");
      }
      for (const length of action === "register-and-move" ? [] : [25, 28, 32, RESERVE_OUT_LENGTH_MAX]) {
        expect(verdict(parseChanged(request, withListLength(length))), `${length}`).to.equal("1A/00 cdb 5");
      }
    });
  }

  it("wants as many bytes as the CDB announces, and ignores more", () => {
    const cut = parseChanged({ action: "register" }, (_cdb, list) => list.subarray(0, 23));
    expect(verdict(cut)).to.equal("1A/00 cdb 5");
    const longer = parseChanged({ action: "register", serviceActionKey: 1n }, (_cdb, list) => Uint8Array.of(...list, 1, 2, 3, 4));
    expect(verdict(longer)).to.equal("ok");
  });

  it("uses all 32 bits of PARAMETER LIST LENGTH", () => {
    const parsed = parseChanged({ action: "register" }, (cdb) => void (cdb[6] = 1));
    expect(verdict(parsed)).to.equal("1A/00 cdb 5");
  });

  it("takes the longest list from its settings", () => {
    const request: ReserveOutRequest = { action: "register", serviceActionKey: 1n, transportIds: [sas()] };
    expect(verdict(parseChanged(request, () => {}, { lengthMax: 51 }))).to.equal("1A/00 cdb 5");
    expect(verdict(parseChanged(request, () => {}, { lengthMax: 52 }))).to.equal("ok");
  });

  /** Bit of byte 20, settings, and the verdict for: register, register-and-ignore, replace-lost, all others. */
  const BITS: readonly (readonly [
    name: string,
    bit: number,
    settings: ReserveOutSettings,
    verdicts: readonly [string, string, string, string],
  ])[] = [
    ["ALL_TG_PT", 2, {}, ["ok", "ok", "26/00 list 20.2", "ok"]],
    ["ALL_TG_PT, unsupported", 2, { allTargetPorts: false }, ["26/00 list 20.2", "26/00 list 20.2", "26/00 list 20.2", "ok"]],
    ["APTPL", 0, {}, ["ok", "ok", "ok", "ok"]],
    ["APTPL, unsupported", 0, { persistThroughPowerLoss: false }, ["26/00 list 20.0", "26/00 list 20.0", "26/00 list 20.0", "ok"]],
    ["SPEC_I_PT, list of 24", 3, {}, ["1A/00 cdb 5", "26/00 list 20.3", "26/00 list 20.3", "26/00 list 20.3"]],
    [
      "SPEC_I_PT, unsupported",
      3,
      { specifyInitiatorPorts: false },
      ["26/00 list 20.3", "26/00 list 20.3", "26/00 list 20.3", "26/00 list 20.3"],
    ],
  ];
  for (const [name, bit, settings, [register, ignoring, replacing, others]] of BITS) {
    it(`judges ${name} by service action`, () => {
      for (const action of BASIC_ACTIONS) {
        const expected =
          { register, "register-and-ignore-existing-key": ignoring, "replace-lost-reservation": replacing }[action as string] ?? others;
        const parsed = parseChanged({ action }, (_cdb, list) => void (list[20] = 1 << bit), { ...ALL_SUPPORTED, ...settings });
        expect(verdict(parsed), action).to.equal(expected);
      }
    });
  }

  it("refuses SPEC_I_PT on other actions whatever the length", () => {
    const parsed = parseChanged({ action: "preempt", transportIds: [sas()] }, () => {});
    expect(verdict(parsed)).to.equal("26/00 list 20.3");
  });

  describe("with TransportIDs", () => {
    const request: ReserveOutRequest = listing({ action: "register", serviceActionKey: 0xa1n }, () => [
      sas(),
      TransportId.parse("iqn.a,i,0x1"),
    ]);
    const CASES: readonly (readonly [name: string, change: (cdb: Uint8Array, list: Uint8Array) => Uint8Array | void, verdict: string])[] = [
      ["whole", () => {}, "ok"],
      ["a data length beyond the list", (_cdb, list) => void (list[27] = 57), "26/00 list 24"],
      ["a data length of 4 GiB", (_cdb, list) => void list.fill(0xff, 24, 28), "26/00 list 24"],
      ["a data length that ends within the second id", (_cdb, list) => void (list[27] = 48), "26/00 list 54"],
      ["a data length that leaves out the second id", (_cdb, list) => void (list[27] = 24), "ok"],
      ["a data length of 0", (_cdb, list) => void (list[27] = 0), "ok"],
      ["4 bytes after the first id", (_cdb, list) => void (list[27] = 28), "26/00 list 52"],
      ["protocol 7h", (_cdb, list) => void (list[28] = 7), "26/00 list 28"],
      ["format 01b of SAS", (_cdb, list) => void (list[28] = 0x46), "26/00 list 28"],
      ["additional length 16", (_cdb, list) => void (list[55] = 16), "26/00 list 54"],
      ["no NUL in the iSCSI name", (_cdb, list) => void list.fill(0x61, 56), "26/00 list 56"],
      [
        "a list of 27 bytes",
        (cdb, list) => {
          cdb[8] = 27;
          return list.subarray(0, 27);
        },
        "1A/00 cdb 5",
      ],
      ["the same id twice", (_cdb, list) => list.copyWithin(52, 28, 52).fill(48, 27, 28), "26/00 list 52"],
      [
        "an unknown id and no new key",
        (_cdb, list) => {
          list[15] = 0;
          list[28] = 7;
        },
        "ok",
      ],
    ];
    for (const [name, change, expected] of CASES) {
      it(`${expected === "ok" ? "takes" : "refuses"} ${name}`, () => {
        expect(verdict(parseChanged(request, change))).to.equal(expected);
      });
    }

    it("does not look at the list when the new key is 0", () => {
      const parsed = parseChanged({ ...request, serviceActionKey: 0n }, () => {});
      expect(parsed.command).to.deep.include({ transportIds: [] });
    });
  });

  describe("of REGISTER AND MOVE", () => {
    const request: ReserveOutRequest = listing({ action: "register-and-move", key: 1n, serviceActionKey: 2n });
    const iscsi: ReserveOutRequest = listing({ action: "register-and-move", key: 1n, serviceActionKey: 2n }, () => [
      TransportId.parse("iqn.a,i,0x1"),
    ]);
    it("refuses what is malformed", () => {
      expect(verdict(parseChanged(request, (_cdb, list) => void (list[23] = 25)))).to.equal("26/00 list 20");
      expect(verdict(parseChanged(request, (_cdb, list) => void list.fill(0xff, 20, 24)))).to.equal("26/00 list 20");
      expect(verdict(parseChanged(request, (_cdb, list) => void (list[23] = 20)))).to.equal("26/00 list 20");
      expect(verdict(parseChanged(request, (_cdb, list) => void (list[23] = 0)))).to.equal("26/00 list 20");
      expect(verdict(parseChanged(iscsi, (_cdb, list) => void (list[23] = 25)))).to.equal("26/00 list 20");
      expect(verdict(parseChanged(iscsi, (_cdb, list) => void (list[23] = 24)))).to.equal("26/00 list 26");
      expect(verdict(parseChanged(iscsi, (_cdb, list) => void (list[27] = 20)))).to.equal("26/00 list 28");
      expect(verdict(parseChanged(request, (_cdb, list) => void (list[24] = 7)))).to.equal("26/00 list 24");
    });
    it("refuses APTPL when it is not supported", () => {
      expect(verdict(parseChanged({ ...request, aptpl: true }, () => {}))).to.equal("ok");
      expect(verdict(parseChanged({ ...request, aptpl: true }, () => {}, { persistThroughPowerLoss: false }))).to.equal("26/00 list 17.0");
    });
    it("refuses a TransportID that is shorter than its length says", () => {
      const parsed = parseChanged(request, (cdb, list) => {
        cdb[8] = 52;
        list[23] = 28;
        return Uint8Array.of(...list, 0, 0, 0, 0);
      });
      expect(verdict(parsed)).to.equal("26/00 list 20");
    });
    it("ignores SPEC_I_PT, which is no field of this list", () => {
      const { command } = parseChanged(request, (_cdb, list) => void (list[16] = 0xff));
      expect(command).to.deep.include({ action: "register-and-move", key: 1n, serviceActionKey: 2n, aptpl: false, unregister: false });
    });
  });

  it("answers any bytes, and any command cut at any byte", () => {
    const request: fc.Arbitrary<ReserveOutRequest> = fc.constantFrom(...ACTIONS).chain((action) =>
      fc.record({
        action: fc.constant(action),
        key: reservationKey,
        serviceActionKey: reservationKey,
        transportIds: fc.array(transportId, action === "register-and-move" ? { minLength: 1, maxLength: 1 } : { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(anyBytes, anyBytes, (cdb, dataOut) => {
        PersistentReserveOut.parse(cdb, dataOut, ALL_SUPPORTED);
        const aimed = bytes("5F 00 00 00 00 00 00 00 00 00");
        aimed[1] = (cdb[0] ?? 0) % 9;
        new DataView(aimed.buffer).setUint32(5, dataOut.length);
        PersistentReserveOut.parse(aimed, dataOut, ALL_SUPPORTED);
      }),
    );
    fc.assert(
      fc.property(request, (whole) => {
        const { cdb, dataOut } = PersistentReserveOut.encode(whole);
        for (let end = 0; end < dataOut.length; end += 1) {
          expect(verdict(PersistentReserveOut.parse(cdb, dataOut.subarray(0, end), ALL_SUPPORTED))).to.equal("1A/00 cdb 5");
          const shorter = cdb.slice();
          new DataView(shorter.buffer).setUint32(5, end);
          PersistentReserveOut.parse(shorter, dataOut.subarray(0, end), ALL_SUPPORTED);
        }
        for (let end = 0; end < cdb.length; end += 1) PersistentReserveOut.parse(cdb.subarray(0, end), dataOut, ALL_SUPPORTED);
      }),
      { numRuns: 30 },
    );
  });
});

describe("codes of persistent reservations", () => {
  it("have names in both directions", () => {
    for (const [name, serviceAction] of Object.entries(ReserveOut)) expect(reserveOutAction(serviceAction)).to.equal(name);
    for (const [name, serviceAction] of Object.entries(ReserveIn)) expect(reserveInAction(serviceAction)).to.equal(name);
    expect(reserveOutAction(9)).to.equal(null);
    expect(reserveInAction(4)).to.equal(null);
  });

  it("are six types, four of them for all who are registered, two of those without a single holder", () => {
    const types = Array.from({ length: 16 }, (_, type) => type).filter(isReservationType);
    expect(types).to.deep.equal(Object.values(ReservationTypes));
    expect(types.map(String)).to.deep.equal(Object.keys(ReservationTypeName));
    expect([-1, 5.5, 16, Number.NaN].filter(isReservationType)).to.deep.equal([]);
    expect(types.filter(isRegistrantsType)).to.deep.equal([5, 6, 7, 8]);
    expect(types.filter(isAllRegistrants)).to.deep.equal([7, 8]);
  });

  it("are keys of 16 digits", () => {
    expect(formatKey(0xa1n)).to.equal("0x00000000000000a1");
  });
});
