/** `virtio-scsi-pci`: the host adapter whose bus SCSI devices sit on (virtio 1.2, 5.6). */
import { qomType } from "../qom/decorators.js";
import { present } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { Device } from "./device.js";
import type { AddressLimits, ScsiBus } from "./scsi-bus.js";

/** Addresses of a virtio-scsi bus (QEMU: VIRTIO_SCSI_MAX_CHANNEL, _TARGET, _LUN). */
const ADDRESS_LIMITS: AddressLimits = Object.freeze({ channel: 0, target: 255, lun: 16383 });

/** Names of the PCI buses that QEMU's machines have; here any of them will do. */
const PCI_BUS = /^pcie?\.[0-9]+$/;

/** See the module text. It carries no commands itself yet: an emulator calls `execute` of the devices on its bus. */
@qomType({ name: "virtio-scsi-pci", description: "virtio SCSI host adapter", aliases: ["virtio-scsi"] })
export class VirtioScsi extends Device {
  #bus: ScsiBus | undefined;

  /** The bus, named after the adapter's id. */
  get bus(): ScsiBus {
    return present(this.#bus, "a completed adapter has a bus");
  }

  override complete(): void {
    if (this.busName !== undefined && !PCI_BUS.test(this.busName)) {
      throw new QomError("not-found", `no PCI bus named '${printable(this.busName)}'`, { context: { option: "bus", value: this.busName } });
    }
    this.#bus = this.host.buses.create(this.id, ADDRESS_LIMITS);
  }

  override finalize(): void {
    this.host.buses.remove(this.bus);
  }

  override busyWith(): string | null {
    const [first] = this.bus.devices;
    return first === undefined ? null : `${first.describe()} on its bus`;
  }
}
