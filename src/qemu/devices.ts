/** What QEMU's SCSI devices and their host adapters take, and has no effect here. `-device TYPE,help` of QEMU 11.1 lists them. */
import { QomError } from "../base/errors.js";
import { lazily } from "../base/lazily.js";
import { printable } from "../base/limits.js";
import { qom } from "../qom/property-type.js";
import { row } from "./inert.js";
import type { InertProperties, InertProperty } from "./inert.js";
import { ON_OFF_AUTO } from "./types.js";

const bool = (preset: boolean, description = "a feature of the transport (no effect)"): InertProperty =>
  row(qom.bool(), description, { default: preset });

const bools = (preset: boolean, names: string): InertProperties => Object.fromEntries(names.split(" ").map((name) => [name, bool(preset)]));

/** What QEMU takes for a number that was not given. */
const UINT32_NONE = 0xffff_ffff;

const SLOT_MAX = 31;
const FUNCTION_MAX = 7;

/** Slot and function, both hexadecimal (QEMU: set_pci_devfn). */
function requireSlot(text: string): void {
  const found = /^\s*(?:0x)?([0-9a-f]{1,8})(?:\.\s*(?:0x)?([0-9a-f]{1,8}))?$/i.exec(text);
  const [, slot = "", index = "0"] = found ?? [];
  if (found !== null && Number.parseInt(slot, 16) <= SLOT_MAX && Number.parseInt(index, 16) <= FUNCTION_MAX) return;
  throw new QomError("invalid-value", `'${printable(text)}' is not a slot of a PCI bus: write 06 or 06.0, up to 1f.7`);
}

/** An identifier of the channel subsystem (QEMU: hw/s390x/css-bridge). */
function requireDeviceNumber(text: string): void {
  const found = /^([0-9a-f]{1,2})\.([0-9a-f])\.([0-9a-f]{1,4})$/i.exec(text);
  if (found !== null && Number.parseInt(found[1] ?? "", 16) <= 0xfe && Number.parseInt(found[2] ?? "", 16) <= 3) return;
  throw new QomError("invalid-value", `'${printable(text)}' is not a device number: write fe.0.0001`);
}

const MAPPING = () => qom.object("IOThreadVirtQueueMapping", { iothread: qom.string() }, { vqs: qom.listOf(qom.uint16()) });

/** Of every virtio-scsi adapter. */
export const VIRTIO_SCSI_INERT: () => InertProperties = lazily(() => ({
  iothread: row(qom.link({ typeName: "iothread", noun: "iothread", lookup: "path" }), "thread of the queues (no effect)"),
  "iothread-vq-mapping": row(qom.listOf(MAPPING()), "threads of the queues (no effect)"),
  seg_max_adjust: bool(true),
  ...bools(true, "any_layout event_idx indirect_desc notify_on_empty queue_reset use-disabled-flag use-started"),
  ...bools(false, "in_order iommu_platform packed x-disable-legacy-check"),
}));

/** Of those on a bus that interrupts or notifies by a descriptor. */
const IOEVENTFD = (): InertProperties => ({ ioeventfd: bool(true, "queues are notified by a descriptor (no effect)") });

/** Of those on PCI, whatever generation of virtio they speak. */
export const PCI_INERT: () => InertProperties = lazily(() => ({
  ...IOEVENTFD(),
  "acpi-index": row(qom.uint32(), "number in the firmware's tables (no effect)", { default: 0 }),
  addr: row(qom.string(), "slot and function on the PCI bus (no effect)", { check: requireSlot }),
  failover_pair_id: row(qom.string(), "device that stands in (no effect)"),
  rombar: row(qom.int32(), "whether the option ROM is to be seen (no effect)", { default: -1 }),
  romfile: row(qom.string(), "the option ROM (no effect)"),
  romsize: row(qom.uint32(), "its size (no effect)", { default: UINT32_NONE }),
  "sriov-pf": row(qom.string(), "physical function (no effect)"),
  vectors: row(qom.uint32(), "MSI-X vectors (no effect)", { default: UINT32_NONE }),
  "x-max-bounce-buffer-size": row(qom.size(), "limit of copied memory (no effect)", { default: 4096n }),
  ...bools(false, "aer ats modern-pio-notify multifunction page-per-vq virtio-pci-bus-master-bug-migration"),
  ...bools(true, "x-ats-page-aligned x-pcie-err-unc-mask x-pcie-ext-tag x-pcie-flr-init x-pcie-lnksta-dllla"),
  ...bools(false, "x-pcie-ari-nextfn-1 x-pcie-pm-no-soft-reset"),
}));

/** Of the adapter on PCI that speaks either generation. */
export const PCI_GENERATIONS_INERT: () => InertProperties = lazily(() => ({
  "disable-legacy": row(ON_OFF_AUTO, "no older generation of virtio (no effect)", { default: "auto" }),
  "disable-modern": bool(false, "no newer generation of virtio (no effect)"),
}));

/** Of the adapter in the channel subsystem of s390x. */
export const CCW_INERT: () => InertProperties = lazily(() => ({
  ...IOEVENTFD(),
  devno: row(qom.string(), "place in the channel subsystem (no effect)", { check: requireDeviceNumber }),
  max_revision: row(qom.uint32(), "newest revision of the transport (no effect)", { default: 2 }),
}));

/** Of scsi-block. */
export const SCSI_BLOCK_INERT: () => InertProperties = lazily(() => ({
  max_io_size: row(qom.uint64(), "longest transfer that is told to the guest (no effect)", { default: 2_147_483_647n }),
  max_unmap_size: row(qom.uint64(), "longest UNMAP that is told to the guest (no effect)", { default: 1_073_741_824n }),
  rotation_rate: row(qom.uint16(), "speed that is told to the guest (no effect)", { default: 0 }),
  scsi_version: row(qom.int32(), "version that is told to the guest (no effect)", { default: -1 }),
}));
