/** What whole command lines consist of. */

/** One of them. */
export interface PastedLine {
  readonly what: string;
  readonly argv: readonly string[];
  /** Ids of the SCSI devices that it comes to. */
  readonly disks: readonly string[];
  /** Those of them whose node has no PR manager; all of them where the line has none. */
  readonly withoutManager?: readonly string[];
  /** Names that the warning has, and names that it has not. */
  readonly leftOut: readonly string[];
  readonly kept?: readonly string[];
}

/** A word in JSON. */
export const json = (value: object): string => JSON.stringify(value);

/** What libvirt 12 puts around the devices. */
export const LIBVIRT_HEAD = [
  ...["-name", "guest=vm1,debug-threads=on", "-S"],
  ...[
    "-object",
    json({ "qom-type": "secret", id: "masterKey0", format: "raw", file: "/var/lib/libvirt/qemu/domain-1-vm1/master-key.aes" }),
  ],
  ...["-machine", "pc-q35-11.1,usb=off,vmport=off,dump-guest-core=off,memory-backend=pc.ram,acpi=on", "-accel", "kvm"],
  ...["-cpu", "host,migratable=on", "-m", "size=1048576k"],
  ...["-object", json({ "qom-type": "memory-backend-ram", id: "pc.ram", size: 1073741824 })],
  ...["-overcommit", "mem-lock=off", "-smp", "4,sockets=4,cores=1,threads=1"],
  ...["-object", json({ "qom-type": "iothread", id: "iothread1" }), "-object", json({ "qom-type": "iothread", id: "iothread2" })],
  ...["-uuid", "0b6f6a35-91d5-4d3e-9d2c-7a3f3f6f2c11", "-display", "none", "-no-user-config", "-nodefaults"],
];

export const libvirtMonitor = (socket: string): string[] => [
  ...["-chardev", `socket,id=charmonitor,${socket},server=on,wait=off`],
  ...["-object", json({ "qom-type": "monitor-qmp", id: "monitor", chardev: "charmonitor" })],
];

export const LIBVIRT_BOARD = [
  ...["-rtc", "base=utc", "-no-shutdown", "-boot", "strict=on"],
  ...[1, 2, 3].flatMap((index) => {
    const port = { driver: "pcie-root-port", port: 7 + index, chassis: index, id: `pci.${index}`, bus: "pcie.0", addr: `0x1.0x${index}` };
    return ["-device", json(port)];
  }),
  ...["-device", json({ driver: "qemu-xhci", id: "usb", bus: "pci.3", addr: "0x0" })],
];

export const LIBVIRT_TAIL = [
  ...["-audiodev", json({ id: "audio1", driver: "none" }), "-global", "ICH9-LPC.noreboot=off", "-watchdog-action", "reset"],
  ...["-device", json({ driver: "virtio-balloon-pci", id: "balloon0", bus: "pci.3", addr: "0x0" })],
  ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-msg", "timestamp=on"],
];

export const HELPER = ["-object", json({ "qom-type": "pr-manager-helper", id: "pr-helper0", path: "HELPER" })];

export const adapter = (more: object): string[] => [
  "-device",
  json({ driver: "virtio-scsi-pci", id: "scsi0", bus: "pci.1", addr: "0x0", ...more }),
];

export const storage = (more: object): string[] => {
  const node = { driver: "host_device", filename: "DISK", "node-name": "libvirt-1-storage", "read-only": false };
  return ["-blockdev", json({ ...node, "pr-manager": "pr-helper0", ...more })];
};

export const lun = (more: object): string[] => {
  const device = { driver: "scsi-block", bus: "scsi0.0", channel: 0, "scsi-id": 0, lun: 0, drive: "libvirt-1-storage" };
  return ["-device", json({ ...device, id: "scsi0-0-0-0", bootindex: 1, ...more })];
};

export const UNCACHED = { cache: { direct: true, "no-flush": false } };

/** A disk of another kind, in two nodes. */
export const VIRTIO_DISK = [
  ...[
    "-blockdev",
    json({ driver: "file", filename: "/var/lib/libvirt/images/vm1.qcow2", "node-name": "libvirt-2-storage", discard: "unmap" }),
  ],
  ...["-blockdev", json({ "node-name": "libvirt-2-format", driver: "qcow2", file: "libvirt-2-storage", backing: null })],
  ...["-device", json({ driver: "virtio-blk-pci", bus: "pci.2", addr: "0x0", drive: "libvirt-2-format", id: "virtio-disk0" })],
];
