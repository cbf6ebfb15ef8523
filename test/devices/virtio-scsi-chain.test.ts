/** Descriptor chains: where one segment ends and the next begins means nothing. */
import { expect } from "chai";
import fc from "fast-check";
import { copyOf, headOf, lengthOf, viewIn, writeTo } from "#src/devices/virtio-scsi/chain.js";

/** Segments of 0 to 12 bytes, with bytes that tell their place. */
const segments = fc.array(fc.nat(12), { maxLength: 6 }).map((lengths) => {
  let next = 1;
  return lengths.map((length) => Uint8Array.from({ length }, () => next++));
});

describe("descriptor chains", () => {
  it("are read and written as if they were one buffer", () => {
    fc.assert(
      fc.property(segments, fc.nat(40), fc.nat(40), (chain, offset, length) => {
        const flat = Buffer.concat(chain);
        expect(lengthOf(chain)).to.equal(flat.length);
        expect(Buffer.from(copyOf(chain, offset, length))).to.deep.equal(Buffer.from(flat.subarray(offset, offset + length)));
        const view = viewIn(chain, offset, length);
        if (view !== null) expect(Buffer.from(view)).to.deep.equal(Buffer.from(flat.subarray(offset, offset + length)));
        const bytes = Uint8Array.from({ length }, (_, at) => 200 - at);
        const expected = Buffer.from(flat);
        expected.set(bytes.subarray(0, Math.max(0, flat.length - offset)), Math.min(offset, flat.length));
        writeTo(chain, offset, bytes);
        expect(Buffer.concat(chain)).to.deep.equal(expected);
      }),
    );
  });

  it("give a view where one segment has all of the bytes", () => {
    const [first, second] = [new Uint8Array(4), new Uint8Array(8)];
    const chain = [first, second];
    expect(viewIn(chain, 4, 8)).to.include({ buffer: second.buffer, byteOffset: 0, length: 8 });
    expect(viewIn(chain, 6, 2)).to.include({ buffer: second.buffer, byteOffset: 2, length: 2 });
    expect(viewIn(chain, 3, 2)).to.equal(null);
    expect(viewIn(chain, 5, 8)).to.equal(null);
    expect(viewIn(chain, 12, 1)).to.equal(null);
  });

  it("give the segment itself where no view of it is needed", () => {
    const [first, second] = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6)];
    const chain = [first, second];
    expect(viewIn(chain, 0, 4)).to.equal(first);
    expect(viewIn(chain, 4, 2)).to.equal(second);
    expect(headOf(chain, 3)).to.equal(first);
    const head = headOf(chain, 5);
    first.fill(9);
    expect([...head]).to.deep.equal([1, 2, 3, 4, 5]);
  });
});
