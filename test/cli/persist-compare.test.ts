/**
 * `qom-pr persist` beside the real sg_persist: the same words, the same answers of a disk. What is printed, what the disk was sent and the
 * exit status are compared. Messages on stderr are ours.
 */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { PersistentReserveIn, TransportId } from "qom-pr";
import { encodeInquiry } from "#src/scsi/inquiry.js";
import { present } from "#src/base/assert.js";
import { CannedDisks } from "../support/canned-disk.js";
import type { CannedAnswer, CannedDisk } from "../support/canned-disk.js";
import type { DriverRun } from "./support/persist-driver.js";
import { run, runProgram } from "./support/programs.js";
import type { Ended } from "./support/programs.js";
import { newestSgPersist, VERSION_DIFFERENCES, VERSION_OF_1_46 } from "./support/sg-persist.js";
import type { SgPersist, VersionDifference } from "./support/sg-persist.js";
import { skipUnlessRequired } from "../support/requirement.js";

const DRIVER = fileURLToPath(new URL("./support/persist-driver.js", import.meta.url));

const INQUIRY = 0x12;
const PR_IN = 0x5e;
const PR_OUT = 0x5f;
const DEVICE = "/dev/null";
const LENGTH = 8192;

/** Ends what hangs: hundreds of cases run in one process. */
const LIMIT_MS = 600_000;

/** One comparison. */
interface Case {
  /** The words of the command line, DEVICE not among them. */
  readonly argv: readonly string[];
  readonly answer?: CannedAnswer;
  /** Exit status of ours where it differs on purpose; printed output is not compared then. */
  readonly ours?: number;
  /** Exit statuses where the versions of sg_persist differ. */
  readonly differs?: VersionDifference;
}

function words(text: string): readonly string[] {
  return text.split(" ");
}

const INITIATORS = [
  "fc.0001020304050607",
  "spi.3.9",
  "sbp.0001020304050607",
  "srp.000102030405060708090a0b0c0d0e0f",
  "iqn.2026-11.org.example:a",
  "iqn.2026-11.org.example:abc,i,0x0123456789ab",
  "eui.02004567a425678d",
  "naa.5000c50005b32001",
  "sop.1234",
].map((text) => TransportId.parse(text));

const ENTRIES = INITIATORS.map((initiator, i) => ({
  key: 0xa0n + BigInt(i) * 0x1_0000_0000_0000_00n,
  initiator,
  targetPort: i * 300,
  holder: i % 2 === 1,
  type: i % 2 === 1 ? ([1, 3, 5, 6, 7, 8][i % 6] ?? 0) : 0,
  scope: i === 5 ? 2 : 0,
  allTargetPorts: i % 3 === 2,
}));

const KEYS = [0xa1n, 0xdead_beef_1234_5678n, 0n];
const keys = (count: number): CannedAnswer => ({ data: PersistentReserveIn.encodeKeys(7, KEYS.slice(0, count), count, LENGTH) });
const reservation = (type: number, scope = 0): CannedAnswer => ({
  data: PersistentReserveIn.encodeReservation(0xffff_ffff, { key: 0xa1n, scope, type }, LENGTH),
});
const NO_RESERVATION: CannedAnswer = { data: PersistentReserveIn.encodeReservation(7, null, LENGTH) };
const fullStatus: CannedAnswer = { data: PersistentReserveIn.encodeFullStatus(9, ENTRIES, ENTRIES.length, LENGTH) };
const sense = (key: number, asc: number, ascq: number, first = 0x70): CannedAnswer => ({
  status: 2,
  driverStatus: 8,
  sense: Uint8Array.of(first, 0, key, 0, 0, 0, 5, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0),
});

const CAPABILITIES: CannedAnswer = { data: Uint8Array.of(0, 8, 0x9d, 0x91, 0xea, 1, 0, 0) };

