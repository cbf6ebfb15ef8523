/** The bytes that a migration carries. Properties print their seed when they fail, as fast-check does, and before, as their title. */
import { expect } from "chai";
import fc from "fast-check";
import { decodeMigration, encodeMigration, STREAM_ATTENTIONS_MAX, STREAM_LENGTH_MAX } from "#src/scsi/migration-stream.js";
import { QomError } from "qom-pr";
import { bytes, hex } from "../support/hex.js";
import { refusal } from "../support/refusal.js";
import { reservationKey } from "./arbitraries.js";

const SEED = 20261130;
const RUNS = { seed: SEED, numRuns: 300 };

const HEAD = "05 0c 736373692d6469736b2f7072";
const CONTENT = "00000001 a1a2a3a4a5a6a7a8 05";

const state = fc.record({ key: reservationKey.filter((key) => key !== 0n), type: fc.nat(15) });
const attention = fc.record({ key: fc.constant(6), asc: fc.nat(255), ascq: fc.nat(255) });
const attentions = fc.array(attention, { maxLength: STREAM_ATTENTIONS_MAX });

describe("a migration's stream", () => {
  it("is QEMU's subsection from its version on", () => {
    expect(hex(encodeMigration({ key: 0xa1a2a3a4a5a6a7a8n, type: 5 }))).to.equal(hex(bytes(CONTENT)));
    expect(decodeMigration(bytes(CONTENT))).to.deep.equal({ key: 0xa1a2a3a4a5a6a7a8n, type: 5, attentions: [] });
  });

  it("may be the whole subsection", () => {
    expect(decodeMigration(bytes(`${HEAD} ${CONTENT}`)).type).to.equal(5);
  });

  it("has unit attentions behind it", () => {
    const stream = encodeMigration({ key: 0xa1a2a3a4a5a6a7a8n, type: 5 }, [
      { key: 6, asc: 0x29, ascq: 3 },
      { key: 6, asc: 0x2a, ascq: 9 },
    ]);
    expect(hex(stream)).to.equal(hex(bytes(`${CONTENT} 02 2903 2a09`)));
  });

  it(`is read as it was written (seed ${SEED})`, () => {
    fc.assert(
      fc.property(state, attentions, fc.boolean(), (written, told, whole) => {
        const content = encodeMigration(written, told);
        expect(content.length).to.be.at.most(STREAM_LENGTH_MAX);
        const stream = whole ? Buffer.concat([bytes(HEAD), content]) : content;
        expect(decodeMigration(Uint8Array.from(stream))).to.deep.equal({ ...written, attentions: told });
      }),
      RUNS,
    );
  });

  it(`is refused when it ends too early or goes on too long (seed ${SEED})`, () => {
    const cut = fc.tuple(
      state,
      attentions,
      fc.integer({ min: -20, max: 20 }).filter((by) => by !== 0),
    );
    fc.assert(
      fc.property(cut, fc.uint8Array({ minLength: 20, maxLength: 20 }), ([written, told, by], more) => {
        const content = encodeMigration(written, told);
        const stream = by < 0 ? content.subarray(0, by) : Uint8Array.from([...content, ...more.subarray(0, by)]);
        // What follows QEMU's content may be unit attentions, and nothing else.
        fc.pre(!(told.length === 0 && by > 0 && stream.length === 14 + 2 * (stream[13] ?? 0)));
        // Without what is behind it, the content is complete.
        fc.pre(!(told.length > 0 && stream.length === 13));
        expect(() => decodeMigration(stream)).to.throw(QomError, /^a migration stream .*(is torn|ends after|at most 64)/);
      }),
      RUNS,
    );
  });

  it(`never crashes, whatever it is (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, begins) => {
        const stream = begins ? Uint8Array.from([0, 0, 0, 1, ...noise]) : noise;
        try {
          const { key, type, attentions: told } = decodeMigration(stream);
          expect(decodeMigration(encodeMigration({ key, type }, told))).to.deep.equal({ key, type, attentions: told });
        } catch (error) {
          expect(error).to.be.instanceOf(QomError);
        }
      }),
      RUNS,
    );
  });

  const REFUSED: readonly (readonly [string, string, string, string])[] = [
    ["nothing", "", "syntax", "a migration stream of reservations is torn: it has 0 bytes instead of 13"],
    [
      "one of another version",
      "00000002 a1a2a3a4a5a6a7a8 05",
      "unsupported",
      "a migration stream of reservations has version 2, and version 1 is understood",
    ],
    [
      "one without its version",
      "a1a2a3a4a5a6a7a8 05",
      "unsupported",
      "a migration stream of reservations has version 2711790500, and version 1 is understood",
    ],
    [
      "one that is torn",
      "00000001 a1a2a3a4a5a6a7a8",
      "syntax",
      "a migration stream of reservations is torn: it has 12 bytes instead of 13",
    ],
    ["a subsection that is torn", `${HEAD} 00000001`, "syntax", "a migration stream of reservations is torn: it has 4 bytes instead of 13"],
    ["one byte more", `${CONTENT} 00`, "syntax", "a migration stream of reservations has 14 bytes and ends after 13"],
    [
      "fewer unit attentions than it says",
      `${CONTENT} 02 2903`,
      "syntax",
      "a migration stream of reservations is torn: it has 16 bytes instead of 18",
    ],
    [
      "more unit attentions than there can be",
      `${CONTENT} 41`,
      "limit",
      "a migration stream has 65 unit attentions, and at most 64 are taken",
    ],
    [
      "an impossible type",
      "00000001 a1a2a3a4a5a6a7a8 15",
      "invalid-value",
      "a migration stream of reservations has type 21 for key 0xa1a2a3a4a5a6a7a8, which cannot be",
    ],
    [
      "a type without a key",
      "00000001 0000000000000000 05",
      "invalid-value",
      "a migration stream of reservations has type 5 for key 0x0000000000000000, which cannot be",
    ],
  ];
  for (const [what, stream, kind, message] of REFUSED) {
    it(`is refused: ${what}`, async () => {
      const error = await refusal(() => decodeMigration(bytes(stream)));
      expect([error.kind, error.message]).to.deep.equal([kind, message]);
    });
  }
});
