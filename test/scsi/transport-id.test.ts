import { expect } from "chai";
import fc from "fast-check";
import { nexusKey } from "#src/scsi/nexus.js";
import { TRANSPORT_ID_LENGTH_MAX, TransportId } from "#src/scsi/transport-id.js";
import { refusal } from "../support/refusal.js";
import { anyBytes, transportId, transportIdText } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const ZEROS_8 = "00 00 00 00 00 00 00 00";
const ascii = (text: string): string => hex(new TextEncoder().encode(text));

/** text, protocol, bytes on the wire */
const GOLDEN: readonly (readonly [text: string, protocol: string, wire: string])[] = [
  ["fc.2100000e1e30abcd", "fc", `${ZEROS_8} 21 00 00 0E 1E 30 AB CD ${ZEROS_8}`],
  ["spi.7.513", "spi", `01 00 00 07 00 00 02 01 ${ZEROS_8} ${ZEROS_8}`],
  ["spi.65535.65535", "spi", `01 00 FF FF 00 00 FF FF ${ZEROS_8} ${ZEROS_8}`],
  ["sbp.0123456789abcdef", "sbp", `03 00 00 00 00 00 00 00 01 23 45 67 89 AB CD EF ${ZEROS_8}`],
  ["srp.00112233445566778899aabbccddeeff", "srp", "04 00 00 00 00 00 00 00 00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF"],
  ["naa.5000c50012345678", "sas", `06 00 00 00 50 00 C5 00 12 34 56 78 ${ZEROS_8} 00 00 00 00`],
  ["sop.0180", "sop", `0A 00 01 80 00 00 00 00 ${ZEROS_8} ${ZEROS_8}`],
  ["iqn.2024-01.example:h1,i,0x00023d000001", "iscsi", `45 00 00 28 ${ascii("iqn.2024-01.example:h1,i,0x00023d000001")} 00`],
  ["iqn.2024-01.example:h1", "iscsi", `05 00 00 18 ${ascii("iqn.2024-01.example:h1")} 00 00`],
  ["iqn.a", "iscsi", `05 00 00 14 ${ascii("iqn.a")} ${"00".repeat(15)}`],
  ["eui.02004567a425678d", "iscsi", `05 00 00 18 ${ascii("eui.02004567a425678d")} 00 00 00 00`],
  ["iscsi.naa.5000c50012345678", "iscsi", `05 00 00 18 ${ascii("naa.5000c50012345678")} 00 00 00 00`],
];

