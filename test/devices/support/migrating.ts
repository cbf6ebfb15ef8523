/** Machines of a cluster whose disk a guest takes along from one to another. */
import { Fabric, Machine, PersistentReserveIn, PersistentReserveOut, PrManager } from "qom-pr";
import type { ReserveOutRequest, ScsiDevice } from "qom-pr";
import { NO_BYTES } from "#src/scsi/command.js";
import { opcodeName } from "#src/scsi/cdb.js";
import { hex } from "../../support/hex.js";
import { outcome } from "../../support/outcome.js";
import { WWN } from "../../support/machine.js";

/** Keys of the guest, and of the node that stays. */
export const KEY = 0xa1a2a3a4a5a6a7a8n;
export const OTHER_KEY = 0xccn;

const WRITE = { cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512) };

/** A machine with a disk, or with several paths to it: disk0, disk1. */
export class Node {
  /** Commands that the manager has run, in words. */
  readonly sent: string[] = [];
  /** The same, CDB and data-out, in hexadecimal digits. */
  readonly raw: string[] = [];

  constructor(readonly machine: Machine) {
    const manager = machine.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is not a manager");
    manager.onExecute((_unit, command, result) => {
      this.raw.push(`${hex(command.cdb)} ${hex(command.dataOut ?? NO_BYTES)}`.trimEnd());
      const request = command.dataOut === undefined ? null : (PersistentReserveOut.parse(command.cdb, command.dataOut).command ?? null);
      const keys = request === null ? "" : ` ${request.key.toString(16)} ${request.serviceActionKey.toString(16)} type ${request.type}`;
      this.sent.push(`${opcodeName(command.cdb)}${keys}${request?.aptpl === true ? " APTPL" : ""}: ${outcome(result)}`);
    });
  }

  disk(id = "disk0"): ScsiDevice {
    return this.machine.scsiDevice(id);
  }

  async out(request: ReserveOutRequest, id?: string): Promise<string> {
    return outcome(await this.disk(id).execute(PersistentReserveOut.encode(request)));
  }

  async write(id?: string): Promise<string> {
    return outcome(await this.disk(id).execute(WRITE));
  }

  async testUnitReady(id?: string): Promise<string> {
    return outcome(await this.disk(id).execute({ cdb: new Uint8Array(6) }));
  }

  async capabilities(): Promise<string> {
    const { dataIn } = await this.disk().execute(PersistentReserveIn.reportCapabilities(8));
    return Buffer.from(dataIn).toString("hex");
  }
}

/** A fabric with nodes. */
export class Cluster {
  readonly #machines: Machine[] = [];
  #fabric: Fabric | undefined;

  /** One that begins anew after each test of this `describe`. */
  static ofTests(): Cluster {
    const cluster = new Cluster();
    afterEach(() => cluster.clear());
    return cluster;
  }

  /** Ends all of it; it may be used again. */
  async clear(): Promise<void> {
    for (const machine of this.#machines.splice(0)) await machine.close();
    await this.#fabric?.close();
    this.#fabric = undefined;
  }

  /** A node whose guest has registered, and reserved with type 5, and another one. */
  async pair(): Promise<{ a: Node; b: Node }> {
    const [a, b] = [await this.node("a"), await this.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY });
    await a.out({ action: "reserve", key: KEY, type: 5 });
    return { a, b };
  }

  get fabric(): Fabric {
    this.#fabric ??= new Fabric();
    return this.#fabric;
  }

  /** @param name also that of its initiator, unless that is given @param device type and properties of each device */
  async node(name: string, { device = "scsi-block", initiator = name, paths = 1 } = {}): Promise<Node> {
    const disks = Array.from({ length: paths }, (_, path) => [
      ...["-blockdev", `node-name=hd${path},driver=sim-lun,wwn=${WWN},pr-manager=pr0,initiator=naa.50000000000000${initiator}${path}`],
      ...["-device", `${device},drive=hd${path},id=disk${path},share-rw=on`],
    ]).flat();
    const argv = ["-name", name, "-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0", ...disks];
    const machine = await Machine.create(argv, { fabric: this.fabric });
    this.#machines.push(machine);
    return new Node(machine);
  }

  /** Who is registered, with which key, and what is reserved: `b0=a1 c0=cc, type 5 of b0`. */
  get reserved(): string {
    const { registrants, reservation } = this.fabric.unit(WWN).reservations;
    const port = (initiator: string): string => initiator.slice(-2);
    const keys = registrants.map(({ initiator, key }) => `${port(initiator)}=${key.toString(16)}`);
    const held =
      reservation === null
        ? ""
        : `, type ${reservation.type} of ${reservation.holder === null ? "all" : port(reservation.holder.initiator)}`;
    return `${keys.join(" ")}${held}`;
  }
}
