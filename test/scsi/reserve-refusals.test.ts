/** What the codecs of persistent reservations say to a program that passes something else: one line that names what, where and the value. */
import { expect } from "chai";
import { aNexus } from "#src/scsi/nexus.js";
import { allocationLengthOf, PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { mayActivatePersistence, parameterListLengthOf, PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "#src/scsi/persistent-reserve-out.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { refusal } from "../support/refusal.js";

/** Anything in place of what the types demand: a program without types can pass it. */
function untyped(value: unknown): never {
  return value as never; // fits everywhere
}

const SAS_TEXT = "naa.5000c50012345678";
const KNOWN_FORMS = "known forms are iqn.…, eui.…, iscsi.…, naa.…, fc.…, srp.…, sbp.…, spi.… and sop.…";
const BYTES = "a Uint8Array with memory";

type Case = readonly [call: () => unknown, message: string, context?: Readonly<Record<string, string>>];

function encode(request: object): () => unknown {
  return () => PersistentReserveOut.encode(untyped(request));
}

function withKeys(change: { generation?: unknown; keys?: unknown; count?: unknown; length?: unknown; into?: unknown }): () => unknown {
  const { generation = 0, keys = [1n], count = 1, length = 16, into } = change;
  return () => PersistentReserveIn.encodeKeys(untyped(generation), untyped(keys), untyped(count), untyped(length), untyped(into));
}

function withReservation(reservation: unknown): () => unknown {
  return () => PersistentReserveIn.encodeReservation(0, untyped(reservation), 24);
}

const CAPABILITIES = {
  replaceLostReservation: false,
  compatibleReservationHandling: false,
  specifyInitiatorPorts: false,
  allTargetPorts: false,
  persistThroughPowerLoss: false,
  persistThroughPowerLossActive: false,
  allowCommands: 0,
  types: null,
};

function withCapabilities(change: object): () => unknown {
  return () => PersistentReserveIn.encodeCapabilities(untyped({ ...CAPABILITIES, ...change }), 8);
}

function withEntry(change: object, count: unknown = 1): () => unknown {
  const entry = { key: 1n, initiator: TransportId.parse(SAS_TEXT), targetPort: 1, holder: false, type: 0, scope: 0, ...change };
  return () => PersistentReserveIn.encodeFullStatus(0, [entry], untyped(count), 100);
}

function expectRefusals(cases: readonly Case[]): Promise<void> {
  return cases.reduce(async (before, [call, message, context]) => {
    await before;
    const error = await refusal(call);
    expect(error.message).to.equal(message);
    if (context !== undefined) expect(error.context, message).to.deep.equal(context);
  }, Promise.resolve());
}

describe("refusals of PERSISTENT RESERVE IN", () => {
  it("name an allocation length that does not fit", () =>
    expectRefusals([
      [
        () => PersistentReserveIn.readKeys(65536),
        "allocationLength 65536 is not a number from 0 to 65535",
        { option: "allocationLength", value: "65536" },
      ],
      [() => PersistentReserveIn.readFullStatus(-1), "allocationLength -1 is not a number from 0 to 65535"],
      [() => PersistentReserveIn.readKeys(untyped(null)), "PersistentReserveIn (read-keys): allocationLength is null and not a number"],
      [
        () => PersistentReserveIn.readReservation(untyped("24")),
        "PersistentReserveIn (read-reservation): allocationLength is '24' and not a number",
      ],
      [
        () => PersistentReserveIn.reportCapabilities(untyped(undefined)),
        "PersistentReserveIn (report-capabilities): allocationLength is undefined and not a number",
      ],
    ]));

  it("name a service action that does not exist", () =>
    expectRefusals([
      [() => PersistentReserveIn.parse(4, new Uint8Array(8)), "PERSISTENT RESERVE IN has no service action 4", { value: "4" }],
      [() => PersistentReserveIn.completeLength(untyped("no"), new Uint8Array(8)), "PERSISTENT RESERVE IN has no service action no"],
      [
        () => PersistentReserveIn.parse(untyped(null), new Uint8Array(8)),
        "PERSISTENT RESERVE IN: service action is null and not a name or a number",
      ],
    ]));

  it("name bytes that are none, or too few", () =>
    expectRefusals([
      [() => PersistentReserveIn.parse(0, untyped([])), `PersistentReserveIn.parse: bytes is an array and not ${BYTES}`],
      [() => PersistentReserveIn.completeLength(0, untyped("")), `PersistentReserveIn.completeLength: bytes is '' and not ${BYTES}`],
      [() => PersistentReserveIn.parse(0, new Uint8Array(7)), "the data of read-keys ends after 7 bytes, and at least 8 are needed"],
      [
        () => PersistentReserveIn.parse("report-capabilities", new Uint8Array(7)),
        "the data of report-capabilities ends after 7 bytes, and at least 8 are needed",
      ],
      [
        () => PersistentReserveIn.parse(1, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16, ...new Uint8Array(13))),
        "the data of read-reservation ends after 21 bytes, and at least 22 are needed",
      ],
    ]));

  it("name what cannot be encoded as keys", () =>
    expectRefusals([
      [withKeys({ generation: -1 }), "PersistentReserveIn.encodeKeys: generation is -1 and not an integer from 0"],
      [withKeys({ length: 1.5 }), "PersistentReserveIn.encodeKeys: allocationLength is 1.5 and not an integer from 0"],
      [withKeys({ into: [] }), `PersistentReserveIn.encodeKeys: into is an array and not ${BYTES} or undefined`],
      [withKeys({ keys: 5 }), "PersistentReserveIn.encodeKeys: keys is 5 and not an iterable"],
      [withKeys({ count: "1" }), "PersistentReserveIn.encodeKeys: count is '1' and not an integer from 0"],
      [withKeys({ keys: [1] }), "PersistentReserveIn.encodeKeys: each of keys is 1 and not a bigint"],
    ]));

  it("name what cannot be encoded as a reservation", async () => {
    const where = "PersistentReserveIn.encodeReservation: reservation";
    await expectRefusals([
      [withReservation(undefined), `${where} is undefined and not an object`],
      [withReservation({ scope: 0, type: 1 }), `${where}.key is undefined and not a bigint`],
      [withReservation({ key: 1, scope: 0, type: 1 }), `${where}.key is 1 and not a bigint`],
      [withReservation({ key: 1n, scope: -1, type: 1 }), `${where}.scope is -1 and not an integer from 0`],
      [withReservation({ key: 1n, scope: 0, type: "1" }), `${where}.type is '1' and not an integer from 0`],
      [
        () => PersistentReserveIn.encodeReservation(0.5, null, 24),
        "PersistentReserveIn.encodeReservation: generation is 0.5 and not an integer from 0",
      ],
    ]);
  });

  it("name what cannot be encoded as capabilities", async () => {
    const where = "PersistentReserveIn.encodeCapabilities: capabilities";
    const flags = Object.keys(CAPABILITIES).filter((name) => name !== "allowCommands" && name !== "types");
    await expectRefusals(flags.map((name): Case => [withCapabilities({ [name]: 1 }), `${where}.${name} is 1 and not true or false`]));
    await expectRefusals([
      [withCapabilities({ allowCommands: -1 }), `${where}.allowCommands is -1 and not an integer from 0`],
      [withCapabilities({ types: [2] }), `${where}.types is an array and not an array, each element a reservation type or null`],
      [withCapabilities({ types: ["1"] }), `${where}.types is an array and not an array, each element a reservation type or null`],
      [
        () => PersistentReserveIn.encodeCapabilities(untyped(CAPABILITIES), -1),
        "PersistentReserveIn.encodeCapabilities: allocationLength is -1 and not an integer from 0",
      ],
    ]);
  });

  it("name what cannot be encoded as full status", async () => {
    const where = "PersistentReserveIn.encodeFullStatus";
    await expectRefusals([
      [withEntry({ key: 1 }), `${where}: each of entries.key is 1 and not a bigint`],
      [withEntry({ initiator: SAS_TEXT }), `${where}: each of entries.initiator is '${SAS_TEXT}' and not a TransportId`],
      [withEntry({ initiator: undefined, targetPort: -1 }), `${where}: each of entries.initiator is undefined and not a TransportId`],
      [withEntry({}, -1), `${where}: count is -1 and not an integer from 0`],
      [() => PersistentReserveIn.encodeFullStatus(0, untyped([null]), 1, 100), `${where}: each of entries is null and not an object`],
      [() => PersistentReserveIn.encodeFullStatus(0, untyped([7]), 1, 100), `${where}: each of entries is 7 and not an object`],
      [() => PersistentReserveIn.encodeFullStatus(0, untyped({}), 1, 100), `${where}: entries is an object and not an iterable`],
      [() => PersistentReserveIn.encodeFullStatus(-1, [], 1, 100), `${where}: generation is -1 and not an integer from 0`],
    ]);
  });
});

describe("refusals of PERSISTENT RESERVE OUT", () => {
  it("name what cannot be encoded", async () => {
    const where = "PersistentReserveOut.encode";
    const sas = TransportId.parse(SAS_TEXT);
    await expectRefusals([
      [encode([]), `${where}: request.action is undefined and not a string`],
      [() => PersistentReserveOut.encode(untyped(null)), `${where}: request is null and not an object`],
      [encode({ action: "clear", aptpl: 1 }), `${where}: request.aptpl is 1 and not true or false or undefined`],
      [encode({ action: "clear", allTargetPorts: 1 }), `${where}: request.allTargetPorts is 1 and not true or false or undefined`],
      [encode({ action: "clear", unregister: 1 }), `${where}: request.unregister is 1 and not true or false or undefined`],
      [
        encode({ action: "register", transportIds: [SAS_TEXT] }),
        `${where}: request.transportIds is an array and not an array, each element a TransportId or undefined`,
      ],
      [encode({ action: "clear", type: "1" }), `${where}: type is '1' and not a number from 0 to 15`],
      [encode({ action: "clear", scope: null }), `${where}: scope is null and not a number from 0 to 15`],
      [encode({ action: "clear", key: "1" }), `${where}: key is '1' and not an unsigned bigint of 64 bits`],
      [encode({ action: "clear", serviceActionKey: null }), `${where}: serviceActionKey is null and not an unsigned bigint of 64 bits`],
      [encode({ action: "clear", key: 7 }), "key 7 is not an unsigned bigint of 64 bits", { option: "key", value: "7" }],
      [encode({ action: "clear", type: 16 }), "type 16 is not a number from 0 to 15", { option: "type", value: "16" }],
      [encode({ action: "clear", scope: -1 }), "scope -1 is not a number from 0 to 15", { option: "scope", value: "-1" }],
      [
        encode({ action: "register-and-move", transportIds: [sas], relativeTargetPort: 65536 }),
        "relativeTargetPort 65536 is not a number from 0 to 65535",
        { option: "relativeTargetPort", value: "65536" },
      ],
      [encode({ action: "clear", unregister: true }), "clear has no field for unregister", { option: "unregister" }],
      [
        encode({ action: "register-and-move", transportIds: [sas, sas] }),
        "transportIds of register-and-move has 2 TransportIDs instead of 1",
        { option: "transportIds" },
      ],
      [
        encode({ action: "register", transportIds: Array.from({ length: 341 }, () => sas) }),
        "transportIds take 8184 bytes, and at most 8164 fit into a parameter list",
        { option: "transportIds" },
      ],
    ]);
    const unknown = await refusal(encode({ action: "grab" }));
    expect(unknown.message).to.equal("PERSISTENT RESERVE OUT has no service action 'grab'");
    expect(unknown.context).to.deep.equal({ option: "action", value: "grab" });
    expect(unknown.hint).to.equal(
      "known are register, reserve, release, clear, preempt, preempt-and-abort, register-and-ignore-existing-key, register-and-move, " +
        "replace-lost-reservation",
    );
  });

  it("say why a command is not processed", () => {
    const sas = TransportId.parse(SAS_TEXT);
    const problem = (request: ReserveOutRequest, change: (cdb: Uint8Array, list: Uint8Array) => void, settings = {}): unknown => {
      const { cdb, dataOut } = PersistentReserveOut.encode(request);
      change(cdb, dataOut);
      return PersistentReserveOut.parse(cdb, dataOut, settings).problem?.message;
    };
    const listing: ReserveOutRequest = {
      action: "register",
      serviceActionKey: 1n,
      transportIds: [sas, TransportId.parse("naa.5000c50012345679")],
    };
    const move: ReserveOutRequest = { action: "register-and-move", transportIds: [sas] };
    const register: ReserveOutRequest = { action: "register" };
    expect(problem(register, (cdb) => void (cdb[1] = 9))).to.equal("service action 9 is not supported");
    expect(problem(register, (cdb) => void (cdb[8] = 25))).to.equal("PARAMETER LIST LENGTH is 25, data-out has 24 bytes");
    expect(problem(listing, (_cdb, list) => void (list[20] = 0))).to.equal(
      "the parameter list has 76 bytes instead of 24, and SPEC_I_PT is 0",
    );
    expect(problem(register, (_cdb, list) => void (list[20] = 0x08))).to.equal(
      "the parameter list has 24 bytes, too few for TRANSPORTID PARAMETER DATA LENGTH",
    );
    expect(problem({ action: "clear" }, (_cdb, list) => void (list[20] = 0x08))).to.equal("SPEC_I_PT is not supported here");
    expect(problem(register, (_cdb, list) => void (list[20] = 0x04), { allTargetPorts: false })).to.equal(
      "ALL_TG_PT is not supported here",
    );
    expect(problem(register, (_cdb, list) => void (list[20] = 0x01), { persistThroughPowerLoss: false })).to.equal(
      "APTPL is not supported here",
    );
    expect(problem(move, (_cdb, list) => void (list[17] = 0x01), { persistThroughPowerLoss: false })).to.equal(
      "APTPL is not supported here",
    );
    expect(problem(listing, (_cdb, list) => void (list[27] = 49))).to.equal(
      "TRANSPORTID PARAMETER DATA LENGTH 49 reaches beyond the list of 76 bytes",
    );
    expect(problem(listing, (_cdb, list) => void list.copyWithin(52, 28, 52))).to.equal(`the TransportID ${SAS_TEXT} is in the list twice`);
    expect(problem(listing, (_cdb, list) => void (list[28] = 7))).to.equal("protocol identifier 7h has no TransportID");
    expect(problem(move, (_cdb, list) => void (list[23] = 28))).to.equal("TRANSPORTID LENGTH 28 reaches beyond the list of 48 bytes");
    expect(problem(move, (_cdb, list) => void (list[23] = 20))).to.equal("TRANSPORTID LENGTH 20 is not a multiple of 4 from 24");
    expect(problem(move, (_cdb, list) => void (list[24] = 7))).to.equal("protocol identifier 7h has no TransportID");
    const named: ReserveOutRequest = { ...move, transportIds: [TransportId.parse("iqn.2026-11.org.example:abcdef")] };
    const shortened = (_cdb: Uint8Array, list: Uint8Array): void => {
      list[27] = 24;
      list[28 + 6] = 0;
    };
    expect(problem(named, shortened)).to.equal("TRANSPORTID LENGTH is 36, and the TransportID has 28 bytes");
  });

  it("name what is no command", () =>
    expectRefusals([
      [() => PersistentReserveOut.parse(untyped([]), new Uint8Array(24)), `PersistentReserveOut.parse: cdb is an array and not ${BYTES}`],
      [() => PersistentReserveOut.parse(new Uint8Array(10), untyped("")), `PersistentReserveOut.parse: dataOut is '' and not ${BYTES}`],
      [
        () => PersistentReserveOut.parse(new Uint8Array(10), new Uint8Array(24), untyped(5)),
        "PersistentReserveOut.parse: settings is 5 and not an object",
      ],
    ]));
});

describe("what is asked of a command before it is decoded", () => {
  it("is its lengths", () => {
    expect(allocationLengthOf(PersistentReserveIn.readKeys(0x1234).cdb)).to.equal(0x1234);
    const { cdb } = PersistentReserveOut.encode({ action: "clear" });
    expect(parameterListLengthOf(cdb)).to.equal(24);
    cdb[5] = 0x80;
    expect(parameterListLengthOf(cdb)).to.equal(0x8000_0018);
  });

  it("is whether it can turn APTPL on, by either layout of the list", () => {
    const transportIds = [TransportId.parse(SAS_TEXT)];
    for (const aptpl of [true, false]) {
      const lists = [
        PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, allTargetPorts: true, transportIds, aptpl }),
        PersistentReserveOut.encode({ action: "register-and-move", unregister: true, relativeTargetPort: 0x0101, transportIds, aptpl }),
      ];
      for (const { dataOut } of lists) expect(mayActivatePersistence(dataOut)).to.equal(aptpl);
    }
    for (const cut of [0, 17, 20]) expect(mayActivatePersistence(new Uint8Array(cut).fill(0))).to.equal(false);
    expect(mayActivatePersistence(Uint8Array.of(...new Uint8Array(17), 1))).to.equal(true);
  });
});

