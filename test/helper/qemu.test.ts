/**
 * The real QEMU as a client. It looks at its connection only when its guest sends a reservation command, so here is a driver for its
 * virtio-scsi adapter (devices/support/qemu.ts). The disk behind it, in QEMU as in the helper, is canned-disk.c: there is no SCSI device.
 */

import { expect } from "chai";
import { askStatus } from "#src/helper/serving/status.js";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import { commandText, send } from "../devices/support/peer.js";
import { isInstalled, PACKAGE, QemuPeer } from "../devices/support/qemu.js";
import { CannedDisks } from "../support/canned-disk.js";
import type { CannedDisk } from "../support/canned-disk.js";
import { until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { skipUnlessRequired } from "../support/requirement.js";

const INQUIRY = 0x12;
const PR_IN = 0x5e;

/** Of a disk that is a disk, and of nothing else of interest. */
const STANDARD_INQUIRY = Uint8Array.of(0, 0, 6, 2, 31, ...new Uint8Array(31));
/** Generation 7, one key. */
const KEYS = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);

const TEST_UNIT_READY = "000000000000";
const LUN = [0, 0] as const;
const GOOD = "response 0, status 00, residual 0";

describe("QEMU as a client of qom-pr-helper", function () {
  this.timeout(60_000);
  const workshop = new Workshop();
  const disks = new CannedDisks();
  let disk: CannedDisk;
  let helper: HelperProcess;
  let qemu: QemuPeer;

  before(function () {
    if (isInstalled()) return;
    skipUnlessRequired(this, `there is no QEMU: apt-get install ${PACKAGE}`);
  });

  const start = async (): Promise<void> => void (helper = await workshop.start("socket", [], disk.environment));

  beforeEach(async () => {
    disk = disks.disk(new Map([[PR_IN, { data: KEYS }]]));
    await start();
    qemu = await QemuPeer.start({
      options: () => [
        ...["-object", `pr-manager-helper,id=helper0,path=${workshop.path("socket")}`],
        ...["-blockdev", "driver=host_device,node-name=n0,filename=/dev/null,locking=off,pr-manager=helper0"],
        ...["-device", "scsi-generic,drive=n0,scsi-id=0,lun=0"],
      ],
      environment: disks.disk(new Map([[INQUIRY, { data: STANDARD_INQUIRY }]])).environment,
    });
    // The unit attention of a disk that was switched on just now.
    await send(qemu, LUN, { cdb: TEST_UNIT_READY });
  });

  afterEach(async () => {
    await qemu.close();
    await helper.stop("SIGKILL");
  });

  const managers = (): Promise<unknown> => qemu.monitor.run("query-pr-managers");
  const isClient = async (): Promise<boolean> => (await askStatus(workshop.path("socket"))).includes(`"pid": ${qemu.pid},`);

  /** What a guest's reservation commands come to; the parameter list is to have reached the disk of the helper. */
  async function readKeys(): Promise<string> {
    const cdb = Buffer.from(PersistentReserveIn.readKeys(KEYS.length).cdb).toString("hex");
    return commandText(await send(qemu, LUN, { cdb, inBytes: KEYS.length }));
  }
  async function register(): Promise<string> {
    const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: 5n });
    const text = commandText(await send(qemu, LUN, { cdb: Buffer.from(cdb).toString("hex"), out: dataOut }));
    expect(disk.calls().at(-1)).to.equal(`${Buffer.from(cdb).toString("hex").padEnd(32, "0")} ${Buffer.from(dataOut).toString("hex")}`);
    return text;
  }
  const ANSWER = `${GOOD}, data ${Buffer.from(KEYS).toString("hex")}`;

  /** The next changes of the connection that QEMU tells of. */
  async function changes(count: number): Promise<unknown[]> {
    const seen: unknown[] = [];
    while (seen.length < count) seen.push((await qemu.monitor.event("PR_MANAGER_STATUS_CHANGED")).data?.["connected"]);
    return seen;
  }

  it("is connected, and its guest's commands reach the disk of the helper", async () => {
    expect(await managers()).to.deep.equal([{ id: "helper0", connected: true }]);
    await until(isClient);
    expect(await readKeys()).to.equal(ANSWER);
    expect(await register()).to.equal(GOOD);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`reconnects to a helper that was started anew after ${signal}: its guest notices nothing`, async () => {
      expect(await readKeys()).to.equal(ANSWER);
      await helper.stop(signal);
      await start();
      expect(await isClient()).to.be.false;
      expect(await register()).to.equal(GOOD);
      expect(await changes(2)).to.deep.equal([false, true]);
      expect(await managers()).to.deep.equal([{ id: "helper0", connected: true }]);
      expect(await isClient()).to.be.true;
      expect(await readKeys()).to.equal(ANSWER);
    });
  }

  it("waits with a command for a helper that is not there, and is served when it comes", async () => {
    await helper.stop();
    const waiting = readKeys();
    expect(await changes(1)).to.deep.equal([false]);
    expect(await managers()).to.deep.equal([{ id: "helper0", connected: false }]);
    await start();
    expect(await waiting).to.equal(ANSWER);
    expect(await changes(1)).to.deep.equal([true]);
    expect(await managers()).to.deep.equal([{ id: "helper0", connected: true }]);
  });
});
