/** virtio-scsi adapters by what they are plugged into, which here makes no difference (QEMU: hw/virtio/virtio-scsi-pci.c, virtio-ccw-scsi.c). */
import { qomType } from "../../qom/decorators.js";
import { CCW_INERT, PCI_GENERATIONS_INERT, PCI_INERT } from "../../qemu/devices.js";
import { inert } from "../../qemu/inert.js";
import { VirtioScsi } from "./device.js";

const PCI_BUS = { noun: "PCI bus", names: /^pcie?\.[0-9]+$/ };
const CHANNEL_SUBSYSTEM = { noun: "channel subsystem", names: /^virtual-css(?:\.[0-9]+)?$/ };
const VIRTIO_BUS = { noun: "virtio bus", names: /^virtio-(?:mmio-)?bus(?:\.[0-9]+)?$/ };

/** On PCI. */
@qomType({ name: "virtio-scsi-pci-base", description: "virtio SCSI host adapter on PCI", abstract: true })
@inert(PCI_INERT)
class VirtioScsiPciBase extends VirtioScsi {
  protected override readonly ownBus = PCI_BUS;
}

/** On PCI, for drivers of either generation of virtio. */
@qomType({ name: "virtio-scsi-pci", description: "virtio SCSI host adapter", aliases: ["virtio-scsi"] })
@inert(PCI_GENERATIONS_INERT)
class VirtioScsiPci extends VirtioScsiPciBase {}

@qomType({ name: "virtio-scsi-pci-transitional", description: "virtio SCSI host adapter, for older drivers too" })
class VirtioScsiPciTransitional extends VirtioScsiPciBase {}

@qomType({ name: "virtio-scsi-pci-non-transitional", description: "virtio SCSI host adapter, for drivers of virtio 1" })
class VirtioScsiPciNonTransitional extends VirtioScsiPciBase {}

/** In the channel subsystem of s390x. */
@qomType({ name: "virtio-scsi-ccw", description: "virtio SCSI host adapter of s390x" })
@inert(CCW_INERT)
class VirtioScsiCcw extends VirtioScsi {
  protected override readonly ownBus = CHANNEL_SUBSYSTEM;
}

/** Of boards without PCI. */
@qomType({ name: "virtio-scsi-device", description: "virtio SCSI host adapter of boards without PCI" })
class VirtioScsiDevice extends VirtioScsi {
  protected override readonly ownBus = VIRTIO_BUS;
}

/** All types of virtio-scsi adapters, parents before children. */
export const VIRTIO_SCSI_TYPES = [
  VirtioScsi,
  VirtioScsiPciBase,
  VirtioScsiPci,
  VirtioScsiPciTransitional,
  VirtioScsiPciNonTransitional,
  VirtioScsiCcw,
  VirtioScsiDevice,
] as const;