const READING: readonly Case[] = [
  ...[0, 1, 2, 3].map((count) => ({ argv: ["-k"], answer: keys(count) })),
  ...[
    "-i -k",
    "-in",
    "--in --read-keys",
    "--read-k",
    "-n",
    "-nk",
    "-kH",
    "-kHH",
    "-kHHH",
    "-k -H -H -n",
    "-v -k",
    "-vv -k",
    "-y -k",
    "-yy -k",
  ].map((text) => ({ argv: words(text), answer: keys(2) })),
  ...["-k -m 0x18", "-k -m 2k", "-k --maxlen=18h", "-k --alloc-length=2000"].map((text) => ({ argv: words(text), answer: keys(2) })),
  // sg_persist prints keys that it did not receive, as zeros.
  ...["-l 10 -n", "-k -m 16"].map((text) => ({ argv: words(text), answer: keys(2), ours: 0 })),
  ...["-k -H -m 16", "-k -HHH -m 24"].map((text) => ({ argv: words(text), answer: keys(2) })),
  // It says of what it did not receive that there is none.
  ...["-k -l 4", "-k -m 0", "-k -l 7", "-k -l 4 -H"].map((text) => ({ argv: words(text), answer: keys(2), ours: 0 })),
  ...["-r -l 4", "-r -m 0"].map((text) => ({ argv: words(text), answer: reservation(5), ours: 0 })),
  ...["-s -l 4", "-s -m 0"].map((text) => ({ argv: words(text), answer: fullStatus, ours: 0 })),
  ...["-c -l 4", "-c -m 0"].map((text) => ({ argv: words(text), answer: CAPABILITIES, ours: 0 })),
  { argv: ["-n", "-d", DEVICE], answer: keys(1) },
  ...["-r", "-rH", "-rHH"].map((text) => ({ argv: [text], answer: NO_RESERVATION })),
  ...["-kH", "-kHH", "-kHHH"].map((text) => ({ argv: [text], answer: keys(0) })),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15].map((type) => ({ argv: ["-n", "-r"], answer: reservation(type) })),
  ...["-rH", "-rHH", "-rHHH", "--read-reservation"].map((text) => ({ argv: [text], answer: reservation(5) })),
  { argv: ["-r"], answer: reservation(5, 1) },
  ...["-c", "-cH", "-cHH", "-cHHH"].map((text) => ({ argv: [text], answer: CAPABILITIES })),
  { argv: ["-c"], answer: { data: Uint8Array.of(0, 8, 0, 0x80, 0, 0, 0, 0) } },
  { argv: ["--report-cap"], answer: { data: Uint8Array.of(0, 8, 0xff, 0x7f, 0xff, 0xff, 0, 0) } },
  { argv: ["-c"], answer: { data: Uint8Array.of(0, 6, 0, 0, 0, 0) } },
  ...["-s", "--read-status", "--read-full-status", "-sH", "-sHHH"].map((text) => ({ argv: [text], answer: fullStatus })),
  { argv: ["-s"], answer: { data: PersistentReserveIn.encodeFullStatus(9, [], 0, LENGTH) } },
  { argv: ["-k"], answer: { data: Uint8Array.of(0, 0, 0, 7) }, ours: 97 },
];

const NAMED_BYTES = Uint8Array.from({ length: 24 }, (_, i) => i);

/** An iSCSI TransportID with whatever text. */
function iscsiId(first: number, text: string): Uint8Array {
  const body = Buffer.from(text.padEnd(Math.max(20, Math.ceil((text.length + 1) / 4) * 4), "\0"), "latin1");
  return Uint8Array.of(first, 0, 0, body.length, ...body);
}

