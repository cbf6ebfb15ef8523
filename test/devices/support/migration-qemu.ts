/** Asks a QEMU what it saves and sends when its scsi-block migrates. */
import { join } from "node:path";
import type { ReserveOutRequest } from "qom-pr";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { hex } from "../../support/hex.js";
import type { LentDisks } from "../../support/lent-disk.js";
import type { NewerQemu } from "../../support/newer-qemu.js";
import { KEY, OTHER_KEY } from "./migrating.js";
import type { Cluster, Node } from "./migrating.js";
import { MigratingQemu, subsectionOf } from "./migrating-qemu.js";
import { ignoring, preempt, REGISTER, reserve } from "./migration-rows.js";
import type { Row } from "./migration-rows.js";
import type { MigrationRecord, MigrationTakeover } from "./migration-record.js";

const PR_OPCODES = ["5e", "5f"];

/** Commands while the guest moves: by way of its former port, or of the node c. */
type Meanwhile = readonly (readonly [by: "a" | "c", command: ReserveOutRequest])[];

/** What a destination takes over, and commands of the guest before. */
const TAKEOVERS: readonly (readonly [what: string, before: readonly ReserveOutRequest[], meanwhile: Meanwhile])[] = [
  ["reservation", [REGISTER, reserve(5)], []],
  ["registration", [REGISTER], []],
  ["registration of a lost reservation", [REGISTER, reserve(5)], [["a", { action: "release", key: KEY, type: 5 }]]],
  ["nothing", [REGISTER, reserve(5)], [["a", ignoring(0n)]]],
  [
    "nothing of a fenced guest",
    [REGISTER, reserve(5)],
    [
      ["c", ignoring(OTHER_KEY)],
      ["c", { ...preempt(KEY), key: OTHER_KEY }],
    ],
  ],
  ["reservation of all registrants", [REGISTER, reserve(7)], []],
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
    const node = await this.#lender("a");
    const guest = await MigratingQemu.start(this.qemu, this.disks, node.disk());
    const answer = await guest.capabilities();
    await guest.close();
    await node.machine.close();
    return answer;
  }

  /** The subsection after the commands of a row. */
  async subsection([, commands]: Row): Promise<string | null> {
    const [a, b] = [await this.#lender("a"), await this.cluster.node("b")];
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

  /** The commands of destinations, and what is registered and reserved after them. */
  async takeovers(): Promise<MigrationRecord["takeovers"]> {
    const found: Record<string, MigrationTakeover> = {};
    for (const [what, before, meanwhile] of TAKEOVERS) {
      const [a, b, c] = [await this.#lender("a"), await this.#lender("b"), await this.cluster.node("c")];
      const source = await MigratingQemu.start(this.qemu, this.disks, a.disk());
      for (const command of before) await source.out(command);
      await source.save(this.#file);
      await source.close();
      for (const [by, command] of meanwhile) await (by === "a" ? a : c).out(command);
      const destination = await MigratingQemu.start(this.qemu, this.disks, b.disk(), true);
      await destination.load(this.#file);
      const sent = destination.commands.filter(({ cdb }) => PR_OPCODES.includes(hex(cdb.subarray(0, 1))));
      found[what] = { commands: sent.map(({ cdb, dataOut }) => `${hex(cdb)} ${hex(dataOut)}`.trimEnd()), reserved: this.cluster.reserved };
      await destination.close();
      await this.cluster.clear();
    }
    return found;
  }

  /** A node whose disk is lent: what QEMU sends must pass as it is. */
  #lender(name: string): Promise<Node> {
    return this.cluster.node(name, { device: "scsi-generic" });
  }
}