describe("TransportId", () => {
  for (const [text, protocol, wire] of GOLDEN) {
    it(`is ${text} as text and as bytes`, () => {
      const id = TransportId.parse(text);
      expect(id.protocol).to.equal(protocol);
      expect(hex(id.encode())).to.equal(digits(wire));
      expect(id.encodedLength).to.equal(digits(wire).length / 2);
      expect(TransportId.parse(bytes(wire)).format()).to.equal(text);
      expect(String(id)).to.equal(text);
    });
  }

  it("takes hexadecimal digits of either case and prints lower case", () => {
    expect(TransportId.parse("NAA.5000C50012345678").format()).to.equal("naa.5000c50012345678");
  });

  it("takes an ISID of fewer digits, and an iSCSI name of the naa type when an ISID follows", () => {
    expect(TransportId.parse("iqn.a,i,0x1F").format()).to.equal("iqn.a,i,0x00000000001f");
    expect(TransportId.parse("naa.5000c50012345678,i,0x1").format()).to.equal("iscsi.naa.5000c50012345678,i,0x000000000001");
    expect(TransportId.parse("iscsi.iqn.a").format()).to.equal("iqn.a");
    expect(TransportId.parse("iscsi.x.iqn.a").format()).to.equal("iscsi.x.iqn.a");
  });

  it("keeps the case of an iSCSI name and ignores it when comparing", () => {
    const upper = TransportId.parse("iqn.2024-01.Example:H1,I,0X00023D000001");
    const lower = TransportId.parse("iqn.2024-01.example:h1,i,0x23d000001");
    expect(upper.format()).to.equal("iqn.2024-01.Example:H1,i,0x00023d000001");
    expect(upper.equals(lower)).to.equal(true);
    expect(upper.key).to.equal(lower.key);
    expect(upper.equals(TransportId.parse("iqn.2024-01.example:h1"))).to.equal(false);
  });

  it("tells an initiator port from an initiator device", () => {
    expect(TransportId.parse("iqn.a").namesPort).to.equal(false);
    expect(TransportId.parse("iqn.a,i,0x1").namesPort).to.equal(true);
    expect(TransportId.parse("naa.5000c50012345678").namesPort).to.equal(true);
  });

  it("has a key for the initiator device, which all ISIDs of an iSCSI name share", () => {
    const keys = ["iqn.A", "iqn.a,i,0x1", "iqn.a,i,0xffffffffffff"].map((text) => TransportId.parse(text).deviceKey);
    expect(keys).to.deep.equal(["iqn.a", "iqn.a", "iqn.a"]);
    for (const text of ["naa.5000c50012345678", "srp.00112233445566778899aabbccddeeff", "spi.1.2"]) {
      expect(TransportId.parse(text).deviceKey).to.equal(text);
    }
  });

  it("has other keys for the same digits of another transport", () => {
    const texts = [
      "fc.5000c50012345678",
      "naa.5000c50012345678",
      "sbp.5000c50012345678",
      "iscsi.naa.5000c50012345678",
      "eui.5000c50012345678",
    ];
    expect(new Set(texts.map((text) => TransportId.parse(text).key)).size).to.equal(texts.length);
  });

  const REFUSED: readonly (readonly [text: string, kind: string])[] = [
    ["", "syntax"],
    ["5000c50012345678", "syntax"],
    ["naa.5000c5001234567", "syntax"],
    ["naa.5000c500123456789", "syntax"],
    ["naa.5000c5001234567g", "syntax"],
    ["fc.", "syntax"],
    ["srp.0011223344556677", "syntax"],
    ["sop.180", "syntax"],
    ["spi.1", "syntax"],
    ["spi.1.2.3", "syntax"],
    ["spi.65536.1", "syntax"],
    ["spi.1.65536", "syntax"],
    ["spi.-1.1", "syntax"],
    ["iqn.", "syntax"],
    ["eui.", "syntax"],
    ["iscsi.", "syntax"],
    ["iscsi.iqn.", "syntax"],
    ["iqn.a b", "syntax"],
    ["iqn.a,b", "syntax"],
    ["iqn.a\u0000", "syntax"],
    ["iqn.a\ud800", "syntax"],
    ["iqn.a\u202e", "syntax"],
    ["iqn.a,i,0x", "syntax"],
    ["iqn.a,i,0x1234567890123", "syntax"],
    ["iqn.a,i,0xg", "syntax"],
    ["iqn.a,i,0x1,i,0x2", "syntax"],
    ["fc.2100000e1e30abcd,i,0x1", "syntax"],
    [`iqn.${"a".repeat(220)}`, "limit"],
    [`iqn.${"ü".repeat(110)}`, "limit"],
  ];
  for (const [text, kind] of REFUSED) {
    it(`refuses ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)} as ${kind}`, async () => {
      const error = await refusal(() => TransportId.parse(text));
      expect(error.kind).to.equal(kind);
      expect(error.message).to.match(/^invalid TransportID '.*': /);
      if (text.length < 40 && /^[ -~]*$/.test(text)) expect(error.message).to.contain(`'${text}'`);
    });
  }

  it("takes the longest iSCSI name", () => {
    const id = TransportId.parse(`iqn.${"a".repeat(219)},i,0x1`);
    expect(id.encodedLength).to.equal(TRANSPORT_ID_LENGTH_MAX);
  });

  it("refuses bytes that follow a TransportID, and names the bytes", async () => {
    const error = await refusal(() => TransportId.parse(bytes(`06 00 00 00 50 00 C5 00 12 34 56 78 ${ZEROS_8} 00 00 00 00 FF`)));
    expect(error.message).to.contain("06000000").and.to.contain("1 bytes follow");
  });

  /** what is wrong, bytes, offset of the field at fault */
  const MALFORMED: readonly (readonly [name: string, wire: string, offset: number])[] = [
    ["23 bytes", "00".repeat(23), 0],
    ["protocol 2h", `02 ${"00".repeat(23)}`, 0],
    ["protocol 7h", `07 ${"00".repeat(23)}`, 0],
    ["protocol Fh", `0F ${"00".repeat(23)}`, 0],
    ["SAS of format 01b", `46 ${"00".repeat(23)}`, 0],
    ["iSCSI of format 10b", `85 00 00 14 ${ascii("iqn.a")} ${"00".repeat(15)}`, 0],
    ["additional length 16", `05 00 00 10 ${ascii("iqn.a")} ${"00".repeat(15)}`, 2],
    ["additional length 22", `05 00 00 16 ${ascii("iqn.a")} ${"00".repeat(17)}`, 2],
    ["additional length beyond the data", `05 00 00 18 ${ascii("iqn.a")} ${"00".repeat(15)}`, 2],
    ["no NUL", `05 00 00 14 ${ascii("iqn.aaaaaaaaaaaaaaaa")}`, 4],
    ["empty name", `05 00 00 14 ${"00".repeat(20)}`, 4],
    ["bytes that are not UTF-8", `05 00 00 14 69 71 6E 2E FF ${"00".repeat(15)}`, 4],
    ["a separator in format 00b", `05 00 00 18 ${ascii("iqn.a,i,0x00023d000001")} 00 00`, 4],
    ["no separator in format 01b", `45 00 00 14 ${ascii("iqn.a")} ${"00".repeat(15)}`, 4],
    ["an ISID of 11 digits", `45 00 00 18 ${ascii("iqn.a,i,0x0023d000001")} 00 00 00`, 4],
    ["an ISID of 13 digits", `45 00 00 18 ${ascii("iqn.a,i,0x00023d0000010")} 00`, 4],
    ["an ISID of 12 digits and something else", `45 00 00 18 ${ascii("iqn.a,i,0x00023d000001g")} 00`, 4],
    ["an ISID that is not hexadecimal", `45 00 00 18 ${ascii("iqn.a,i,0x0023d00000g1")} 00 00`, 4],
    ["a NUL before the separator", `45 00 00 18 ${ascii("iqn.")} 00 ${ascii(",i,0x00023d000001")} 00 00`, 4],
    ["a name of 224 bytes", `05 00 00 E4 ${ascii(`iqn.${"a".repeat(220)}`)} 00 00 00 00`, 4],
  ];
  for (const [name, wire, offset] of MALFORMED) {
    it(`reports ${name} as a problem with its place`, () => {
      for (const before of [0, 5]) {
        const data = new Uint8Array(before + bytes(wire).length);
        data.set(bytes(wire), before);
        const decoded = TransportId.decode(data, before);
        expect(decoded.problem?.offset, decoded.id?.format()).to.equal(before + offset);
      }
    });
  }

  it("does not look beyond `end`, and ignores reserved bits", () => {
    const two = bytes(`36 FF FF FF 50 00 C5 00 12 34 56 78 ${"FF".repeat(12)} 00`);
    expect(TransportId.decode(two, 0, 24).id?.format()).to.equal("naa.5000c50012345678");
    expect(TransportId.decode(two, 0, 23).problem).to.not.equal(undefined);
  });

  it("gives back what it was given, as text and as bytes", () => {
    fc.assert(
      fc.property(transportIdText, (text) => {
        const id = TransportId.parse(text);
        const again = TransportId.parse(id.encode());
        expect(id.format()).to.equal(text);
        expect(again.format()).to.equal(text);
        expect(again.equals(id)).to.equal(true);
        expect(id.encodedLength % 4).to.equal(0);
        expect(id.encodedLength).to.be.within(24, TRANSPORT_ID_LENGTH_MAX);
      }),
    );
  });

  it("reports a problem for an id cut at any byte", () => {
    fc.assert(
      fc.property(transportId, (id) => {
        const whole = id.encode();
        for (let end = 0; end < whole.length; end += 1) {
          expect(TransportId.decode(whole, 0, end).problem, `${end} bytes`).to.not.equal(undefined);
          expect(TransportId.decode(whole.subarray(0, end)).problem, `${end} bytes`).to.not.equal(undefined);
        }
      }),
    );
  });

  it("decodes or reports any bytes, and what it decodes is stable", () => {
    const likely = fc
      .tuple(
        fc.constantFrom(0, 1, 3, 4, 5, 0x45, 6, 0xa, 0xff),
        fc.constantFrom(20, 24, 28),
        fc.uint8Array({ minLength: 24, maxLength: 40 }),
      )
      .map(([first, length, rest]) => Uint8Array.of(first, 0, 0, length, ...rest));
    fc.assert(
      fc.property(fc.oneof(anyBytes, likely), fc.nat(8), (data, offset) => {
        const decoded = TransportId.decode(data, offset);
        if (decoded.problem !== undefined) {
          expect(decoded.problem.message).to.not.match(/[\r\n]/);
          return;
        }
        expect(offset + decoded.length).to.be.at.most(data.length);
        expect(TransportId.parse(decoded.id.format()).key).to.equal(decoded.id.key);
        expect(TransportId.parse(decoded.id.encode()).format()).to.equal(decoded.id.format());
      }),
    );
  });

  it("writes as much of itself as fits", () => {
    const id = TransportId.parse("naa.5000c50012345678");
    for (let length = 0; length <= 30; length += 1) {
      const target = new Uint8Array(length).fill(0xee);
      id.encodeInto(target, 2);
      const expected = new Uint8Array(length).fill(0xee);
      expected.set(id.encode().subarray(0, Math.max(0, length - 2)), Math.min(2, length));
      expect(hex(target)).to.equal(hex(expected));
    }
  });

  it("does not change when its bytes are written to", () => {
    const id = TransportId.parse("naa.5000c50012345678");
    id.encode().fill(0);
    expect(hex(id.encode()).slice(0, 2)).to.equal("06");
  });
});

describe("nexusKey", () => {
  it("is equal for the same nexus only", () => {
    const a = TransportId.parse("iqn.a");
    const sameAsA = TransportId.parse("IQN.A");
    const b = TransportId.parse("iqn.b");
    expect(nexusKey({ initiator: a, targetPort: 1 })).to.equal(nexusKey({ initiator: sameAsA, targetPort: 1 }));
    expect(nexusKey({ initiator: a, targetPort: 1 })).to.not.equal(nexusKey({ initiator: a, targetPort: 2 }));
    expect(nexusKey({ initiator: a, targetPort: 1 })).to.not.equal(nexusKey({ initiator: b, targetPort: 1 }));
    expect(nexusKey({ initiator: TransportId.parse("spi.1.1"), targetPort: 12 })).to.not.equal(
      nexusKey({ initiator: TransportId.parse("spi.1.11"), targetPort: 2 }),
    );
  });
});
