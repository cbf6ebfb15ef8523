/**
 * Everything that can be wrong on a command line: each gives one line that names option and value, exit status 1 from `qom-pr run`,
 * and leaves nothing behind.
 */
import { readdir, readlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Fabric, Machine, QomObject, qomType, USER_CREATABLE } from "qom-pr";
import type { QomErrorKind } from "qom-pr";
import { present } from "#src/base/assert.js";
import { run, runProgram } from "../cli/support/programs.js";
import type { Ended } from "../cli/support/programs.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";

const folder = temporaryFolder();

/** All user-creatable types of the library are PR managers; an embedder's need not be. */
@qomType({ name: "secret", description: "no PR manager", interfaces: [USER_CREATABLE] })
class Secret extends QomObject {}

/** Left out with a warning unless the machine is strict. */
const DRIVE_ON_AN_INTERFACE = "a drive on an interface";

/** Rows of what QEMU takes, and a machine here changes or leaves out unless it is strict. */
const FOR_STRICT = [DRIVE_ON_AN_INTERFACE, "a machine name with a blank", "a machine name that is too long", "a drive without file"];

const isForStrict = (what: string): boolean => FOR_STRICT.includes(what);

/** The words of a program that refuses the row. */
const words = ({ what, argv }: Row): string[] => [...(isForStrict(what) ? ["--strict"] : []), ...argv()];

/** A wrong command line, and what the error must say. */
interface Row {
  readonly what: string;
  readonly argv: () => string[];
  readonly kind: QomErrorKind;
  /** Texts that the one line contains: the option's name and the value. */
  readonly names: readonly string[];
}

const DRIVER = fileURLToPath(new URL("./support/program-driver.js", import.meta.url));

/** Ends a program that hangs: each has its own limit, whatever else the computer does. */
const PROGRAM_LIMIT_MS = 600_000;

const HBA = ["-device", "virtio-scsi"];
const MEMORY = ["-object", "pr-manager-memory,id=pr0"];
const NODE = ["-blockdev", `node-name=hd,driver=raw,file.driver=sim-lun,file.wwn=${WWN}`];
const DISK = ["-device", "scsi-block,drive=hd,id=disk0"];
const node = (members: string): string[] => ["-blockdev", `node-name=hd,driver=raw,file.driver=sim-lun,file.wwn=${WWN},${members}`];
const row = (what: string, argv: string[] | (() => string[]), kind: QomErrorKind, ...names: string[]): Row => ({
  what,
  argv: typeof argv === "function" ? argv : () => argv,
  kind,
  names,
});

/** JSON of so many nodes, one in the other. */
function chain(length: number): string {
  const openings = Array.from({ length }, (_, index) => `{'driver':'raw',${index === 0 ? "'node-name':'r'," : ""}'file':`);
  return `${openings.join("")}'hd'${"}".repeat(length)}`;
}

/** So many nodes, each named by the next one; NODE is the first two of the chain. */
function namedChain(length: number): string[] {
  return Array.from({ length }, (_, index) => ["-blockdev", `raw,node-name=n${index + 1},file=${index === 0 ? "hd" : `n${index}`}`]).flat();
}

