/** QemuOpts against what QEMU 7.2 accepts, refuses and makes of it; and printing as its inverse. */
import { expect } from "chai";
import fc from "fast-check";
import { parseOption } from "#src/options/arguments.js";
import { unflatten } from "#src/options/dotted.js";
import { parseQemuOpts, printQemuOpts } from "#src/options/qemu-opts.js";
import { isWellFormedId } from "#src/options/id.js";
import { anyText, AWKWARD_NAMES, check, map, refused } from "./support.js";
import type { Expected } from "./support.js";

const SECRET = { "qom-type": "secret", id: "a" };
const HD = { if: "none", id: "hd" };
const HBA = { driver: "virtio-scsi-pci", id: "s" };
const long = "x".repeat(128);

const OBJECT_ROWS: readonly (readonly [string, Expected])[] = [
  ["secret,id=a,data=x", { values: { ...SECRET, data: "x" } }],
  ["id=a,qom-type=secret,data=x", { values: { id: "a", "qom-type": "secret", data: "x" } }],
  ["id=a,secret,data=x", { values: { id: "a", secret: "on", data: "x" }, warnings: 1 }],
  ["secret,id=a,data", { values: { ...SECRET, data: "on" }, warnings: 1 }],
  ["secret,id=a,nodata", { values: { ...SECRET, data: "off" }, warnings: 1 }],
  ["secret,id=a,data=x,,y", { values: { ...SECRET, data: "x,y" } }],
  ["secret,id=a,data=x,,", { values: { ...SECRET, data: "x," } }],
  ["secret,id=a,data=x,,,format=raw", { values: { ...SECRET, data: "x,", format: "raw" } }],
  ["secret,id=a,data=x,data=y", { values: { ...SECRET, data: "y" } }],
  ["secret,id=a,data=", { values: { ...SECRET, data: "" } }],
  ["secret,id=a,data=a=b", { values: { ...SECRET, data: "a=b" } }],
  ["secret,id=a,data= x ", { values: { ...SECRET, data: " x " } }],
  ['secret,id=a,data="x"', { values: { ...SECRET, data: '"x"' } }],
  ["secret,id=a,data.y=1", { values: { ...SECRET, "data.y": "1" } }],
  ["secret,id=a,data.0=1", { values: { ...SECRET, "data.0": "1" } }],
  ["secret,id=a,.x=1", { values: { ...SECRET, ".x": "1" } }],
  ["secret,id=a,=1", { values: { ...SECRET, "": "1" } }],
  ["secret,id=a,x y=1", { values: { ...SECRET, "x y": "1" } }],
  [`secret,id=a,${long}=1`, { values: { ...SECRET, [long]: "1" } }],
  [",", { values: { "qom-type": "" } }],
  ["=", { values: { "": "" } }],
  ["", { values: {} }],
  ["secret", { values: { "qom-type": "secret" } }],
  ["secret,", { values: { "qom-type": "secret" } }],
  ["secret=", { values: { secret: "" } }],
  ["a,,b,id=x", { values: { "qom-type": "a,b", id: "x" } }],
  ["a,,b=c", { values: { "qom-type": "a,b=c" } }],
  ["secret,id=1a", { refused: "bad-id", position: 10 }],
  ["secret,id=", { refused: "bad-id", position: 10 }],
  ["secret,id=a,,data=x", { refused: "bad-id", position: 10 }],
  ["secret,id=1a,help", { refused: "bad-id", position: 10 }],
  ["secret,id", { values: { "qom-type": "secret", id: "on" }, warnings: 1 }],
  ["pr-manager-helper,id=h,path", { values: { "qom-type": "pr-manager-helper", id: "h", path: "on" }, warnings: 1 }],
  ["thread-context,id=t,cpu-affinity=0-1", { values: { "qom-type": "thread-context", id: "t", "cpu-affinity": "0-1" } }],
  ["thread-context,id=t,cpu-affinity.0=0", { values: { "qom-type": "thread-context", id: "t", "cpu-affinity.0": "0" } }],
  ["help", { values: {}, help: true }],
  ["?", { values: {}, help: true }],
  ["qom-type=help", { values: {}, help: true }],
  ["secret,help", { values: { "qom-type": "secret" }, help: true }],
  ["secret,id=a,?", { values: SECRET, help: true }],
  ["secret,no", { values: { "qom-type": "secret", "": "off" }, warnings: 1 }],
];