/** TransportIDs that no standard has, and that devices send all the same. */
const UNUSUAL_IDS: readonly Uint8Array[] = [
  ...Array.from({ length: 16 }, (_, protocol) => protocol)
    .filter((protocol) => protocol !== 5)
    .flatMap((protocol) => [0, 0x40, 0xc0].map((format) => Uint8Array.of(format | protocol, ...NAMED_BYTES.subarray(1)))),
  iscsiId(0x85, "iqn.2026-11.org.example:a"),
  // Older LIO ends the name with a NUL before the ISID.
  iscsiId(0x45, "iqn.2026-11.org.example:a\0,i,0x00023d000001"),
  iscsiId(0x45, "iqn.2026-11.org.example:a,i,0xzz"),
  iscsiId(0x45, "iqn.2026-11.org.example:a"),
  iscsiId(0x05, ""),
  iscsiId(0x05, "iqn.2026-11.org.example:a b"),
  iscsiId(0x05, `iqn.${"n".repeat(240)}`),
  Uint8Array.of(5, 0, 0, 20, ...Buffer.from("n".repeat(20))),
  Uint8Array.of(6, ...NAMED_BYTES.subarray(1), 1, 2, 3, 4),
  new Uint8Array(),
];

/** READ FULL STATUS of one registrant. */
function oneRegistrant(id: Uint8Array): CannedAnswer {
  const entry = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 1, 0, 0, id.length >> 8, id.length & 0xff, ...id);
  return { data: Uint8Array.of(0, 0, 0, 9, 0, 0, entry.length >> 8, entry.length & 0xff, ...entry) };
}

const UNUSUAL: readonly Case[] = UNUSUAL_IDS.map((id) => ({ argv: ["-n", "-s"], answer: oneRegistrant(id) }));

const SPELLED: readonly Case[] = [
  ..."--alloc_length=20 --no_inquiry --read_keys --read_reservation --read_full_status --read_status --report_capabilities"
    .split(" ")
    .map((option): Case => ({ argv: [option], answer: option.includes("cap") ? CAPABILITIES : keys(0) })),
  ...[
    "-o --register_ignore --param_rk=1 --param_sark=2 --param_alltgpt --param_aptpl",
    "-o --preempt_abort --param_sark=2 --prout_type=5",
    "-o --replace_lost --param_sark=2",
    "-o --register_move --transport_id=sas,5000c50005b32001 --relative_target_port=1 --param_unreg",
    "-o --register_move --transport_id=sas,5000c50005b32001 --relative_target=1 --param-unreg",
    "-o --register-move --transport-id=sas,5000c50005b32001 --param_un",
    // Beginnings of names that only this program has, too.
    "--o --register --param-sark=2",
  ].map((text): Case => ({ argv: words(text) })),
  { argv: words("--n --ma=20"), answer: keys(0) },
];

const CHANGING: readonly Case[] = [
  "-o -G -S 1",
  "-oGS 1",
  "-o -v -G -K 0xa1 -S b2h",
  "--out --register --param-rk=a1 --param-sark=ffffffffffffffff -Y -Z",
  "-o -I -S a1 --param-aptpl --param-alltgpt",
  "-o -R -K a1 -T 5",
  "-o -L -K a1 --prout-type=8",
  "-n -o -C -K a1",
  "-o -P -K a1 -S b2 -T 5",
  "-o -A -K a1 -S b2 -T 1",
  "-o -z -S a1 -T 5",
  "-o -R -K a1",
  "-o -M -K a1 -S b2 -X sas,5000c50005b32001 -Q 1 -U -Z",
  "-o -M -K a1 -S b2 -X fcp,10000000c9f3a571 -Q ffff",
  "-o -M -K a1 -S b2 -X fcp,10000000c9f3a571 -Y",
  "-o -G -S 1 -X spi,3,9",
  "-o -G -S 1 -X sbp,0001020304050607",
  "-o -G -S 1 -X iqn.2026-11.org.example:a",
  "-o -G -S 1 -X iqn.2026-11.org.example:abc,i,0x0123456789ab",
  "-o -G -S 1 -X 6,0,0,0,50,0,c5,0,5,b3,20,1",
]
  .map((text): Case => ({ argv: words(text) }))
  .concat(
    // Names as switches and sysfs print them are an addition.
    ["fcp,10:00:00:00:c9:f3:a5:71", "10:00:00:00:c9:f3:a5:71", "0x10000000c9f3a571", "sas.5000c50005b32001", "sas,0x5000c50005b32001"].map(
      (id) => ({ argv: [...words("-o -G -S 1 -X"), id], ours: 0 }),
    ),
    // sg_persist refuses both forms although its manual has them.
    ["srp,000102030405060708090a0b0c0d0e0f", "sop,1234"].map((ids) => ({ argv: [...words("-o -G -S 1 -X"), ids], ours: 0 })),
  );

