import { expect } from "chai";
import fc from "fast-check";
import * as mode from "#src/scsi/mode.js";
import type { ControlPage, ModePageData, ModeParameters } from "#src/scsi/mode.js";
import { anyBytes } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const CONTROL: ControlPage = {
  taskSetType: 1,
  noUnitAttentionOnRelease: true,
  descriptorSense: true,
  logSavingDisabled: true,
  queueAlgorithm: 1,
  queueError: 0,
  unitAttentionInterlock: 3,
  softwareWriteProtect: true,
  applicationTagOwner: true,
  taskAbortedStatus: true,
};

const PARAMETERS: ModeParameters = {
  mediumType: 0,
  deviceSpecific: mode.DeviceSpecific.WRITE_PROTECTED | mode.DeviceSpecific.DPO_FUA,
  blockDescriptor: { blocks: 0x20000, blockSizeBytes: 512 },
  pages: [mode.encodeCachingPage({ writeCache: true, readCacheDisabled: false }), mode.encodeControlPage(CONTROL)],
};

const CACHING_HEX = `08 12 04 ${"00".repeat(17)}`;
const CONTROL_HEX = "0A 0A 26 18 38 C0 000000000000";

/** `ok`, or kind and offset of the problem. */
function verdict(data: Uint8Array, form: mode.ModeHeaderForm): string {
  const parsed = mode.parseModeParameters(data, form);
  return parsed.problem === undefined ? "ok" : `${parsed.problem.kind} ${parsed.problem.offset}`;
}

describe("mode parameters", () => {
  const page: fc.Arbitrary<ModePageData> = fc
    .tuple(fc.nat(63), fc.option(fc.nat(255)), fc.boolean(), fc.uint8Array({ maxLength: 30 }))
    .map(([pageCode, subpageCode, savable, contents]) => ({ pageCode, subpageCode, savable, contents }));
  const parameters: fc.Arbitrary<ModeParameters> = fc.record({
    mediumType: fc.nat(255),
    deviceSpecific: fc.nat(255),
    blockDescriptor: fc.option(fc.record({ blocks: fc.nat(0xffffffff), blockSizeBytes: fc.nat(0xffffff) })),
    pages: fc.array(page, { maxLength: 4 }),
  });

  it("have the layout of the standard", () => {
    expect(hex(mode.encodeModeParameters(PARAMETERS, 6))).to.equal(digits(`2B 00 90 08 00020000 00 000200 ${CACHING_HEX} ${CONTROL_HEX}`));
    expect(hex(mode.encodeModeParameters(PARAMETERS, 10))).to.equal(
      digits(`002E 00 90 00 00 0008 00020000 00 000200 ${CACHING_HEX} ${CONTROL_HEX}`),
    );
    const subpage: ModePageData = { pageCode: 0x0a, subpageCode: 0x05, savable: true, contents: Uint8Array.of(1, 2, 3) };
    expect(hex(mode.encodeModeParameters({ ...PARAMETERS, blockDescriptor: null, pages: [subpage] }, 6))).to.equal(
      digits("0A 00 90 00 CA 05 0003 010203"),
    );
  });

  it("give back what was encoded", () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom(6 as const, 10 as const), (value, form) => {
        expect(mode.parseModeParameters(mode.encodeModeParameters(value, form), form)).to.deep.equal({ parameters: value });
      }),
    );
  });

  it("do not overflow the 8-bit length", () => {
    const long: ModePageData = { pageCode: 1, subpageCode: null, savable: false, contents: new Uint8Array(255) };
    expect(mode.encodeModeParameters({ ...PARAMETERS, pages: [long] }, 6)[0]).to.equal(255);
  });

  it("are cut short or whole at any byte, never something else", () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom(6 as const, 10 as const), (value, form) => {
        const data = mode.encodeModeParameters(value, form);
        for (let length = 0; length < data.length; length += 1) {
          const parsed = mode.parseModeParameters(data.subarray(0, length), form);
          if (parsed.problem === undefined) {
            expect(parsed.parameters.pages).to.deep.equal(value.pages.slice(0, parsed.parameters.pages.length));
            expect(parsed.parameters.pages.length).to.be.lessThan(Math.max(1, value.pages.length));
          } else {
            expect(parsed.problem.kind).to.equal("cut");
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it("say where they are wrong", () => {
    expect(verdict(bytes("00 00 00"), 6)).to.equal("cut 0");
    expect(verdict(bytes("00 00 00 08 00 00 00 00"), 6)).to.equal("cut 4");
    expect(verdict(bytes("00 00 00 07 00 00 00 00 00 00 00"), 6)).to.equal("invalid 3");
    expect(verdict(bytes("0000 00 00 01 00 0000"), 10)).to.equal("invalid 4");
    expect(verdict(bytes("0000 00 00 00 00 0009 000000000000000000"), 10)).to.equal("invalid 6");
    expect(verdict(bytes("00 00 00 00 0A"), 6)).to.equal("cut 4");
    expect(verdict(bytes("00 00 00 00 0A 01"), 6)).to.equal("cut 4");
    expect(verdict(bytes("00 00 00 00 4A 01 00"), 6)).to.equal("cut 4");
    expect(verdict(bytes("00 00 00 00"), 6)).to.equal("ok");
  });

  it("use the first of several block descriptors", () => {
    const { parameters: parsed } = mode.parseModeParameters(bytes("00 00 00 10 00000001 00 000200 00000002 00 001000"), 6);
    expect(parsed?.blockDescriptor).to.deep.equal({ blocks: 1, blockSizeBytes: 512 });
  });

  it("are read from any bytes", () => {
    fc.assert(
      fc.property(anyBytes, (data) => {
        verdict(data, 6);
        verdict(data, 10);
      }),
    );
  });
});

describe("mode pages", () => {
  it("give back what was encoded", () => {
    const control: fc.Arbitrary<ControlPage> = fc.record({
      taskSetType: fc.nat(7),
      noUnitAttentionOnRelease: fc.boolean(),
      descriptorSense: fc.boolean(),
      logSavingDisabled: fc.boolean(),
      queueAlgorithm: fc.nat(15),
      queueError: fc.nat(3),
      unitAttentionInterlock: fc.nat(3),
      softwareWriteProtect: fc.boolean(),
      applicationTagOwner: fc.boolean(),
      taskAbortedStatus: fc.boolean(),
    });
    fc.assert(
      fc.property(control, fc.boolean(), fc.boolean(), (page, writeCache, readCacheDisabled) => {
        expect(mode.parseControlPage(mode.encodeControlPage(page))).to.deep.equal(page);
        expect(mode.parseCachingPage(mode.encodeCachingPage({ writeCache, readCacheDisabled }))).to.deep.equal({
          writeCache,
          readCacheDisabled,
        });
      }),
    );
  });

  it("are not taken for one another, for subpages or when cut", () => {
    const control = mode.encodeControlPage(CONTROL);
    const caching = mode.encodeCachingPage({ writeCache: true, readCacheDisabled: true });
    expect(mode.parseControlPage(caching)).to.equal(null);
    expect(mode.parseCachingPage(control)).to.equal(null);
    expect(mode.parseControlPage({ ...control, subpageCode: 1 })).to.equal(null);
    expect(mode.parseCachingPage({ ...caching, subpageCode: 1 })).to.equal(null);
    expect(mode.parseControlPage({ ...control, contents: control.contents.subarray(0, 3) })).to.equal(null);
    expect(mode.parseCachingPage({ ...caching, contents: new Uint8Array() })).to.equal(null);
  });
});
