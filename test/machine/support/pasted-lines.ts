/**
 * Whole command lines, as libvirt, Proxmox and people write them for QEMU. A disk of the host is `DISK`, the socket of its helper `HELPER`,
 * and a folder for sockets `FOLDER`.
 */
import { WWN } from "../../support/machine.js";

/** One of them. */
export interface PastedLine {
  readonly what: string;
  readonly argv: readonly string[];
  /** Ids of the SCSI devices that it comes to. */
  readonly disks: readonly string[];
  /** Names that the warning has, and names that it has not. */
  readonly leftOut: readonly string[];
  readonly kept?: readonly string[];
}

const json = (value: object): string => JSON.stringify(value);

/** What libvirt 12 puts around the devices. */
const LIBVIRT_HEAD = [
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

const libvirtMonitor = (socket: string): string[] => [
  ...["-chardev", `socket,id=charmonitor,${socket},server=on,wait=off`],
  ...["-object", json({ "qom-type": "monitor-qmp", id: "monitor", chardev: "charmonitor" })],
];

const LIBVIRT_BOARD = [
  ...["-rtc", "base=utc", "-no-shutdown", "-boot", "strict=on"],
  ...[1, 2, 3].flatMap((index) => {
    const port = { driver: "pcie-root-port", port: 7 + index, chassis: index, id: `pci.${index}`, bus: "pcie.0", addr: `0x1.0x${index}` };
    return ["-device", json(port)];
  }),
  ...["-device", json({ driver: "qemu-xhci", id: "usb", bus: "pci.3", addr: "0x0" })],
];

const LIBVIRT_TAIL = [
  ...["-audiodev", json({ id: "audio1", driver: "none" }), "-global", "ICH9-LPC.noreboot=off", "-watchdog-action", "reset"],
  ...["-device", json({ driver: "virtio-balloon-pci", id: "balloon0", bus: "pci.3", addr: "0x0" })],
  ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-msg", "timestamp=on"],
];

const HELPER = ["-object", json({ "qom-type": "pr-manager-helper", id: "pr-helper0", path: "HELPER" })];

const adapter = (more: object): string[] => [
  "-device",
  json({ driver: "virtio-scsi-pci", id: "scsi0", bus: "pci.1", addr: "0x0", ...more }),
];

const storage = (more: object): string[] => {
  const node = { driver: "host_device", filename: "DISK", "node-name": "libvirt-1-storage", "read-only": false };
  return ["-blockdev", json({ ...node, "pr-manager": "pr-helper0", ...more })];
};

const lun = (more: object): string[] => {
  const device = { driver: "scsi-block", bus: "scsi0.0", channel: 0, "scsi-id": 0, lun: 0, drive: "libvirt-1-storage" };
  return ["-device", json({ ...device, id: "scsi0-0-0-0", bootindex: 1, ...more })];
};

const UNCACHED = { cache: { direct: true, "no-flush": false } };

/** A disk of another kind, in two nodes. */
const VIRTIO_DISK = [
  ...[
    "-blockdev",
    json({ driver: "file", filename: "/var/lib/libvirt/images/vm1.qcow2", "node-name": "libvirt-2-storage", discard: "unmap" }),
  ],
  ...["-blockdev", json({ "node-name": "libvirt-2-format", driver: "qcow2", file: "libvirt-2-storage", backing: null })],
  ...["-device", json({ driver: "virtio-blk-pci", bus: "pci.2", addr: "0x0", drive: "libvirt-2-format", id: "virtio-disk0" })],
];

const LIBVIRT: readonly PastedLine[] = [
  {
    what: "libvirt 12: a LUN with managed reservations",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("path=FOLDER/monitor.sock"), ...LIBVIRT_BOARD, ...adapter({}), ...HELPER],
      ...[...storage({ aio: "native", ...UNCACHED }), ...lun({}), ...LIBVIRT_TAIL],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: [
      "-S",
      "-machine",
      "-msg",
      "monitor-qmp 'monitor'",
      "socket 'charmonitor'",
      "pcie-root-port 'pci.1'",
      "virtio-balloon-pci 'balloon0'",
    ],
    kept: ["iothread", "secret", "memory-backend-ram", "scsi0", "libvirt-1-storage"],
  },
  {
    what: "libvirt 12: queues, an iothread, limits, error policies",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("path=FOLDER/monitor.sock"), ...LIBVIRT_BOARD],
      ...[...adapter({ iothread: "iothread1", num_queues: 4, cmd_per_lun: 64, max_sectors: 1024, ioeventfd: true }), ...HELPER],
      ...storage({ aio: "io_uring", discard: "unmap", "detect-zeroes": "unmap", ...UNCACHED }),
      ...[...lun({ "share-rw": true, werror: "report", rerror: "report", "migrate-pr": true }), ...LIBVIRT_TAIL],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["-cpu"],
  },
  {
    what: "libvirt 12: queues on several iothreads, from the log of a running machine, with a disk of another kind",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("fd=1729"), ...LIBVIRT_BOARD],
      ...[...adapter({ num_queues: 2, "iothread-vq-mapping": [{ iothread: "iothread1" }, { iothread: "iothread2" }] }), ...HELPER],
      ...[...storage(UNCACHED), ...lun({}), ...VIRTIO_DISK, ...LIBVIRT_TAIL],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["virtio-blk-pci 'virtio-disk0'", "'libvirt-2-storage'", "qcow2 'libvirt-2-format'"],
    kept: ["libvirt-1-storage"],
  },
  {
    what: "libvirt 6 to 9: two nodes, a monitor of -mon on a descriptor, i440fx",
    argv: [
      ...["-name", "guest=QEMUGuest1,debug-threads=on", "-S", "-machine", "pc-i440fx-7.2,usb=off,dump-guest-core=off", "-accel", "tcg"],
      ...["-cpu", "qemu64", "-m", "214", "-smp", "1,sockets=1,cores=1,threads=1", "-uuid", "c7a5fdbd-edaf-9455-926a-d65c16db1809"],
      ...["-display", "none", "-no-user-config", "-nodefaults", "-chardev", "socket,id=charmonitor,fd=1729,server=on,wait=off"],
      ...["-mon", "chardev=charmonitor,id=monitor,mode=control", "-rtc", "base=utc", "-no-shutdown", "-no-acpi", "-boot", "strict=on"],
      ...["-device", '{"driver":"piix3-usb-uhci","id":"usb","bus":"pci.0","addr":"0x1.0x2"}'],
      ...["-device", '{"driver":"virtio-scsi-pci","id":"scsi0","bus":"pci.0","addr":"0x2"}'],
      ...["-object", '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}'],
      ...storage({ "auto-read-only": true, discard: "unmap" }),
      ...["-blockdev", '{"node-name":"libvirt-1-format","read-only":false,"discard":"unmap","driver":"raw","file":"libvirt-1-storage"}'],
      ...lun({ drive: "libvirt-1-format" }),
      ...["-audiodev", '{"id":"audio1","driver":"none"}'],
      ...["-device", '{"driver":"virtio-balloon-pci","id":"balloon0","bus":"pci.0","addr":"0x3"}', "-msg", "timestamp=on"],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["-no-acpi", "piix3-usb-uhci 'usb'"],
    kept: ["charmonitor"],
  },
  {
    what: "libvirt on s390x: an adapter in the channel subsystem",
    argv: [
      ...["-name", "guest=z1", "-machine", "s390-ccw-virtio-11.1,memory-backend=s390.ram", "-accel", "kvm", "-m", "size=262144k"],
      ...["-object", json({ "qom-type": "memory-backend-ram", id: "s390.ram", size: 268435456 }), "-nodefaults"],
      ...["-device", json({ driver: "virtio-scsi-ccw", id: "scsi0", devno: "fe.0.0001" }), ...HELPER, ...storage({}), ...lun({})],
      ...["-device", json({ driver: "virtio-net-ccw", netdev: "hostnet0", id: "net0", mac: "52:54:00:00:00:01", devno: "fe.0.0002" })],
      ...[
        "-netdev",
        '{"type":"user","id":"hostnet0"}',
        "-device",
        json({ driver: "virtio-balloon-ccw", id: "balloon0", devno: "fe.0.0000" }),
      ],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["virtio-net-ccw 'net0'", "-netdev"],
  },
  {
    what: "libvirt: UEFI, a console, an agent, graphics, TPM, sound",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("path=FOLDER/monitor.sock"), ...LIBVIRT_BOARD, ...adapter({}), ...HELPER],
      ...[
        "-blockdev",
        '{"driver":"file","filename":"/usr/share/OVMF/OVMF_CODE.fd","node-name":"libvirt-pflash0-storage","auto-read-only":true,"discard":"unmap"}',
      ],
      ...["-blockdev", '{"node-name":"libvirt-pflash0-format","read-only":true,"driver":"raw","file":"libvirt-pflash0-storage"}'],
      ...["-machine", "pflash0=libvirt-pflash0-format", ...storage({}), ...lun({})],
      ...["-chardev", "pty,id=charserial0", "-device", '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}'],
      ...["-device", '{"driver":"virtio-serial-pci","id":"virtio-serial0","bus":"pci.2","addr":"0x0"}'],
      ...["-chardev", "socket,id=charchannel0,fd=1730,server=on,wait=off"],
      ...[
        "-device",
        '{"driver":"virtserialport","bus":"virtio-serial0.0","nr":1,"chardev":"charchannel0","id":"channel0","name":"org.qemu.guest_agent.0"}',
      ],
      ...["-chardev", "spicevmc,id=charchannel1,name=vdagent", "-spice", "port=5900,addr=127.0.0.1,disable-ticketing=on"],
      ...["-chardev", "socket,id=chrtpm,path=/run/libvirt/qemu/swtpm/1-vm1-swtpm.sock", "-tpmdev", "emulator,id=tpm-tpm0,chardev=chrtpm"],
      ...["-device", '{"driver":"tpm-crb","tpmdev":"tpm-tpm0","id":"tpm0"}', "-vnc", "127.0.0.1:0,audiodev=audio1"],
      ...["-device", '{"driver":"virtio-vga","id":"video0","max_outputs":1,"bus":"pcie.0","addr":"0x2"}', ...LIBVIRT_TAIL],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: [
      "raw 'libvirt-pflash0-format'",
      "pty 'charserial0'",
      "socket 'charchannel0'",
      "spicevmc 'charchannel1'",
      "socket 'chrtpm'",
      "tpm-crb 'tpm0'",
    ],
  },
  {
    what: "libvirt: a host device on /dev/sg0 and a disk on an adapter of another kind",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("path=FOLDER/monitor.sock"), ...LIBVIRT_BOARD, ...adapter({})],
      ...["-device", json({ driver: "lsi", id: "scsi1", bus: "pcie.0", addr: "0x5" })],
      ...["-blockdev", '{"driver":"host_device","filename":"DISK","node-name":"libvirt-1-backend","read-only":false}'],
      ...[
        "-device",
        '{"driver":"scsi-generic","drive":"libvirt-1-backend","id":"hostdev0","bus":"scsi0.0","channel":0,"scsi-id":4,"lun":8}',
      ],
      ...["-blockdev", '{"driver":"host_device","filename":"/dev/disk/by-id/nowhere","node-name":"libvirt-3-storage","read-only":false}'],
      ...["-device", '{"driver":"scsi-block","bus":"scsi1.0","scsi-id":0,"drive":"libvirt-3-storage","id":"scsi1-0-0"}'],
      ...["-blockdev", '{"driver":"file","filename":"/nowhere.iso","node-name":"libvirt-4-storage","read-only":true}'],
      ...["-device", '{"driver":"scsi-cd","bus":"scsi0.0","channel":0,"scsi-id":5,"lun":0,"drive":"libvirt-4-storage","id":"scsi0-0-5-0"}'],
      ...LIBVIRT_TAIL,
    ],
    disks: ["hostdev0"],
    leftOut: [
      "scsi-block 'scsi1-0-0'",
      "lsi 'scsi1'",
      "scsi-cd 'scsi0-0-5-0'",
      "host_device 'libvirt-3-storage'",
      "file 'libvirt-4-storage'",
    ],
  },
];