const DRIVE_ROWS: readonly (readonly [string, Expected])[] = [
  ["file=F,format=raw", { values: { ...HD, file: "F", format: "raw" } }],
  ["id=b", { values: HD }],
  ["id=1b", { values: HD }],
  ["driver=raw,file.filename=F", { values: { ...HD, driver: "raw", "file.filename": "F" } }],
  ["driver=raw,file=f", { values: { ...HD, driver: "raw", file: "f" } }],
  ["readonly", { values: { ...HD, readonly: "on" }, warnings: 1 }],
  ["noreadonly", { values: { ...HD, readonly: "off" }, warnings: 1 }],
  ["readonly=yes", { values: { ...HD, readonly: "yes" } }],
  ["read-only=on", { values: { ...HD, "read-only": "on" } }],
  ["format=raw,driver=raw", { values: { ...HD, format: "raw", driver: "raw" } }],
  ["format=raw,format=qcow2", { values: { ...HD, format: "qcow2" } }],
  ["file=/nope,file=F", { values: { ...HD, file: "F" } }],
  ["foo=1,file.foo=1,serial=1,=1", { values: { ...HD, foo: "1", "file.foo": "1", serial: "1", "": "1" } }],
  ["bps=1K", { values: { ...HD, bps: "1K" } }],
  ["file=json:{,,}", { values: { ...HD, file: "json:{,}" } }],
  ["format=help", { values: { ...HD, format: "help" } }],
  ["format=?", { values: { ...HD, format: "?" } }],
  ["help", { values: { ...HD, help: "on" } }],
];

const BARE_DRIVE_ROWS: readonly (readonly [string, Expected])[] = [
  ["", { values: {} }],
  ["id=hd", { values: { id: "hd" } }],
  ["F", { values: { F: "on" }, warnings: 1 }],
  ["file=F,format=raw", { values: { file: "F", format: "raw" } }],
  ["id=a,id=b", { values: { id: "a" } }],
  ['{"file":"F"}', { values: { '{"file":"F"}': "on" }, warnings: 1 }],
];

const DEVICE_ROWS: readonly (readonly [string, Expected])[] = [
  ["virtio-scsi-pci,id=s,num_queues=0x4", { values: { ...HBA, num_queues: "0x4" } }],
  ["virtio-scsi-pci,id=s,num_queues=1,num_queues=2", { values: { ...HBA, num_queues: "2" } }],
  ["virtio-scsi-pci,id=s,num_queues=", { values: { ...HBA, num_queues: "" } }],
  ["virtio-scsi-pci,id=s,hotplug", { values: { ...HBA, hotplug: "on" }, warnings: 1 }],
  ["virtio-scsi-pci,id=s,nohotplug", { values: { ...HBA, hotplug: "off" }, warnings: 1 }],
  ["virtio-scsi-pci,id=s,hotplug=yes", { values: { ...HBA, hotplug: "yes" } }],
  ["virtio-scsi-pci,id=s,foo=1", { values: { ...HBA, foo: "1" } }],
  ["virtio-scsi-pci,id=s,iothread.x=1", { values: { ...HBA, "iothread.x": "1" } }],
  ["", { values: {} }],
  ["id=x", { values: { id: "x" } }],
  [",", { values: { driver: "" } }],
  ["nope", { values: { driver: "nope" } }],
  ["virtio-scsi,id=s", { values: { driver: "virtio-scsi", id: "s" } }],
  ["help", { values: {}, help: true }],
  ["scsi-block,help", { values: { driver: "scsi-block" }, help: true }],
  ["scsi-block,?", { values: { driver: "scsi-block" }, help: true }],
  ["scsi-block,drive=hd", { values: { driver: "scsi-block", drive: "hd" } }],
];

const title = (text: string, expected: Expected): string => `${text.slice(0, 60)} -> ${JSON.stringify(expected).slice(0, 80)}`;

