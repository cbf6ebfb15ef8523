/** Leaves of the text form, ids and near names, against what QEMU 7.2 makes of them. */
import { expect } from "chai";
import fc from "fast-check";
import { isWellFormedId, requireWellFormedId } from "#src/options/id.js";
import { nearest } from "#src/options/nearest.js";
import { formatSize, parseBool, parseInteger, parseSize } from "#src/options/scalars.js";
import { UINT64_MAX } from "#src/options/value.js";
import { refused } from "./support.js";

const BOOLEANS: readonly (readonly [string, boolean | undefined])[] = [
  ["on", true],
  ["yes", true],
  ["true", true],
  ["y", true],
  ["off", false],
  ["no", false],
  ["false", false],
  ["n", false],
  ["ON", undefined],
  ["On", undefined],
  ["1", undefined],
  ["0", undefined],
  ["", undefined],
  [" on", undefined],
];

const INTEGERS: readonly (readonly [string, bigint | undefined])[] = [
  ["0x10", 16n],
  ["0X1f", 31n],
  ["010", 8n],
  [" 5", 5n],
  ["\t\n 5", 5n],
  ["+5", 5n],
  ["-5", -5n],
  ["-0x10", -16n],
  ["0", 0n],
  ["-0", 0n],
  ["0x4", 4n],
  ["000000000000000000000000000000017", 15n],
  ["4294967296", 4294967296n],
  ["18446744073709551615", UINT64_MAX],
  ["0xffffffffffffffff", UINT64_MAX],
  ["01777777777777777777777", UINT64_MAX],
  ["-9223372036854775808", -(2n ** 63n)],
  ["18446744073709551616", undefined],
  ["02000000000000000000000", undefined],
  ["-9223372036854775809", undefined],
  ["9".repeat(1000), undefined],
  ["5k", undefined],
  ["1K", undefined],
  ["512K", undefined],
  ["5 ", undefined],
  ["abc", undefined],
  ["1e3", undefined],
  ["1.0", undefined],
  ["0x", undefined],
  ["08", undefined],
  ["0b1", undefined],
  ["- 5", undefined],
  ["+-5", undefined],
  ["", undefined],
  [" ", undefined],
  ["5\n", undefined],
];

const SIZES: readonly (readonly [string, bigint | undefined])[] = [
  ["1M", 1048576n],
  ["1m", 1048576n],
  ["1.5M", 1572864n],
  ["0x100000", 1048576n],
  ["1K", 1024n],
  ["1k", 1024n],
  ["4096b", 4096n],
  ["4096B", 4096n],
  [" 1M", 1048576n],
  ["+1M", 1048576n],
  ["0.1K", 102n],
  ["0.9K", 922n],
  ["1.k", 1024n],
  ["1.", 1n],
  ["1.0", 1n],
  ["1.0b", 1n],
  ["010", 10n],
  ["0", 0n],
  ["0x1b", 27n],
  ["0x1e", 30n],
  ["1e", 2n ** 60n],
  ["15E", 15n * 2n ** 60n],
  ["2P", 2n ** 51n],
  ["3T", 3n * 2n ** 40n],
  ["18446744073709551615", UINT64_MAX],
  ["18446744073709551616", undefined],
  ["16E", undefined],
  ["20E", undefined],
  ["1MiB", undefined],
  ["1MB", undefined],
  ["1M1", undefined],
  ["-1", undefined],
  ["-0", undefined],
  ["1.5", undefined],
  ["1.5b", undefined],
  [".5k", undefined],
  ["M", undefined],
  ["1e6", undefined],
  ["1.5e1", undefined],
  ["0x1.8k", undefined],
  ["0x", undefined],
  ["1 M", undefined],
  ["1M ", undefined],
  ["", undefined],
];

describe("booleans as text", () => {
  for (const [text, expected] of BOOLEANS) it(`'${text}' is ${expected}`, () => expect(parseBool(text)).to.equal(expected));
});

describe("integers as text", () => {
  for (const [text, expected] of INTEGERS) {
    it(`${JSON.stringify(text).slice(0, 40)} is ${expected}`, () => expect(parseInteger(text)).to.equal(expected));
  }
});

describe("sizes as text", () => {
  for (const [text, expected] of SIZES) {
    it(`${JSON.stringify(text)} is ${expected}`, () => {
      const warnings: string[] = [];
      expect(parseSize(text, (warning) => warnings.push(warning))).to.equal(expected);
      expect(warnings).to.deep.equal([]);
    });
  }

  it("0x1M is 1 MiB, with a warning", () => {
    const warnings: string[] = [];
    expect(parseSize("0x1M", (warning) => warnings.push(warning))).to.equal(1048576n);
    expect(warnings).to.have.lengthOf(1);
    expect(parseSize("0x1M")).to.equal(1048576n);
  });

  it("are printed with the largest suffix that leaves them whole", () => {
    expect(formatSize(67108864n)).to.equal("64M");
    expect(formatSize(1536n)).to.equal("1536");
    expect(formatSize(1572864n)).to.equal("1536K");
    expect(formatSize(2n ** 60n)).to.equal("1E");
    expect(formatSize(0n)).to.equal("0");
  });

  it("are read back as they were", () => {
    const size = fc.oneof(
      fc.bigInt({ min: 0n, max: UINT64_MAX }),
      fc.tuple(fc.bigInt({ min: 0n, max: 15n }), fc.integer({ min: 0, max: 60 })).map(([count, shift]) => count << BigInt(shift)),
    );
    fc.assert(
      fc.property(size, (sizeBytes) => {
        expect(parseSize(formatSize(sizeBytes))).to.equal(sizeBytes);
      }),
    );
  });
});

describe("ids", () => {
  for (const id of ["a", "Z9", "hd-0_x.y", "a".repeat(1000)]) {
    it(`'${id.slice(0, 20)}' is one`, () => {
      expect(isWellFormedId(id)).to.equal(true);
      requireWellFormedId(id);
    });
  }
  for (const id of ["", "1a", "#x", "_a", "-a", ".a", "a b", "a,data=x", "ä", "a\n", "a/b"]) {
    it(`${JSON.stringify(id)} is none`, () => {
      expect(isWellFormedId(id)).to.equal(false);
      const error = refused(() => requireWellFormedId(id, { object: "x" }));
      expect(error.kind).to.equal("bad-id");
      expect(error.hint).to.contain("letter");
      expect(error.context.object).to.equal("x");
    });
  }
});

describe("the nearest name", () => {
  const names = ["scsi-block", "scsi-generic", "virtio-scsi-pci", "pr-manager-helper", "path", "id"];
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["scsi-blok", "scsi-block"],
    ["scis-block", "scsi-block"],
    ["virtio-scsi", undefined],
    ["virtio-scsi-pc", "virtio-scsi-pci"],
    ["pr-manager-helpers", "pr-manager-helper"],
    ["paht", "path"],
    ["Path", "path"],
    ["xyzzy", undefined],
    ["", undefined],
    ["x", undefined],
    ["di", "id"],
    ["p".repeat(100_000), undefined],
  ];
  for (const [name, expected] of rows)
    it(`of '${name.slice(0, 20)}' is ${expected}`, () => expect(nearest(name, names)).to.equal(expected));

  it("is the first of equals, and the nearest before the first", () => {
    expect(nearest("abcd", ["abxx", "abcx", "abcy"])).to.equal("abcx");
    expect(nearest("abcd", ["abcy", "abcx"])).to.equal("abcy");
  });
});