const FAILING: readonly Case[] = [
  ...Array.from({ length: 16 }, (_, key) => key)
    .filter((key) => key > 1)
    .map((key) => ({ argv: ["-n", "-k"], answer: sense(key, 0x29, 0) })),
  ...(
    [
      [5, 0x20, 0],
      [5, 0x24, 0],
      [5, 0x21, 0],
      [5, 0x26, 4],
      [0xb, 0x10, 1],
      [6, 0x2a, 5],
      [0xb, 0, 6],
    ] as const
  ).map(([key, asc, ascq]) => ({
    argv: ["-n", "-k"],
    answer: sense(key, asc, ascq),
  })),
  { argv: ["-n", "-k"], answer: { ...sense(0, 0, 0), sense: Uint8Array.of(0x72, 5, 0x24, 0, 0, 0, 0, 0) } },
  { argv: ["-n", "-k"], answer: { ...sense(0, 0, 0), sense: new Uint8Array() } },
  ...[0x04, 0x08, 0x18, 0x28, 0x30, 0x40].map((status) => ({ argv: ["-n", "-k"], answer: { status } })),
  ...[0x08, 0x18].map((status) => ({ argv: words("-n -o -R -K 1 -T 1"), answer: { status } })),
  { argv: words("-n -o -R -K 1 -T 1"), answer: sense(5, 0x26, 4) },
  ...[1, 2, 4, 5, 6, 11, 13, 16, 19, 22, 25].map((errno) => ({ argv: ["-n", "-k"], answer: { errno } })),
];

/** Where the words are wrong the device is not asked; sg_persist ends with these. */
const REFUSED: readonly Case[] = [
  "-k -r",
  "-k -k",
  "-o -C -n -C",
  "-i -o",
  "-o",
  "-o -k",
  "-i -G -S 1",
  "-G -S 1",
  "-o -G -R",
  "-o -M -K a1",
  "-o -U -G -S 1",
  "-o -Q 1 -G -S 1",
  "-o -R -K zz -T 1",
  "-o -R -K 1 -T zz",
  "-o -M -S 1 -K 2 -T 5 -X sas,5000c50005b32001 -Q 10000",
  "-o -G -S 1 -X sas,50",
  "-l 2001",
  "-l zz",
  "-m 9000",
  `-d ${DEVICE}`,
]
  .map((text): Case => ({ argv: words(text) }))
  // sg3_utils(8) has 15 for a file that cannot be used, sg_persist 1.
  .concat({ argv: words("-o -G -S 1 -X file=/nonexistent"), ours: 15 });

const DIFFERING: readonly Case[] = VERSION_DIFFERENCES.flatMap((differs) =>
  ["-n -k", "-n -o -R -K 1 -T 1"].map((text) => ({ argv: words(text), answer: differs.canned, differs })),
);

const SUITES: Readonly<Record<string, readonly Case[]>> = {
  "prints TransportIDs that no standard has": UNUSUAL,
  "knows the names with underscores, and abbreviated": SPELLED,
  "prints what the disk says": READING,
  "sends what the disk is to do": CHANGING,
  "tells how a command failed": FAILING,
  "exits as version 1.47 and later": DIFFERING,
  "refuses wrong words": REFUSED,
};

const INQUIRY_DATA = encodeInquiry({
  ...{ peripheralQualifier: 0, deviceType: 0, removable: false, version: 6, targetPortGroups: 0, thirdPartyCopy: false },
  ...{ protection: false, multiPort: false, commandQueuing: false, versionDescriptors: [] },
  ...{ vendor: "QOMPR", product: "sim-lun", revision: "0.1" },
});

