import { expect } from "chai";
import fc from "fast-check";
import { AssertionError } from "#src/base/assert.js";
import {
  DATA_SIZE_MAX,
  encodeFeatures,
  encodeRequest,
  ResponseDecoder,
  RESPONSE_HEADER_SIZE,
  SENSE_SIZE,
  transferLengthOf,
  writeResponseHeader,
} from "#src/scsi/pr-helper.js";
import type { Decoded } from "#src/scsi/pr-helper.js";
import { fromHex } from "#src/scsi/bytes.js";
import { headerBytes, responseBytes } from "./helper-socket-server.js";

/** Pushes `bytes` cut at `cuts` until the decoder has something to say. */
function decode(decoder: ResponseDecoder, bytes: Uint8Array, cuts: readonly number[] = []): Decoded {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let start = 0;
  let decoded: Decoded = { kind: "incomplete" };
  for (const end of ends) {
    decoded = decoder.push(bytes.subarray(start, end));
    start = end;
    if (decoded.kind !== "incomplete") return decoded;
  }
  return decoded;
}

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex.replaceAll(" ", "")) ?? expect.fail("not hexadecimal");
}

function expecting(dataMax: number): ResponseDecoder {
  const decoder = new ResponseDecoder();
  decoder.start(dataMax);
  return decoder;
}