const ROWS: readonly Row[] = [
  row("an unknown option", ["-objekt", "x"], "unknown-name", "-objekt", "-object"),
  row("a word that is no option", ["disk"], "unknown-name", "disk"),
  row("an option without its text", ["-object"], "missing", "-object"),
  row("a machine name with a blank", ["-name", "a b"], "bad-id", "-name", "a b"),
  row("a machine name that is too long", ["-name", "n".repeat(65)], "limit", "-name", "64"),
  // -object
  row("an unknown object type", ["-object", "pr-manager-memroy,id=pr0"], "unknown-type", "pr-manager-memroy", "pr-manager-memory"),
  row("an abstract object type", ["-object", "pr-manager,id=pr0"], "abstract-type", "pr-manager"),
  row("a device type as an object", ["-object", "scsi-block,id=pr0"], "wrong-type", "scsi-block"),
  row("an object without type", ["-object", "id=pr0"], "missing", "qom-type"),
  row("an object without id", ["-object", "pr-manager-memory"], "missing", "'id'"),
  row("a malformed object id", ["-object", "pr-manager-memory,id=1a"], "bad-id", "'1a'", "id"),
  row("an empty object id", ["-object", "pr-manager-memory,id="], "bad-id", "id"),
  row("a duplicate object id", [...MEMORY, ...MEMORY], "duplicate", "'pr0'"),
  row("an unknown object property", ["-object", "pr-manager-memory,id=pr0,pth=x"], "unknown-name", "'pth'", "pr-manager-memory"),
  row("a helper without path", ["-object", "pr-manager-helper,id=pr0"], "missing", "'path'"),
  row("a write to a computed property", ["-object", "pr-manager-memory,id=pr0,type=x"], "read-only", "'type'"),
  row(
    "a socket that does not exist",
    () => ["-object", `pr-manager-helper,id=pr0,path=${folder.path("none")}`],
    "connection",
    "none",
    "no such file or directory",
  ),
  row("a socket that is a file", () => ["-object", `pr-manager-helper,id=pr0,path=${folder.path("file")}`], "connection", "file"),
  row("an empty socket path", ["-object", "pr-manager-helper,id=pr0,path="], "invalid-value", "path"),
  row("a socket path of 108 bytes", ["-object", `pr-manager-helper,id=pr0,path=/${"s".repeat(107)}`], "limit", "107"),
  row(
    "a storage network in a file",
    () => ["-object", `scsi-fabric,id=san0,state=${folder.path("file")}`],
    "io",
    "state",
    "not a directory",
  ),
  row("a storage network without name of its folder", ["-object", "scsi-fabric,id=san0,state="], "invalid-value", "state"),
  row("an unknown storage network of a manager", ["-object", "pr-manager-memory,id=pr0,fabric=sanx"], "not-found", "'sanx'", "SCSI fabric"),
  // -blockdev
  row("a node without driver", ["-blockdev", "node-name=hd"], "missing", "driver"),
  row("a node without name", ["-blockdev", "driver=raw,file.driver=sim-lun"], "missing", "node-name"),
  row("an unknown driver", ["-blockdev", "driver=rwa,node-name=hd"], "unknown-type", "'rwa'"),
  row("an unknown nested driver", ["-blockdev", "driver=raw,node-name=hd,file.driver=sim-lnu"], "unknown-type", "'sim-lnu'", "sim-lun"),
  row("an abstract driver", ["-blockdev", "driver=protocol-node,node-name=hd"], "abstract-type", "protocol-node"),
  row("a malformed node name", ["-blockdev", `driver=sim-lun,node-name=#x,wwn=${WWN}`], "bad-id", "'#x'"),
  row("a node name of 32 characters", ["-blockdev", `driver=sim-lun,node-name=${"n".repeat(32)},wwn=${WWN}`], "limit", "31"),
  row("a duplicate node name", [...NODE, ...NODE], "duplicate", "'hd'"),
  row("an unknown node property", node("file.wnw=x"), "unknown-name", "'wnw'", "'wwn'"),
  row("a node without wwn", ["-blockdev", "node-name=hd,driver=sim-lun"], "missing", "'wwn'"),
  row("a malformed wwn", ["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.xyz"], "invalid-value", "naa.xyz"),
  row("a size that is none", node("file.size=64X"), "invalid-value", "'size'", "'64X'"),
  row("a size of 0", node("file.size=0"), "invalid-value", "'size'", "'0'"),
  row("a flag that is none", node("file.power-on-ua=maybe"), "invalid-value", "'power-on-ua'", "'maybe'"),
  row("a block size that is none", node("file.block-size=520"), "invalid-value", "block size", "520"),
  row("a serial number that is none", node("file.serial= 1"), "invalid-value", "serial", "' 1'"),
  row("an unknown storage network", node("file.fabric=sanx"), "not-found", "'sanx'", "SCSI fabric"),
  row("a manager as storage network", [...MEMORY, ...node("file.fabric=pr0")], "wrong-type", "'pr0'", "not a SCSI fabric"),
  row("a target port of 0", node("file.target-port=0"), "invalid-value", "'target-port'", "'0'"),
  row("a target port of 65536", node("file.target-port=65536"), "invalid-value", "'target-port'", "'65536'"),
  row("a malformed initiator", node("file.initiator=somebody"), "syntax", "somebody"),
  row(
    "pr-manager on a format node",
    ["-blockdev", `node-name=hd,driver=raw,file.driver=sim-lun,file.wwn=${WWN},pr-manager=pr0`],
    "unknown-name",
    "'pr-manager'",
  ),
  row("an unknown PR manager", node("file.pr-manager=prx"), "not-found", "'prx'", "PR manager"),
  row(
    "an object that is no PR manager",
    ["-object", "secret,id=sec0", ...node("file.pr-manager=sec0")],
    "wrong-type",
    "'sec0'",
    "secret",
    "not a PR manager",
  ),
  row("a path instead of a PR manager's id", [...MEMORY, ...node("file.pr-manager=/objects/pr0")], "not-found", "/objects/pr0"),
  row("an unknown node below", ["-blockdev", "driver=raw,node-name=r,file=nope"], "not-found", "'nope'"),
  row("a node of mixed kinds", ["-blockdev", "driver=raw,node-name=r,file=f,file.driver=file"], "syntax", "file"),
  row("a chain of nested nodes that is too long", ["-blockdev", chain(900)], "limit", "more than 64 nodes"),
  row("a chain of named nodes that is too long", [...NODE, ...namedChain(63)], "limit", "node-name=n63", "more than 64 nodes"),
  row(
    "a file that does not exist",
    () => ["-blockdev", `driver=file,node-name=f,filename=${folder.path("none")}`],
    "io",
    "none",
    "no such file or directory",
  ),
  row(
    "a folder as file",
    () => ["-blockdev", `driver=file,node-name=f,read-only=on,filename=${folder.path(".")}`],
    "invalid-value",
    "file",
  ),
  row(
    "a file as device",
    () => ["-blockdev", `driver=host_device,node-name=f,filename=${folder.path("file")}`],
    "invalid-value",
    "host_device",
  ),
  row(
    "two sizes for one unit",
    [...node("file.size=1M"), "-blockdev", `node-name=h2,driver=sim-lun,wwn=${WWN},size=2M`],
    "conflict",
    "1048576",
    "2097152",
  ),
  row("a value with a stray word", ["-blockdev", "node-name=hd,raw"], "syntax", "raw"),
  // -drive
  row(DRIVE_ON_AN_INTERFACE, ["-drive", "if=ide,file=x"], "invalid-value", "if=ide"),
  row("a drive without file", ["-drive", "if=none,id=hd"], "missing", "'file'"),
  row("format and driver", ["-drive", "if=none,id=hd,format=raw,driver=raw,file=x"], "conflict", "format"),
  row("a file twice", ["-drive", "if=none,id=hd,file=a,file.filename=b"], "conflict", "file.filename", "'file'"),
  row("two spellings of one drive option", ["-drive", "if=none,id=hd,readonly=on,read-only=off,file=x"], "conflict", "readonly"),
  row("a node name on a drive", ["-drive", "if=none,id=hd,node-name=foo,file=x"], "conflict", "'node-name=foo'"),
  row("a malformed drive id", ["-drive", "if=none,id=1x,file=x"], "bad-id", "'1x'"),
  row("a duplicate drive id", () => ["a", "b"].flatMap(() => ["-drive", `if=none,id=hd,file=${folder.path("file")}`]), "duplicate", "'hd'"),
  row("a drive with the name of a node", () => [...NODE, "-drive", `if=none,id=hd,file=${folder.path("file")}`], "duplicate", "'hd'"),
  row("an unknown drive option", () => ["-drive", `if=none,id=hd,foo=1,file=${folder.path("file")}`], "unknown-name", "'foo'"),
  row(
    "an unknown nested drive option",
    () => ["-drive", `if=none,id=hd,file.foo=1,file.filename=${folder.path("file")}`],
    "unknown-name",
    "'foo'",
  ),
  row(
    "a drive on a missing file",
    () => ["-drive", `if=none,id=hd,file=${folder.path("none")}`],
    "io",
    "none",
    "no such file or directory",
  ),
  // -device
  row("a device without driver", ["-device", "id=x"], "missing", "driver"),
  row("an unknown device type", ["-device", "scsi-blokc"], "unknown-type", "'scsi-blokc'"),
  row("an object type as device", ["-device", "pr-manager-memory"], "unknown-type", "'pr-manager-memory'"),
  row("an abstract device type", ["-device", "scsi-device"], "abstract-type", "scsi-device"),
  row("a malformed device id", ["-device", "virtio-scsi,id=1s"], "bad-id", "'1s'"),
  row("a duplicate device id", ["-device", "virtio-scsi,id=s", "-device", "virtio-scsi,id=s"], "duplicate", "'s'"),
  row("an unknown device property", ["-device", "virtio-scsi,foo=1"], "unknown-name", "'foo'"),
  row("a device without drive", [...HBA, "-device", "scsi-block"], "missing", "'drive'"),
  row("an unknown drive", [...HBA, ...DISK], "not-found", "'hd'", "drive"),
  row("no bus", [...NODE, ...DISK], "not-found", "bus"),
  row("an unknown bus", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,bus=scsi9.0"], "not-found", "'scsi9.0'", "scsi.0"),
  row("a bus of no kind", ["-device", "virtio-scsi,bus=nonsense"], "not-found", "'nonsense'"),
  row("a deadline of 0", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,io_timeout=0"], "invalid-value", "'io_timeout'", "'0'"),
  row("no policy at all", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,rerror=x"], "invalid-value", "'rerror'", "'x'", "report"),
  row(
    "the first boot device twice",
    [
      ...[...HBA, ...NODE, "-blockdev", `node-name=he,driver=sim-lun,wwn=${WWN}`],
      ...["-device", "scsi-block,drive=hd,id=d0,bootindex=0", "-device", "scsi-generic,drive=he,bootindex=0"],
    ],
    "in-use",
    "bootindex 0",
    "'d0'",
  ),
  row(
    "two users of a node through two formats",
    [
      ...["-blockdev", `node-name=f,driver=sim-lun,wwn=${WWN}`, "-blockdev", "node-name=r,driver=raw,file=f"],
      ...["-blockdev", "node-name=q,driver=raw,file=f", ...HBA, "-device", "scsi-block,drive=r", "-device", "scsi-block,drive=q"],
    ],
    "in-use",
    "'f'",
    "share-rw",
  ),
  row("a channel out of range", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,channel=1"], "invalid-value", "channel", "1"),
  row("a target out of range", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,scsi-id=256"], "invalid-value", "scsi-id", "256"),
  row("a LUN out of range", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,lun=16384"], "invalid-value", "lun", "16384"),
  row("a LUN that is none", [...HBA, ...NODE, "-device", "scsi-block,drive=hd,lun=x"], "invalid-value", "'lun'", "'x'"),
  row(
    "a LUN that is taken",
    [
      ...HBA,
      ...NODE,
      "-device",
      "scsi-block,drive=hd,scsi-id=0,lun=0,share-rw=on,id=d0",
      "-device",
      "scsi-block,drive=hd,scsi-id=0,lun=0,share-rw=on",
    ],
    "in-use",
    "'d0'",
  ),
  row("a node with two users", [...HBA, ...NODE, ...DISK, "-device", "scsi-block,drive=hd"], "in-use", "'hd'", "share-rw"),
  row(
    "a disk without SCSI",
    () => [...HBA, "-drive", `if=none,id=hd,file=${folder.path("file")}`, ...DISK],
    "invalid-value",
    "'hd'",
    "SCSI",
  ),
  row(
    "a device that takes no SG_IO",
    [...HBA, "-drive", "if=none,id=hd,file=/dev/null", ...DISK],
    "invalid-value",
    "/dev/null",
    "inappropriate ioctl for device",
  ),
];

describe("bad input", () => {
  let server: Server;
  before(async () => {
    await writeFile(folder.path("file"), "no disk");
    server = createServer((socket) => socket.resume().end(Buffer.alloc(4)));
    await new Promise<void>((resolve) => server.listen(folder.path("socket"), resolve));
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  for (const { what, argv, kind, names } of ROWS) {
    it(`refuses ${what}`, async () => {
      const fabric = new Fabric();
      const before = await openFiles();
      const error = await refusal(() => Machine.create(argv(), { fabric, types: [Secret], strict: isForStrict(what) }));
      const line = `${error.message} ${error.hint ?? ""}`;
      expect(error.kind, line).to.equal(kind);
      for (const name of names) expect(line).to.contain(name);
      expect(await openFiles(), "descriptors are closed before the fabric is").to.deep.equal(before);
      expect(fabric.units, "no unit is left on the fabric").to.deep.equal([]);
      await fabric.close();
    });
  }

  it("keeps a unit that somebody else has come to use", async () => {
    const fabric = new Fabric();
    const machine = await Machine.create([...HBA, ...NODE, ...DISK], { fabric });
    await refusal(() => Machine.create([...HBA, ...NODE, ...DISK, ...DISK], { fabric }));
    expect(fabric.units.map((unit) => unit.wwn)).to.deep.equal([WWN]);
    await machine.close();
    await fabric.close();
  });

  it("refuses a simulated disk without a file to a helper that needs its descriptor", async () => {
    const error = await refusal(() =>
      Machine.create(machineArguments("blockdev", `pr-manager-helper,id=pr0,path=${folder.path("socket")}`)),
    );
    expect(error.message).to.contain("pr0").and.to.contain("descriptor");
    expect(error.hint).to.contain("filename");
  });

  /** An embedder's type is not the program's. */
  const ofProgram = (): Row[] => ROWS.filter(({ argv }) => !argv().some((text) => text.startsWith("secret,")));

  function expectRefused({ code, stdout, stderr }: Ended, what: string): void {
    expect([code, stdout], what).to.deep.equal([1, ""]);
    expect(stderr, what).to.match(/^qom-pr: [^\n]+\n$/);
  }

  it("makes qom-pr run exit with 1 and one line on stderr, every time", async function () {
    this.timeout(PROGRAM_LIMIT_MS);
    const lines = ofProgram().map((each) => ["run", ...words(each)]);
    const { stdout, stderr } = await runProgram(process.execPath, [DRIVER], { stdin: JSON.stringify(lines) });
    expect(stderr).to.equal("");
    const results = JSON.parse(stdout) as Ended[]; // what the driver wrote
    ofProgram().forEach(({ what }, i) => expectRefused(present(results[i], "a result"), what));
  });

  for (const each of new Map(ROWS.map((one) => [one.kind, one])).values()) {
    it(`does so in a process of its own, for one mistake of the kind ${each.kind}`, async function () {
      this.timeout(PROGRAM_LIMIT_MS);
      expectRefused(await run(["run", ...words(each)]), each.what);
    });
  }
});

/** What this process has open, as far as it has a name: pipes and epoll instances come and go with node's own work. */
async function openFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const fd of await readdir("/proc/self/fd")) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => "");
    if (target.startsWith("/") || target.startsWith("socket:")) found.push(target);
  }
  return found.filter((target) => !target.startsWith("/proc/")).toSorted();
}