describe("QemuOpts", () => {
  describe("as -object", () => {
    for (const [text, expected] of OBJECT_ROWS) it(title(text, expected), () => check(() => parseOption("object", text), expected));
  });

  describe("as -drive if=none,id=hd,…", () => {
    for (const [text, expected] of DRIVE_ROWS) {
      it(title(text, expected), () => check(() => parseOption("drive", `if=none,id=hd,${text}`), expected));
    }
  });

  describe("as -drive", () => {
    for (const [text, expected] of BARE_DRIVE_ROWS) it(title(text, expected), () => check(() => parseOption("drive", text), expected));
  });

  describe("as -device", () => {
    for (const [text, expected] of DEVICE_ROWS) it(title(text, expected), () => check(() => parseOption("device", text), expected));
  });

  it("unflattens a drive's nested keys, leaves staying strings", () => {
    const parsed = parseOption(
      "drive",
      "if=none,id=hd,driver=quorum,children.0.driver=null-co,children.1.driver=null-co,file.pr-manager=h",
    );
    expect(unflatten(parsed.values)).to.deep.equal(
      map({ ...HD, driver: "quorum", children: [{ driver: "null-co" }, { driver: "null-co" }], file: { "pr-manager": "h" } }),
    );
  });

  it("names the flag and what to write instead in its warnings", () => {
    const [warning] = parseQemuOpts("noreadonly").warnings;
    expect(warning).to.contain("'noreadonly'").and.to.contain("readonly=off");
  });

  it("counts the warnings it leaves out", () => {
    const { warnings } = parseQemuOpts("a,".repeat(1000));
    expect(warnings.length).to.be.below(100);
    expect(warnings.at(-1)).to.match(new RegExp(`^${1000 - (warnings.length - 1)} further`));
  });

  it("gives an id's grammar as a hint", () => {
    expect(refused(() => parseQemuOpts("id=1a")).hint).to.contain("letter");
  });

  it("has no request for help where there is none", () => {
    check(() => parseQemuOpts("help,driver=help", { impliedKey: "driver" }), { values: { driver: "help" } });
  });

  describe("printing", () => {
    it("gives the shortest form", () => {
      expect(printQemuOpts(map({ driver: "scsi-block", drive: "a,b", x: true, y: 7 }), { impliedKey: "driver" })).to.equal(
        "scsi-block,drive=a,,b,x=on,y=7",
      );
    });

    it("refuses what only JSON can say", () => {
      const unsayable = [{ a: null }, { a: [] }, { a: {} }, { a: ["x"] }, { a: { b: "x" } }, { "a=b": "x" }, { "a,b": "x" }];
      for (const values of unsayable) expect(refused(() => printQemuOpts(map(values))).kind).to.equal("syntax");
      expect(refused(() => printQemuOpts(map({ id: "1a" }))).kind).to.equal("bad-id");
      const syntax = { impliedKey: "driver", permitHelp: true };
      for (const values of [{ help: "x" }, { driver: "help" }, { "?": "" }]) {
        expect(refused(() => printQemuOpts(map(values), syntax)).kind).to.equal("syntax");
      }
    });

    it("is the inverse of parsing", () => {
      const name = fc.oneof(anyText(), fc.constantFrom("driver", "id", "file.driver", "nodata", ...AWKWARD_NAMES));
      const values = fc
        .array(fc.tuple(name, anyText()), { maxLength: 6 })
        .map((pairs) => new Map(pairs.filter(([key]) => !/[=,]|^(help|\?)$/.test(key) && key !== "id")));
      const id = fc.option(fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,8}$/), { nil: undefined });
      for (const syntax of [{}, { impliedKey: "driver" }, { impliedKey: "driver", permitHelp: true }]) {
        fc.assert(
          fc.property(values, id, (flat, givenId) => {
            if (givenId !== undefined && isWellFormedId(givenId)) flat.set("id", givenId);
            if (syntax.permitHelp === true && ["help", "?"].includes(flat.get("driver") ?? "")) flat.delete("driver");
            const text = printQemuOpts(flat, syntax);
            const parsed = parseQemuOpts(text, syntax);
            expect(parsed).to.deep.equal({ form: "text", values: flat, warnings: [], help: false });
            expect(printQemuOpts(parsed.values, syntax)).to.equal(text);
          }),
          { numRuns: 1000 },
        );
      }
    });
  });
});
