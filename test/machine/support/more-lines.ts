/** Command lines for QEMU with habits of older times, and with much around the disk. */
import { HELPER, LIBVIRT_BOARD, LIBVIRT_HEAD, LIBVIRT_TAIL, adapter, json, libvirtMonitor, lun, storage } from "./pasted-line.js";
import type { PastedLine } from "./pasted-line.js";

const TEXT_HELPER = ["-object", "pr-manager-helper,id=pr0,path=HELPER"];

/** Them. */
export const MORE: readonly PastedLine[] = [
  {
    what: "libvirt 4 and 5: everything as text, drives with an interface of none",
    argv: [
      ...["-name", "guest=old vm (1),process=qemu:old", "-S", "-machine", "pc-q35-4.0,accel=kvm,usb=off,dump-guest-core=off"],
      ...[
        "-object",
        "secret,id=masterKey0,format=raw,file=/var/lib/libvirt/qemu/domain-1-old/master-key.aes",
        "-overcommit",
        "mem-lock=off",
      ],
      ...[
        "-m",
        "1024",
        "-smp",
        "2",
        "-display",
        "none",
        "-no-user-config",
        "-nodefaults",
        "-chardev",
        "socket,id=charmonitor,fd=1731,server,nowait",
      ],
      ...["-mon", "chardev=charmonitor,id=monitor,mode=control", "-rtc", "base=utc", "-no-hpet", "-no-shutdown", "-boot", "strict=on"],
      ...[
        "-device",
        "ich9-usb-ehci1,id=usb,bus=pcie.0,addr=0x1d.0x7",
        "-device",
        "virtio-scsi-pci,id=scsi0,bus=pcie.0,addr=0x5",
        ...TEXT_HELPER,
      ],
      ...[
        "-drive",
        "file.driver=host_device,file.filename=DISK,file.pr-manager=pr0,format=raw,if=none,id=drive-scsi0-0-0-0,cache=none,discard=unmap",
      ],
      ...[
        "-device",
        "scsi-block,bus=scsi0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0-0-0-0,id=scsi0-0-0-0,bootindex=1,werror=report,rerror=report",
      ],
      ...["-drive", "if=none,id=drive-sata0-0-0,readonly=on", "-device", "ide-cd,bus=ide.0,drive=drive-sata0-0-0,id=sata0-0-0"],
      ...["-msg", "timestamp=on"],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["-no-hpet", "ide-cd 'sata0-0-0'", "'drive-sata0-0-0'"],
  },
  {
    what: "Arm's board without PCI, a monitor over telnet",
    argv: [
      ...[
        "-M",
        "virt,gic-version=3",
        "-cpu",
        "cortex-a72",
        "-m",
        "2048",
        "-bios",
        "/nowhere.fd",
        "-monitor",
        "telnet:127.0.0.1:5555,server,nowait",
      ],
      ...[
        "-device",
        "virtio-scsi-device,id=s",
        ...TEXT_HELPER,
        "-drive",
        "if=none,id=hd,driver=raw,file.driver=host_device,file.filename=DISK,file.pr-manager=pr0",
      ],
      ...["-device", "scsi-block,drive=hd,id=d0", "-device", "virtio-net-device,netdev=n0", "-netdev", "user,id=n0", "-serial", "stdio"],
    ],
    disks: ["d0"],
    leftOut: ["-monitor", "virtio-net-device", "-bios"],
  },
  {
    what: "monitors on devices of other kinds, and a log",
    argv: [
      ...[
        "-machine",
        "q35",
        "-chardev",
        "pty,id=p",
        "-mon",
        "chardev=p,mode=readline",
        "-monitor",
        "vc",
        "-qmp",
        "null",
        "-D",
        "/nowhere.log",
        "-d",
        "guest_errors",
      ],
      ...[
        "-qmp",
        "unix:FOLDER/mine.sock,server=on,wait=off",
        "-device",
        "virtio-scsi-pci",
        "-blockdev",
        "driver=host_device,filename=DISK,node-name=n,locking=off",
      ],
      ...["-device", "scsi-generic,drive=n,id=g0"],
    ],
    disks: ["g0"],
    leftOut: ["-mon", "-monitor", "-qmp", "pty 'p'", "-D", "-d"],
  },
  {
    what: "libvirt: two LUNs of one disk that are shared, on adapters of two generations",
    argv: [
      ...[...LIBVIRT_HEAD, ...libvirtMonitor("path=FOLDER/monitor.sock"), ...LIBVIRT_BOARD, ...adapter({}), ...HELPER, ...storage({})],
      ...[...lun({ "share-rw": true }), "-device", '{"driver":"virtio-scsi-pci-transitional","id":"scsi1","bus":"pci.2","addr":"0x0"}'],
      ...lun({ "share-rw": true, bus: "scsi1.0", id: "scsi1-0-0-0", bootindex: 2 }),
      ...LIBVIRT_TAIL,
    ],
    disks: ["scsi0-0-0-0", "scsi1-0-0-0"],
    leftOut: ["-no-shutdown"],
    kept: ["scsi1"],
  },
  {
    what: "libvirt: NUMA nodes, huge pages, encrypted disks, a throttle group, TLS, SEV",
    argv: [
      ...[
        "-name",
        "guest=numa",
        "-machine",
        "q35,confidential-guest-support=lsec0",
        "-object",
        "sev-guest,id=lsec0,cbitpos=47,reduced-phys-bits=1",
      ],
      ...["-object", json({ "qom-type": "thread-context", id: "tc-ram-node0", "node-affinity": [0] })],
      ...[
        "-object",
        json({
          "qom-type": "memory-backend-file",
          id: "ram-node0",
          "mem-path": "/dev/hugepages/libvirt/qemu/1-numa",
          share: true,
          prealloc: true,
          "prealloc-threads": 8,
          "prealloc-context": "tc-ram-node0",
          size: 1073741824,
          "host-nodes": [0],
          policy: "bind",
        }),
      ],
      ...[
        "-numa",
        "node,nodeid=0,cpus=0-1,memdev=ram-node0",
        "-object",
        json({ "qom-type": "memory-backend-memfd", id: "ram1", hugetlb: true, hugetlbsize: 2097152, size: 4194304 }),
      ],
      ...[
        "-object",
        json({
          "qom-type": "secret",
          id: "libvirt-3-format-encryption-secret0",
          data: "AAAA",
          keyid: "masterKey0",
          iv: "AAAA",
          format: "base64",
        }),
      ],
      ...[
        "-object",
        json({ "qom-type": "tls-creds-x509", id: "vnc-tls-creds0", dir: "/etc/pki/libvirt-vnc", endpoint: "server", "verify-peer": true }),
      ],
      ...[
        "-object",
        json({ "qom-type": "throttle-group", id: "limits0", limits: { "iops-total": 100 } }),
        "-object",
        json({ "qom-type": "rng-random", id: "objrng0", filename: "/dev/urandom" }),
      ],
      ...[...adapter({}), ...HELPER, ...storage({ "auto-read-only": false }), ...lun({})],
      ...[
        "-blockdev",
        json({
          "node-name": "libvirt-3-format",
          driver: "luks",
          "key-secret": "libvirt-3-format-encryption-secret0",
          file: { driver: "nbd", server: { type: "unix", path: "/nowhere" } },
        }),
      ],
      ...[
        "-device",
        json({ driver: "virtio-blk-pci-non-transitional", drive: "libvirt-3-format", id: "virtio-disk1" }),
        "-device",
        json({ driver: "virtio-rng-pci", rng: "objrng0", id: "rng0" }),
      ],
    ],
    disks: ["scsi0-0-0-0"],
    leftOut: ["sev-guest 'lsec0'", "rng-random 'objrng0'", "luks 'libvirt-3-format'", "virtio-rng-pci 'rng0'"],
    kept: ["ram-node0", "limits0", "vnc-tls-creds0", "tc-ram-node0"],
  },
];