describe("a nexus", () => {
  it("is an object with a TransportId and a number", () => {
    const initiator = TransportId.parse(SAS_TEXT);
    expect(aNexus.holds({ initiator, targetPort: 1 })).to.equal(true);
    for (const other of [undefined, null, SAS_TEXT, {}, { initiator }, { targetPort: 1 }, { initiator, targetPort: "1" }]) {
      expect(aNexus.holds(other), JSON.stringify(other)).to.equal(false);
    }
    expect(aNexus.holds({ initiator: SAS_TEXT, targetPort: 1 })).to.equal(false);
    expect(aNexus.expects).to.equal("an I_T nexus, { initiator: TransportId, targetPort: number }");
  });
});

describe("refusals of TransportId", () => {
  const bad =
    (text: string): (() => unknown) =>
    () =>
      TransportId.parse(text);

  it("say what of a text is wrong", () =>
    expectRefusals([
      [bad("nonsense"), `invalid TransportID 'nonsense': ${KNOWN_FORMS}`, { value: "nonsense" }],
      [bad("naa.12"), "invalid TransportID 'naa.12': 'naa.' is followed by exactly 16 hexadecimal digits"],
      [bad("srp.12"), "invalid TransportID 'srp.12': 'srp.' is followed by exactly 32 hexadecimal digits"],
      [
        bad("spi.1.65536"),
        "invalid TransportID 'spi.1.65536': 'spi.' is followed by SCSI address and relative target port, each 0 to 65535",
      ],
      [bad("iqn.a,i,0x"), "invalid TransportID 'iqn.a,i,0x': the ISID after ',i,0x' has 1 to 12 hexadecimal digits"],
      [bad("iqn."), "invalid TransportID 'iqn.': the iSCSI name is empty"],
      [bad("iqn.a b"), "invalid TransportID 'iqn.a b': the character ' ' is not allowed in an iSCSI name"],
      [
        bad(`iqn.${"a".repeat(220)}`),
        `invalid TransportID 'iqn.${"a".repeat(124)}…': the iSCSI name has 224 bytes, and at most 223 are allowed`,
      ],
    ]));

  it("say that there is no name before an ISID, and what to write for digits alone", async () => {
    expect((await refusal(bad("iscsi.,i,0x1"))).message).to.contain("the iSCSI name is empty");
    expect((await refusal(bad("5000c50005b32001"))).hint).to.contain("'fc.5000c50005b32001'");
    expect((await refusal(bad("iqn."))).hint).to.equal(undefined);
  });

  it("say what of bytes is wrong", async () => {
    const whole = await refusal(() => TransportId.parse(Uint8Array.of(0x0f, ...new Uint8Array(23))));
    expect(whole.message).to.equal(`invalid TransportID '0f${"00".repeat(23)}': protocol identifier fh has no TransportID`);
    const message = (...data: readonly number[]): unknown =>
      TransportId.decode(Uint8Array.from([...data, ...new Uint8Array(28 - data.length)])).problem?.message;
    const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
    expect(TransportId.decode(new Uint8Array(23)).problem?.message).to.equal("a TransportID has at least 24 bytes, not 23");
    expect(TransportId.decode(new Uint8Array(4), 9).problem?.message).to.equal("a TransportID has at least 24 bytes, not 0");
    expect(message(0x0f)).to.equal("protocol identifier fh has no TransportID");
    expect(message(0x46)).to.equal("format code 1 of protocol sas is reserved");
    expect(message(0x85)).to.equal("format code 2 of protocol iscsi is reserved");
    expect(message(0x05, 0, 0, 22)).to.equal("additional length 22 is not a multiple of 4 from 20");
    expect(message(0x05, 0, 0, 28)).to.equal("additional length 28 reaches beyond the data");
    expect(message(0x05, 0, 0, 24, ...ascii("iqn.aaaaaaaaaaaaaaaaaaaa"))).to.equal("the iSCSI name is not terminated by NUL");
    expect(message(0x05, 0, 0, 24, 0xff)).to.equal("the iSCSI name is not UTF-8");
    expect(message(0x05, 0, 0, 24)).to.equal("the iSCSI name is empty");
    expect(message(0x45, 0, 0, 24, ...ascii("iqn.a,i,0x1"))).to.equal("',i,0x' and 12 hexadecimal digits do not follow the iSCSI name");
  });

  it("name arguments of another kind", () => {
    const id = TransportId.parse(SAS_TEXT);
    return expectRefusals([
      [() => Reflect.construct(TransportId, []) as unknown, "new TransportId (use TransportId.parse): text is undefined and not a string"],
      [() => TransportId.parse(untyped(5)), "TransportId.parse: input is 5 and not a string or a Uint8Array"],
      [() => TransportId.decode(untyped("")), `TransportId.decode: bytes is '' and not ${BYTES}`],
      [() => TransportId.decode(new Uint8Array(24), -1), "TransportId.decode: offset is -1 and not an integer from 0"],
      [() => TransportId.decode(new Uint8Array(24), 0, untyped("9")), "TransportId.decode: end is '9' and not a number or undefined"],
      [() => id.encodeInto(untyped([]), 0), `TransportId.encodeInto: target is an array and not ${BYTES}`],
      [() => id.encodeInto(new Uint8Array(24), 0.5), "TransportId.encodeInto: offset is 0.5 and not an integer from 0"],
      [() => id.equals(untyped(SAS_TEXT)), `TransportId.equals: other is '${SAS_TEXT}' and not a TransportId`],
      [() => id.keyAt(untyped("1")), "TransportId.keyAt: targetPort is '1' and not a number"],
      [() => id.keyAt(untyped(null)), "TransportId.keyAt: targetPort is null and not a number"],
    ]);
  });
});
