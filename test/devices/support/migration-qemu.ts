/** Asks a QEMU what it saves and sends when its scsi-block migrates. */
import { join } from "node:path";
import type { ReserveOutRequest } from "qom-pr";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { hex } from "../../support/hex.js";
import type { LentDisks } from "../../support/lent-disk.js";
import type { NewerQemu } from "../../support/newer-qemu.js";
import type { Cluster } from "./migrating.js";
import { KEY } from "./migrating.js";
import { MigratingQemu, subsectionOf } from "./migrating-qemu.js";
import { ignoring, REGISTER, reserve } from "./migration-rows.js";
import type { Row } from "./migration-rows.js";
import type { MigrationRecord } from "./migration-record.js";

const PR_OPCODES = ["5e", "5f"];

/** What a destination takes over, and what is on the disk before. */
const TAKEOVERS: readonly (readonly [what: string, before: readonly ReserveOutRequest[], after: readonly ReserveOutRequest[]])[] = [
  ["reservation", [REGISTER, reserve(5)], []],
  ["registration", [REGISTER], []],
  ["registration of a lost reservation", [REGISTER, reserve(5)], [{ action: "release", key: KEY, type: 5 }]],
  ["nothing", [REGISTER, reserve(5)], [ignoring(0n)]],
];

/** See the file text. */
export class MigrationAsking {
  readonly #folder = makeFolder();

  constructor(
    private readonly qemu: NewerQemu,
    private readonly disks: LentDisks,
    private readonly cluster: Cluster,
  ) {}

  close(): void {
    removeFolder(this.#folder);
  }

  get #file(): string {
    return join(this.#folder, "stream");
  }

  async capabilities(): Promise<string> {
    const node = await this.cluster.node("a", { device: "scsi-generic" });
    const guest = await MigratingQemu.start(this.qemu, this.disks, node.disk());
    const answer = await guest.capabilities();
    await guest.close();
    await node.machine.close();
    return answer;
  }

  /** The subsection after the commands of a row. */
  async subsection([, commands]: Row): Promise<string | null> {
    const [a, b] = [await this.cluster.node("a", { device: "scsi-generic" }), await this.cluster.node("b")];
    const guest = await MigratingQemu.start(this.qemu, this.disks, a.disk());
    try {
      for (const command of commands) await ("b" in command ? b.out(command.b) : guest.out(command));
      await guest.save(this.#file);
    } finally {
      await guest.close();
    }
    await this.cluster.clear();
    const found = subsectionOf(this.#file);
    return found === null ? null : hex(found);
  }

  /** The commands of destinations. */
  async takeovers(): Promise<MigrationRecord["takeovers"]> {
    const found: Record<string, readonly string[]> = {};
    for (const [what, before, after] of TAKEOVERS) {
      const [a, b] = [await this.cluster.node("a", { device: "scsi-generic" }), await this.cluster.node("b", { device: "scsi-generic" })];
      const source = await MigratingQemu.start(this.qemu, this.disks, a.disk());
      for (const command of before) await source.out(command);
      await source.save(this.#file);
      await source.close();
      for (const command of after) await a.out(command);
      const destination = await MigratingQemu.start(this.qemu, this.disks, b.disk(), true);
      await destination.load(this.#file);
      const sent = destination.commands.filter(({ cdb }) => PR_OPCODES.includes(hex(cdb.subarray(0, 1))));
      found[what] = sent.map(({ cdb, dataOut }) => `${hex(cdb)} ${hex(dataOut)}`.trimEnd());
      await destination.close();
      await this.cluster.clear();
    }
    return found;
  }
}
