/**
 * A QEMU with a scsi-block that migrates: to a file, and from one. Its disk is lent to it by a machine of the test (support/lent-disk.ts), and
 * the driver of its adapter is the test's, as in qemu.ts.
 */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ReserveOutRequest, ScsiDevice } from "qom-pr";
import type { LentCommand, LentDisks, Loan } from "../../support/lent-disk.js";
import type { NewerQemu } from "../../support/newer-qemu.js";
import { commandText, send } from "./peer.js";
import { QemuPeer } from "./qemu.js";

const LUN = [0, 0] as const;
const TEST_UNIT_READY = "000000000000";

/** Between two looks at a migration; the look decides, not the pause. */
const POLL_INTERVAL_MS = 5;

/** Of the section of the device in a stream. */
const SUBSECTION = Buffer.from("\u0005\fscsi-disk/pr");
/** Version, key and type. */
const CONTENT_LENGTH = 13;

/** See the file text. */
export class MigratingQemu {
  readonly #peer: QemuPeer;
  readonly #loan: Loan;

  private constructor(peer: QemuPeer, loan: Loan) {
    this.#peer = peer;
    this.#loan = loan;
  }

  /** @param incoming whether it waits for the state of another one, see {@link load} */
  static async start(qemu: NewerQemu, disks: LentDisks, device: ScsiDevice, incoming = false): Promise<MigratingQemu> {
    const loan = await disks.lend(device);
    try {
      const peer = await QemuPeer.start({
        options: () => [
          ...["-blockdev", "driver=host_device,node-name=n0,filename=/dev/null,locking=off"],
          ...["-device", "scsi-block,drive=n0,id=disk0,scsi-id=0,lun=0", ...(incoming ? ["-incoming", "defer"] : [])],
        ],
        environment: loan.environment,
        qemu,
        incoming,
      });
      if (!incoming) await send(peer, LUN, { cdb: TEST_UNIT_READY });
      return new MigratingQemu(peer, loan);
    } catch (error) {
      await loan.end();
      throw error;
    }
  }

  /** What the disk was sent so far. */
  get commands(): readonly LentCommand[] {
    return this.#loan.commands;
  }

  /** A PERSISTENT RESERVE OUT of the guest. */
  async out(request: ReserveOutRequest): Promise<string> {
    const { cdb, dataOut } = PersistentReserveOut.encode(request);
    return commandText(await send(this.#peer, LUN, { cdb: Buffer.from(cdb).toString("hex"), out: dataOut }));
  }

  /** REPORT CAPABILITIES of the guest. */
  async capabilities(): Promise<string> {
    const cdb = Buffer.from(PersistentReserveIn.reportCapabilities(8).cdb).toString("hex");
    return commandText(await send(this.#peer, LUN, { cdb, inBytes: 8 }));
  }

  /** Writes its state to a file; it does not run on. */
  async save(file: string): Promise<void> {
    await this.#peer.monitor.run("migrate", { uri: `file:${file}` });
    await this.#migrated();
  }

  /** Takes the state in a file. @throws Error for one that it refuses */
  async load(file: string): Promise<void> {
    await this.#peer.monitor.run("migrate-incoming", { uri: `file:${file}` });
    await this.#migrated();
  }

  async #migrated(): Promise<void> {
    for (;;) {
      const { status, "error-desc": reason } = (await this.#peer.monitor.run("query-migrate")) as Readonly<Record<string, unknown>>; // QEMU's answer
      if (status === "completed") return;
      if (status === "failed") throw new Error(`the migration failed: ${String(reason)}`);
      await pause(POLL_INTERVAL_MS);
    }
  }

  async close(): Promise<void> {
    await this.#peer.close();
    await this.#loan.end();
  }
}

/** Where the file of a migration has the content of the subsection; null where there is none. */
export function contentAt(stream: Buffer): number | null {
  const at = stream.indexOf(SUBSECTION);
  return at < 0 ? null : at + SUBSECTION.length;
}

/** The subsection in the file of a migration, as it is there; null where there is none. */
export function subsectionOf(file: string): Uint8Array | null {
  const stream = readFileSync(file);
  const at = contentAt(stream);
  return at === null ? null : Uint8Array.from(stream.subarray(at - SUBSECTION.length, at + CONTENT_LENGTH));
}
