/** keyval against what QEMU 7.2 accepts, refuses and makes of it; and printing as its inverse. */
import { expect } from "chai";
import fc from "fast-check";
import { parseKeyval, printKeyval } from "#src/options/keyval.js";
import type { PairSyntax } from "#src/options/pair-text.js";
import { NESTING_MAX } from "#src/options/value.js";
import type { OptionMap, PlainValue } from "#src/options/value.js";
import { anyText, check, map, refused } from "./support.js";
import type { Expected } from "./support.js";

/** As the storage tools read --object, and as -blockdev is read. */
const OBJECT: PairSyntax = { impliedKey: "qom-type", permitHelp: true };
const BLOCKDEV: PairSyntax = { impliedKey: "driver" };

const SECRET = { "qom-type": "secret", id: "a" };
const secret = (more: string): string => `secret,id=a,${more}`;
const n = (count: number): string => "x".repeat(count);

const OBJECT_ROWS: readonly (readonly [string, Expected])[] = [
  ["secret,id=a,data=x", { values: { ...SECRET, data: "x" } }],
  ["qom-type=secret,id=a,data=x", { values: { ...SECRET, data: "x" } }],
  ["id=a,qom-type=secret,data=x", { values: { id: "a", "qom-type": "secret", data: "x" } }],
  ["id=a,secret,data=x", { refused: "syntax", position: 11 }],
  ["secret,id=a,data=x,", { values: { ...SECRET, data: "x" } }],
  ["secret,id=a,data=x,,y", { values: { ...SECRET, data: "x,y" } }],
  ["secret,id=a,data=x,,", { values: { ...SECRET, data: "x," } }],
  ["secret,id=a,data=x,,,,y,format=raw", { values: { ...SECRET, data: "x,,y", format: "raw" } }],
  ["secret,id=a,,data=x", { values: { "qom-type": "secret", id: "a,data=x" } }],
  ["secret,id=a,data=", { values: { ...SECRET, data: "" } }],
  ["secret,id=a,data=a=b", { values: { ...SECRET, data: "a=b" } }],
  ["secret,id=a,data=x,data=y", { values: { ...SECRET, data: "y" } }],
  [secret("data=x,data.y=1"), { refused: "syntax", position: 19 }],
  [secret("data.y=1,data=x"), { refused: "syntax", position: 21 }],
  [secret("data.y=1"), { values: { ...SECRET, data: { y: "1" } } }],
  [secret("data.0=1"), { values: { ...SECRET, data: ["1"] } }],
  [secret("data.1=2"), { refused: "missing", position: 12 }],
  [secret("data.0=1,data.x=2"), { refused: "syntax", position: 12 }],
  [secret("0=1"), { refused: "syntax", position: 12 }],
  [secret(".x=1"), { refused: "syntax", position: 12 }],
  [secret("x.=1"), { refused: "syntax", position: 14 }],
  [secret("x..y=1"), { refused: "syntax", position: 14 }],
  [secret("=1"), { refused: "syntax", position: 12 }],
  [secret("1x=1"), { refused: "syntax", position: 12 }],
  [secret("x y=1"), { refused: "syntax", position: 13 }],
  [secret("_x=1"), { refused: "syntax", position: 12 }],
  [secret("a.0x=1"), { refused: "syntax", position: 15 }],
  [secret("__proto__=1"), { refused: "syntax", position: 12 }],
  [secret("x-=1"), { values: { ...SECRET, "x-": "1" } }],
  [secret("__org.foo_x=1"), { values: { ...SECRET, "__org.foo_x": "1" } }],
  [secret("__org.foo_x.y=1"), { values: { ...SECRET, "__org.foo_x": { y: "1" } } }],
  [secret("constructor=1,toString.x=2"), { values: { ...SECRET, constructor: "1", toString: { x: "2" } } }],
  [secret("data"), { refused: "syntax", position: 16 }],
  [secret("nodata"), { refused: "syntax", position: 18 }],
  ["secret", { values: { "qom-type": "secret" } }],
  ["secret,", { values: { "qom-type": "secret" } }],
  ["", { values: {} }],
  [",", { refused: "syntax", position: 0 }],
  ["=", { refused: "syntax", position: 0 }],
  ["secret=", { values: { secret: "" } }],
  ["secret,,id=a", { refused: "syntax", position: 7 }],
  ["help", { values: {}, help: true }],
  ["?", { values: {}, help: true }],
  ["secret,help", { values: { "qom-type": "secret" }, help: true }],
  ["secret,id=a,help", { values: SECRET, help: true }],
  ["help,id=a", { values: { id: "a" }, help: true }],
  ["help=x", { values: { help: "x" } }],
  ["secret,help,1x=1", { refused: "syntax", position: 12 }],
  [secret(`${n(127)}=1`), { values: { ...SECRET, [n(127)]: "1" } }],
  [secret(`${n(128)}=1`), { refused: "limit", position: 12 }],
  [secret(`a.${n(127)}=1`), { values: { ...SECRET, a: { [n(127)]: "1" } } }],
  [secret(`a.${n(128)}=1`), { refused: "limit", position: 14 }],
  ["iothread,id=a,poll-max-ns= 5", { values: { "qom-type": "iothread", id: "a", "poll-max-ns": " 5" } }],
  [
    "authz-list,id=a,rules.1.match=y,rules.0.match=x,rules.0.policy=allow",
    { values: { "qom-type": "authz-list", id: "a", rules: [{ match: "x", policy: "allow" }, { match: "y" }] } },
  ],
  ["authz-list,id=a,rules.0.match=x,rules.2.match=y", { refused: "missing", position: 16 }],
  [
    "authz-list,id=a,rules.0.match=x,rules.00.policy=allow",
    { values: { "qom-type": "authz-list", id: "a", rules: [{ policy: "allow" }] } },
  ],
  ["authz-list,id=a,rules=", { values: { "qom-type": "authz-list", id: "a", rules: "" } }],
  ["authz-list,id=a,rules.0=x", { values: { "qom-type": "authz-list", id: "a", rules: ["x"] } }],
  ["authz-list,id=a,rules.99999999999999999999.match=x", { refused: "missing", position: 16 }],
  ["a.0.0=x,a.0.1=y,a.1.0=z", { values: { a: [["x", "y"], ["z"]] } }],
];