describe("helper socket: protocol", () => {
  it("encodes what goes to the server", () => {
    expect(encodeFeatures(0)).to.deep.equal(bytesOf("00000000"));
    expect(encodeFeatures(0x80000001)).to.deep.equal(bytesOf("80000001"));
    const readKeys = bytesOf("5e 00 00 00 00 00 00 20 00 00");
    expect(encodeRequest(readKeys)).to.deep.equal(bytesOf("5e 00 00 00 00 00 00 20 00 00 00 00 00 00 00 00"));
    const reserve = bytesOf("5f 01 05 00 00 00 00 00 02 00");
    expect(encodeRequest(reserve, bytesOf("aabb"))).to.deep.equal(bytesOf("5f 01 05 00 00 00 00 00 02 00 00 00 00 00 00 00 aabb"));
  });

  it("goes by CDB bytes 7 and 8, as both sides of QEMU do", () => {
    expect(transferLengthOf(bytesOf("5f 00 00 00 00 00 01 00 18 00"))).to.equal(0x18);
    expect(transferLengthOf(bytesOf("5e"))).to.equal(0);
  });

  it("refuses requests that no server could understand", () => {
    expect(() => encodeRequest(new Uint8Array(0))).to.throw(AssertionError);
    expect(() => encodeRequest(new Uint8Array(17))).to.throw(AssertionError);
    expect(() => encodeRequest(bytesOf("5f 00 00 00 00 00 00 00 18 00"), new Uint8Array(23))).to.throw(AssertionError);
    expect(() => encodeRequest(bytesOf("5e 00 00 00 00 00 00 00 18 00"), new Uint8Array(24))).to.throw(AssertionError);
    expect(() => encodeRequest(bytesOf("5f 00 00 00 00 00 00 20 01 00"), new Uint8Array(8193))).to.throw(AssertionError);
  });

  it("decodes an answer of qemu-pr-helper: /dev/null, I/O PROCESS TERMINATED", () => {
    const bytes = Buffer.concat([bytesOf("00000002 00000000 70 00 0b 00 00 00 00 0a 00 00 00 00 00 06"), Buffer.alloc(82)]);
    expect(bytes).to.have.length(RESPONSE_HEADER_SIZE);
    const sense = new Uint8Array(SENSE_SIZE);
    sense.set(bytesOf("70 00 0b 00 00 00 00 0a 00 00 00 00 00 06"));
    expect(decode(expecting(8), bytes)).to.deep.equal({
      kind: "response",
      response: { status: 2, dataIn: new Uint8Array(0), sense },
    });
  });

  it("decodes every response the server can encode, however it is cut", () => {
    const responses = fc.record({
      status: fc.constantFrom(0, 2, 8, 0x18, 0x28, 0xff),
      dataIn: fc.uint8Array({ maxLength: 300 }),
      sense: fc.uint8Array({ maxLength: 120 }),
      cuts: fc.array(fc.nat(500), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(responses, ({ status, dataIn, sense, cuts }) => {
        const filled = new Uint8Array(SENSE_SIZE);
        filled.set(sense.subarray(0, SENSE_SIZE));
        expect(decode(expecting(300), responseBytes(status, dataIn, sense), cuts)).to.deep.equal({
          kind: "response",
          response: { status, dataIn: status === 0 ? dataIn : new Uint8Array(0), sense: status === 2 ? filled : new Uint8Array(0) },
        });
      }),
    );
  });

  it("decodes one response after the other", () => {
    const decoder = expecting(24);
    for (const bytes of [responseBytes(0, new Uint8Array(24).fill(1)), responseBytes(0x18), responseBytes(0, new Uint8Array(3).fill(2))]) {
      decoder.start(24);
      const decoded = decode(decoder, bytes, [50, 105]);
      expect(decoded).to.have.property("kind", "response");
      if (decoded.kind === "response") expect(responseBytes(decoded.response.status, decoded.response.dataIn)).to.deep.equal(bytes);
    }
  });

  it("never throws, whatever it is sent", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400), { maxLength: 6 }), fc.nat(9000), (bytes, cuts, dataMax) => {
        const decoded = decode(expecting(dataMax), bytes, cuts);
        expect(decoded.kind).to.be.oneOf(["incomplete", "response", "violation"]);
        if (bytes.length < RESPONSE_HEADER_SIZE) expect(decoded.kind).to.equal("incomplete");
      }),
    );
  });

  const violations: readonly (readonly [name: string, dataMax: number, bytes: Uint8Array, text: string])[] = [
    ["a size below zero", 8192, headerBytes(0, -1), "-1 bytes of data where at most 8192 fit"],
    ["the most negative size", 8192, headerBytes(0, -(2 ** 31)), "-2147483648 bytes of data where at most 8192 fit"],
    ["one byte more than the buffer", 24, headerBytes(0, 25), "25 bytes of data where at most 24 fit"],
    ["more than the protocol allows, whatever the buffer", 70_000, headerBytes(0, 8193), "8193 bytes of data where at most 8192 fit"],
    ["data for PERSISTENT RESERVE OUT", 0, headerBytes(0, 1), "1 bytes of data where at most 0 fit"],
    ["a status that is no byte", 24, headerBytes(0x102, 0), "SCSI status 258"],
    ["a negative status", 24, headerBytes(-5, 0), "SCSI status -5"],
    [
      "bytes after the end",
      24,
      Buffer.concat([responseBytes(0, new Uint8Array(8)), Buffer.alloc(3)]),
      "3 bytes after the end of the response",
    ],
  ];
  for (const [name, dataMax, bytes, text] of violations) {
    it(`notices ${name}`, () => {
      expect(decode(expecting(dataMax), bytes)).to.deep.equal({ kind: "violation", text });
    });
  }

  it("says how far a response has come", () => {
    const decoder = expecting(24);
    const bytes = responseBytes(0, new Uint8Array(24));
    expect(decoder.progress).to.equal("0 of 104 header bytes");
    decoder.push(bytes.subarray(0, 37));
    expect(decoder.progress).to.equal("37 of 104 header bytes");
    decoder.push(bytes.subarray(37, 109));
    expect(decoder.progress).to.equal("5 of 24 data bytes");
  });

  it("writes a header over whatever was there, and cuts sense data that are too long", () => {
    const bytes = new Uint8Array(RESPONSE_HEADER_SIZE + 1).fill(0xee);
    writeResponseHeader(bytes, 2, 0, new Uint8Array(200).fill(1));
    expect(bytes[RESPONSE_HEADER_SIZE]).to.equal(0xee);
    expect(bytes.subarray(8, RESPONSE_HEADER_SIZE)).to.deep.equal(new Uint8Array(SENSE_SIZE).fill(1));
    writeResponseHeader(bytes, 0, DATA_SIZE_MAX, new Uint8Array(0));
    expect(bytes.subarray(0, RESPONSE_HEADER_SIZE)).to.deep.equal(new Uint8Array(headerBytes(0, DATA_SIZE_MAX)));
    expect(() => writeResponseHeader(bytes, 0x100, 0, new Uint8Array(0))).to.throw(AssertionError);
    expect(() => writeResponseHeader(bytes, 0, DATA_SIZE_MAX + 1, new Uint8Array(0))).to.throw(AssertionError);
  });
});