/** What one of the programs did. */
interface Done {
  readonly ended: Ended;
  readonly calls: readonly string[];
}

function wordsOf({ argv }: Case): readonly string[] {
  return argv.includes("-d") && argv.includes("-n") ? argv : [...argv, DEVICE];
}

describe("qom-pr persist beside sg_persist", function () {
  this.timeout(LIMIT_MS);
  const disks = new CannedDisks();
  const ours = new Map<Case, Done>();
  let sgPersist: SgPersist;
  before(function () {
    const newest = newestSgPersist();
    if (newest === null) skipUnlessRequired(this, "there is no sg_persist: apt-get install sg3-utils");
    sgPersist = newest;
  });

  function diskOf({ answer }: Case): CannedDisk {
    return disks.disk(new Map([[INQUIRY, { data: INQUIRY_DATA }], ...[PR_IN, PR_OUT].map((code) => [code, answer ?? {}] as const)]));
  }

  function compare(each: Case, our: Done, expected: Done): void {
    const { ended } = our;
    if (ended.code !== 0) expect(ended.stderr, "an error is told on one line").to.match(/^(?:qom-pr persist: [^\n]+\n)+$/);
    if (each.differs !== undefined) {
      const { before: former, since } = each.differs;
      expect([ended.code, expected.ended.code], each.differs.answer).to.deep.equal([
        since,
        sgPersist.version > VERSION_OF_1_46 ? since : former,
      ]);
      return;
    }
    if (each.ours !== undefined) {
      expect(ended.code, `sg_persist has ${expected.ended.code}`).to.equal(each.ours);
      return;
    }
    const withoutUsage = expected.ended.stdout.replace(/^Usage: sg_persist[^]*$/m, "");
    expect({ code: ended.code, stdout: ended.stdout, calls: our.calls }, ended.stderr).to.deep.equal({
      code: expected.ended.code,
      stdout: withoutUsage,
      calls: expected.calls,
    });
  }

  before("run all cases of ours in one process", async () => {
    const cases = Object.values(SUITES).flat();
    const given = cases.map(diskOf);
    const runs: readonly DriverRun[] = cases.map((each, i) => ({ argv: wordsOf(each), folder: given[i]?.folder ?? "" }));
    const { stdout, stderr } = await runProgram(process.execPath, [DRIVER], {
      environment: diskOf({ argv: [] }).environment,
      stdin: JSON.stringify(runs),
    });
    expect(stderr).to.equal("");
    const results = JSON.parse(stdout) as Ended[]; // what the driver wrote
    cases.forEach((each, i) => ours.set(each, { ended: present(results[i], "a result"), calls: given[i]?.calls() ?? [] }));
  });

  for (const [name, cases] of Object.entries(SUITES)) {
    describe(name, () => {
      cases.forEach((each, index) => {
        it(`${index + 1}: ${each.argv.join(" ")}`, async () => {
          const disk = diskOf(each);
          const ended = await runProgram(sgPersist.path, wordsOf(each), { environment: disk.environment });
          compare(each, present(ours.get(each), "the case was run"), { ended, calls: disk.calls() });
        });
      });
    });
  }

  it("does the same as a program, TransportIDs from standard input", async () => {
    const each: Case = { argv: words("-o -G -S 1 -X -"), answer: { status: 0x18 } };
    const stdin = "# ports\n\n  sas,5000c50005b32001 # one\n6,0,0,0,50,0,c5,0,5,b3,20,2\n";
    const [our, their] = [diskOf(each), diskOf(each)];
    const [got, expected] = await Promise.all([
      run(["persist", ...wordsOf(each)], { environment: our.environment, stdin }),
      runProgram(sgPersist.path, wordsOf(each), { environment: their.environment, stdin }),
    ]);
    expect(got.code).to.equal(24);
    compare(each, { ended: got, calls: our.calls() }, { ended: expected, calls: their.calls() });
  });
});
