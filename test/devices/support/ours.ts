/** This library's virtio-scsi device with simulated disks. */
import { Fabric, Machine, qomType } from "qom-pr";
import type { VirtioScsi } from "qom-pr";
import { systemClock } from "#src/base/clock.js";
import { Device } from "#src/devices/device.js";
import type { DeviceHost } from "#src/devices/device.js";
import { ScsiBlock } from "#src/devices/disk/scsi-block.js";
import { compatOf } from "#src/qemu/compat.js";
import type { Hold } from "#src/target/unit/interference.js";
import type { Answer, Peer } from "./peer.js";

const WWNS = { n0: "naa.5000000000000010", n1: "naa.5000000000000011", n2: "naa.5000000000000012", spare: "naa.5000000000000013" };
const READ_10 = 0x28;

/** A device that shows what devices find around them, so that a test can put one on a bus. */
@qomType({ name: "test-host", description: "shows the host of devices" })
class HostProbe extends Device {
  get shown(): DeviceHost {
    return this.host;
  }
}

/** See the file text. Reads of the disk at target 2 LUN 3 take until they are aborted. */
export class OurPeer implements Peer {
  readonly machine: Machine;
  readonly hba: VirtioScsi;
  readonly #fabric: Fabric;
  readonly #hold: Hold;
  #plugged = false;

  private constructor(machine: Machine, fabric: Fabric) {
    this.machine = machine;
    this.#fabric = fabric;
    this.hba = machine.hba("s");
    this.#hold = fabric.unit(WWNS.n2).hold(({ cdb }) => cdb[0] === READ_10);
  }

  /** Makes the machine and starts the driver. */
  static async start(options = ""): Promise<OurPeer> {
    const fabric = new Fabric();
    const node = ([name, wwn]: [string, string]): string[] => ["-blockdev", `node-name=${name},driver=sim-lun,wwn=${wwn},size=1M`];
    const machine = await Machine.create(
      [
        ...["-device", `virtio-scsi-pci,id=s${options}`, ...Object.entries(WWNS).flatMap(node)],
        ...["-device", "scsi-block,drive=n0,id=d0,scsi-id=0,lun=0", "-device", "scsi-block,drive=n1,id=d1,scsi-id=0,lun=300"],
        ...["-device", "scsi-block,drive=n2,id=d2,scsi-id=2,lun=3", "-device", "test-host,id=probe"],
      ],
      { fabric, types: [HostProbe] },
    );
    const peer = new OurPeer(machine, fabric);
    peer.hba.start(peer.hba.features);
    return peer;
  }

  async submit(queue: number, readable: readonly Uint8Array[], writable: readonly number[]): Promise<Answer> {
    const buffers = writable.map((length) => new Uint8Array(length));
    const used = await this.hba.submit(queue, { readable, writable: buffers });
    return { used, written: Buffer.concat(buffers) };
  }

  async restart(): Promise<void> {
    await this.hba.reset();
    this.hba.start(this.hba.features);
  }

  needsReset(): Promise<boolean> {
    return Promise.resolve(this.hba.needsReset !== null);
  }

  config(): Promise<Uint8Array> {
    return Promise.resolve(this.hba.config);
  }

  writeConfig(offset: number, bytes: Uint8Array): Promise<void> {
    this.hba.writeConfig(offset, bytes);
    return Promise.resolve();
  }

  async plug(target: number, lun: number): Promise<void> {
    await this.machine.qmp.execute("device_add", { driver: "scsi-block", drive: "spare", id: "spare", "scsi-id": target, lun });
    this.#plugged = true;
  }

  async unplug(): Promise<void> {
    if (!this.#plugged) return;
    const deleted = new Promise<void>((resolve) => {
      const forget = this.machine.qmp.onEvent(({ event }) => {
        if (event !== "DEVICE_DELETED") return;
        forget();
        resolve();
      });
    });
    await this.machine.qmp.execute("device_del", { id: "spare" });
    await deleted;
    this.#plugged = false;
  }

  /** Makes the spare disk and gives it a place on the bus, as far as it is before guests may reach it. */
  async place(target: number, lun: number): Promise<ScsiBlock> {
    const probe = this.machine.device("probe");
    if (!(probe instanceof HostProbe)) throw new Error("the probe is one");
    const spare = new ScsiBlock(probe.shown, systemClock, compatOf({}));
    Object.assign(spare, { drive: "spare", scsiId: target, lun });
    await spare.complete();
    return spare;
  }

  resize(): Promise<void> {
    this.hba.reportChange(this.machine.scsiDevice("d0"));
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#hold.release();
    await this.unplug();
    await this.machine.close();
    await this.#fabric.close();
  }
}