const USERS: readonly PastedLine[] = [
  {
    what: "Proxmox: its monitors, and a LUN in args",
    argv: [
      ...["-name", "vm100,debug-threads=on", "-no-shutdown", "-chardev", "socket,id=qmp,path=FOLDER/100.qmp,server=on,wait=off"],
      ...["-mon", "chardev=qmp,mode=control", "-chardev", "socket,id=qmp-event,path=/nowhere/qmeventd.sock,reconnect-ms=5000"],
      ...["-mon", "chardev=qmp-event,mode=control", "-pidfile", "/var/run/qemu-server/100.pid", "-daemonize"],
      ...["-smbios", "type=1,uuid=3b0ce1c9-6f1a-4c0e-9b43-000000000100", "-smp", "4,sockets=1,cores=4,maxcpus=4", "-nodefaults"],
      ...[
        "-boot",
        "menu=on,strict=on,reboot-timeout=1000,splash=/usr/share/qemu-server/bootsplash.jpg",
        "-vnc",
        "unix:/nowhere/100.vnc,password=on",
      ],
      ...["-cpu", "kvm64,enforce,+kvm_pv_eoi,+kvm_pv_unhalt", "-m", "4096", "-k", "de"],
      ...[
        "-device",
        "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e",
        "-device",
        "vmgenid,guid=5b5f4e5a-1f0c-4f0e-a4f8-000000000100",
      ],
      ...["-device", "piix3-usb-uhci,id=uhci,bus=pci.0,addr=0x1.0x2", "-device", "usb-tablet,id=tablet,bus=uhci.0,port=1"],
      ...[
        "-device",
        "VGA,id=vga,bus=pci.0,addr=0x2",
        "-device",
        "virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3,free-page-reporting=on",
      ],
      ...[
        "-iscsi",
        "initiator-name=iqn.1993-08.org.debian:01:abcdef",
        "-drive",
        "if=none,id=drive-ide2,media=cdrom,aio=io_uring,file=/nowhere.iso",
      ],
      ...["-device", "ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2,bootindex=101"],
      ...["-device", "virtio-scsi-pci,id=scsihw0,bus=pci.0,addr=0x5"],
      ...["-drive", "file=/dev/pve/vm-100-disk-0,if=none,id=drive-scsi0,format=raw,cache=none,aio=io_uring,detect-zeroes=on"],
      ...["-device", "scsi-hd,bus=scsihw0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0,id=scsi0,bootindex=100"],
      ...["-object", "pr-manager-helper,id=pr0,path=HELPER"],
      ...[
        "-drive",
        "file.driver=host_device,file.filename=DISK,file.pr-manager=pr0,if=none,id=drive-scsi1,format=raw,cache=none,aio=native",
      ],
      ...["-device", "scsi-block,bus=scsihw0.0,channel=0,scsi-id=1,lun=0,drive=drive-scsi1,id=scsi1"],
      ...["-netdev", "type=tap,id=net0,ifname=tap100i0,script=/usr/libexec/qemu-server/pve-bridge,vhost=on"],
      ...["-device", "virtio-net-pci,mac=BC:24:11:00:00:01,netdev=net0,bus=pci.0,addr=0x12,id=net0", "-machine", "type=pc+pve0"],
    ],
    disks: ["scsi1"],
    leftOut: ["-daemonize", "-pidfile", "scsi-hd 'scsi0'", "ide-cd 'ide2'", "'drive-scsi0'", "'drive-ide2'"],
    kept: ["drive-scsi1"],
  },
  {
    what: "a user's line with flags, -hda and a human monitor",
    argv: [
      ...["-enable-kvm", "-m", "2G", "-smp", "2", "-cpu", "host", "-hda", "/nowhere.qcow2", "-cdrom", "/nowhere.iso", "-boot", "d"],
      ...[
        "-nographic",
        "-serial",
        "mon:stdio",
        "-monitor",
        "none",
        "-device",
        "virtio-scsi-pci,id=s",
        "-nic",
        "user,hostfwd=tcp::2222-:22",
      ],
      ...[
        "-object",
        "pr-manager-helper,id=helper0,path=HELPER",
        "-drive",
        "if=none,id=hd,driver=raw,file.driver=host_device,file.filename=DISK,file.pr-manager=helper0",
      ],
      ...["-device", "scsi-block,drive=hd,id=d0"],
    ],
    disks: ["d0"],
    leftOut: ["-enable-kvm", "-hda", "-nographic", "-serial"],
  },
  {
    what: "the documentation's line with a board around it, in one node",
    argv: [
      ...["-M", "q35,accel=kvm:tcg", "-m", "1G", "-display", "gtk", "-usb", "-device", "usb-tablet", "-device", "virtio-scsi,iothread=t0"],
      ...["-object", "iothread,id=t0,poll-max-ns=0", "-object", "pr-manager-helper,id=helper0,path=HELPER"],
      ...["-blockdev", "node-name=hd,driver=host_device,filename=DISK,pr-manager=helper0,cache.direct=on,aio=native,discard=unmap"],
      ...[
        "-device",
        "scsi-block,drive=hd,id=d0",
        "-drive",
        "file=/nowhere.img,format=qcow2",
        "-drive",
        "file=/nowhere.raw,if=virtio,format=raw",
      ],
      ...["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/nowhere.fd", "-net", "none", "-rtc", "base=localtime"],
    ],
    disks: ["d0"],
    leftOut: ["-M", "usb-tablet", "/nowhere.img", "/nowhere.raw", "/nowhere.fd"],
  },
  {
    what: "a root port with a name of its own, NVMe, a USB stick and a network disk",
    argv: [
      ...["-machine", "q35", "-device", "pcie-root-port,id=rp1,slot=1", "-device", "virtio-scsi-pci-non-transitional,id=scsi0,bus=rp1"],
      ...["-blockdev", "driver=host_device,filename=DISK,node-name=hd", "-device", "scsi-block,bus=scsi0.0,drive=hd,id=d0"],
      ...["-drive", "file=/nowhere.img,if=none,id=nvm", "-device", "nvme,serial=deadbeef,drive=nvm"],
      ...[
        "-device",
        "nec-usb-xhci,id=xhci",
        "-drive",
        "if=none,id=stick,format=raw,file=/nowhere.usb",
        "-device",
        "usb-storage,bus=xhci.0,drive=stick",
      ],
      ...["-blockdev", "driver=nbd,node-name=net,server.type=inet,server.host=localhost,server.port=10809"],
      ...["-blockdev", "driver=qcow2,node-name=top,file=net", "-drive", "file=rbd:pool/image:id=admin,if=none,id=ceph,format=raw"],
      ...["-device", "virtio-blk,drive=top", "-device", "virtio-blk-pci,drive=ceph"],
    ],
    disks: ["d0"],
    leftOut: ["pcie-root-port 'rp1'", "nvme", "'nvm'", "usb-storage", "'stick'", "nbd 'net'", "qcow2 'top'", "'ceph'"],
  },
];

/** All of them. */
export const PASTED_LINES: readonly PastedLine[] = [...LIBVIRT, ...USERS];

/** The line with simulated disks for those of the host, a manager in memory for the helper, and a folder that exists. */
export function standIn({ argv }: PastedLine, folder: string): readonly string[] {
  return argv.map((word) =>
    word
      .replace('"driver":"host_device","filename":"DISK"', `"driver":"sim-lun","wwn":"${WWN}"`)
      .replace(/driver=host_device,(file\.)?filename=DISK/, (_, prefix: string | undefined) => `driver=sim-lun,${prefix ?? ""}wwn=${WWN}`)
      .replace('"qom-type":"pr-manager-helper"', '"qom-type":"pr-manager-memory"')
      .replace('"path":"HELPER"', '"fabric":""')
      .replace(',"fabric":""', "")
      .replace(/pr-manager-helper,id=(\w+),path=HELPER/, "pr-manager-memory,id=$1")
      .replace("FOLDER", folder),
  );
}