const BLOCKDEV_ROWS: readonly (readonly [string, Expected])[] = [
  ["file,filename=F,node-name=f", { values: { driver: "file", filename: "F", "node-name": "f" } }],
  ["driver=file,filename=/a,b,node-name=f", { refused: "syntax", position: 25 }],
  [
    "driver=raw,node-name=r,file.driver=file,file.filename=F",
    { values: { driver: "raw", "node-name": "r", file: { driver: "file", filename: "F" } } },
  ],
  ["driver=raw,node-name=r,file=f", { values: { driver: "raw", "node-name": "r", file: "f" } }],
  ["driver=raw,file=f,file.driver=file", { refused: "syntax", position: 18 }],
  ["driver=raw,file=f", { values: { driver: "raw", file: "f" } }],
  ["driver=raw,node-name=", { values: { driver: "raw", "node-name": "" } }],
  ["driver=raw,read-only=yes", { values: { driver: "raw", "read-only": "yes" } }],
  ["driver=raw,read-only", { refused: "syntax", position: 20 }],
  ["driver=raw,cache=none", { values: { driver: "raw", cache: "none" } }],
  ["driver=raw,cache.direct=off", { values: { driver: "raw", cache: { direct: "off" } } }],
  ["driver=raw,size=512K", { values: { driver: "raw", size: "512K" } }],
  ["quorum,children.0.driver=x,children.1.driver=y", { values: { driver: "quorum", children: [{ driver: "x" }, { driver: "y" }] } }],
  ["quorum,children.1.driver=y", { refused: "missing", position: 7 }],
  ["help", { refused: "syntax", position: 0 }],
  ["raw,?", { refused: "syntax", position: 4 }],
  ["driver=help", { values: { driver: "help" } }],
  ['json:{"driver":"file"}', { values: { driver: 'json:{"driver":"file"}' } }],
  ["driver=raw,if=none", { values: { driver: "raw", if: "none" } }],
  [
    "node-name=hd,driver=raw,file.driver=host_device,file.filename=/dev/sdb,file.pr-manager=helper0",
    { values: { "node-name": "hd", driver: "raw", file: { driver: "host_device", filename: "/dev/sdb", "pr-manager": "helper0" } } },
  ],
];

/** Names as the key grammar wants them. */
const memberName = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/),
    fc.stringMatching(/^__[a-z0-9.-]{0,8}_[A-Za-z][A-Za-z0-9_-]{0,4}$/),
    fc.constantFrom("constructor", "toString", "help", "driver", "id"),
  );

const nestedText = (): fc.Arbitrary<OptionMap> =>
  fc.letrec<{ value: PlainValue; map: OptionMap }>((tie) => ({
    value: fc.oneof({ depthSize: "small" }, anyText(), fc.array(tie("value"), { minLength: 1, maxLength: 3 }), tie("map")),
    map: fc.array(fc.tuple(memberName(), tie("value")), { minLength: 1, maxLength: 4 }).map((members) => new Map(members)),
  })).map;

describe("keyval", () => {
  describe("as --object of the storage tools", () => {
    for (const [text, expected] of OBJECT_ROWS) {
      it(`${text.length > 80 ? `${text.slice(0, 80)}…` : text} -> ${JSON.stringify(expected).slice(0, 80)}`, () => {
        check(() => parseKeyval(text, OBJECT), expected);
      });
    }
  });

  describe("as -blockdev of QEMU", () => {
    for (const [text, expected] of BLOCKDEV_ROWS) {
      it(`${text} -> ${JSON.stringify(expected).slice(0, 80)}`, () => {
        check(() => parseKeyval(text, BLOCKDEV), expected);
      });
    }
  });

  it("takes a bare value only where a key is implied", () => {
    check(() => parseKeyval("file,a=b"), { refused: "syntax", position: 4 });
    check(() => parseKeyval("a=b"), { values: { a: "b" } });
  });

  it("names the key in its errors", () => {
    expect(refused(() => parseKeyval("rules.0.a=x,rules.2.a=x")).message).to.contain("rules.1");
    expect(refused(() => parseKeyval("a.b.c=1,a.b=2")).message).to.contain("'a.b'");
    expect(refused(() => parseKeyval("a.b=1,a.b.c=2")).context.option).to.equal("a.b");
    expect(refused(() => parseKeyval("a.b.0=1,a.b.c=2")).context.option).to.equal("a.b");
  });

  it(`nests ${NESTING_MAX} deep and no deeper`, () => {
    const key = (depth: number): string => `${"a.".repeat(depth - 1)}a`;
    expect(printKeyval(parseKeyval(`${key(NESTING_MAX)}=1`).values)).to.equal(`${key(NESTING_MAX)}=1`);
    check(() => parseKeyval(`${key(NESTING_MAX + 1)}=1`), { refused: "limit", position: 2 * NESTING_MAX });
    const { values } = parseKeyval(`${key(NESTING_MAX)}=1`);
    expect(refused(() => printKeyval(new Map([["a", values]]))).kind).to.equal("limit");
  });

  describe("printing", () => {
    it("gives the shortest form", () => {
      const values = map({ driver: "raw", file: { driver: "file", filename: "a,b" }, list: ["x", { y: "=z" }] });
      expect(printKeyval(values, BLOCKDEV)).to.equal("raw,file.driver=file,file.filename=a,,b,list.0=x,list.1.y==z");
      expect(printKeyval(map({ "read-only": true, size: 512, big: 2n ** 63n, cache: { direct: false } }))).to.equal(
        "read-only=on,size=512,big=9223372036854775808,cache.direct=off",
      );
    });

    it("writes the implied key out where a bare value would be misread", () => {
      for (const value of ["", "a=b", "a,b", "help", "?", "{x"]) {
        expect(printKeyval(map({ driver: value }), BLOCKDEV)).to.match(/^driver=/);
      }
      expect(printKeyval(map({ a: "1", driver: "raw" }), BLOCKDEV)).to.equal("a=1,driver=raw");
    });

    it("refuses what only JSON can say", () => {
      const unsayable = [
        { a: null },
        { a: [] },
        { a: {} },
        { a: { b: [] } },
        { "": "x" },
        { "a b": "x" },
        { a: { "0": "x" } },
        { "1": "x" },
      ];
      for (const values of unsayable) expect(refused(() => printKeyval(map(values))).kind).to.equal("syntax");
      expect(refused(() => printKeyval(map({ [n(128)]: "x" }))).kind).to.equal("syntax");
      expect(refused(() => printKeyval(map({ "a.b": "x" }))).kind).to.equal("syntax");
    });

    it("is the inverse of parsing", () => {
      for (const syntax of [{}, BLOCKDEV, OBJECT]) {
        fc.assert(
          fc.property(nestedText(), (values) => {
            const text = printKeyval(values, syntax);
            const parsed = parseKeyval(text, syntax);
            expect(parsed).to.deep.equal({ form: "text", values, warnings: [], help: false });
            expect(printKeyval(parsed.values, syntax)).to.equal(text);
          }),
          { numRuns: 1000 },
        );
      }
    });
  });
});
