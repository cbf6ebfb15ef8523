/** Command lines as libvirt's log and `virsh domxml-to-native` have them, the environment and the program included. */
import type { PastedLine } from "./pasted-line.js";
import { shell } from "./shell-words.js";

/** Them. */
export const LIBVIRT_LOGS: readonly PastedLine[] = [
  {
    what: "virsh domxml-to-native, libvirt 12: reservations of a daemon of the administrator's, two disks",
    argv: shell`LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/libvirt/qemu/domain--1-node-a USER=root XDG_CACHE_HOME=/var/lib/libvirt/qemu/domain--1-node-a/.cache /usr/bin/qemu-system-x86_64 -name guest=node-a,debug-threads=on -S -object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain--1-node-a/master-key.aes"}' -machine pc-q35-10.2,usb=off,dump-guest-core=off,memory-backend=pc.ram,hpet=off,acpi=on -accel kvm -cpu host,migratable=on,hv-time=on,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vendor-id=cluster -m size=4194304k -object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":4294967296}' -overcommit mem-lock=off -smp 2,sockets=1,dies=1,clusters=1,cores=2,threads=1 -uuid 6f0d1c52-3c86-4d0e-8a0a-5d5d1b0c2a10 -display none -no-user-config -nodefaults -chardev socket,id=charmonitor,path=FOLDER/native.sock,server=on,wait=off -object '{"qom-type":"monitor-qmp","id":"monitor","chardev":"charmonitor"}' -rtc base=localtime,driftfix=slew -global kvm-pit.lost_tick_policy=delay -no-shutdown -boot strict=on -device '{"driver":"pcie-root-port","port":16,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x2"}' -device '{"driver":"pcie-root-port","port":17,"chassis":2,"id":"pci.2","bus":"pcie.0","addr":"0x2.0x1"}' -device '{"driver":"virtio-scsi-pci","id":"scsi0","num_queues":2,"bus":"pci.1","addr":"0x0"}' -device '{"driver":"ahci","id":"sata1","bus":"pcie.0","addr":"0x1f.0x3"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper-scsi0-0-0-0","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","pr-manager":"pr-helper-scsi0-0-0-0","node-name":"libvirt-3-storage","read-only":false,"cache":{"direct":true,"no-flush":false}}' -device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":0,"drive":"libvirt-3-storage","id":"scsi0-0-0-0","bootindex":1,"werror":"report","rerror":"report"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper-scsi0-0-0-1","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","pr-manager":"pr-helper-scsi0-0-0-1","node-name":"libvirt-2-storage","read-only":false,"cache":{"direct":true,"no-flush":false}}' -device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":1,"share-rw":true,"drive":"libvirt-2-storage","id":"scsi0-0-0-1"}' -device '{"driver":"ide-cd","bus":"ide.0","id":"sata0-0-0"}' -audiodev '{"id":"audio1","driver":"none"}' -device '{"driver":"i6300esb","id":"watchdog0","bus":"pcie.0","addr":"0x3"}' -watchdog-action reset -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on`,
    disks: ["scsi0-0-0-0", "scsi0-0-0-1"],
    leftOut: ["ahci 'sata1'", "ide-cd 'sata0-0-0'", "i6300esb 'watchdog0'"],
    kept: ["pr-helper-scsi0-0-0-0", "pr-helper-scsi0-0-0-1", "libvirt-2-storage"],
  },
  {
    what: "libvirt 11's log of the target of a migration: an incoming guest, descriptors, taps, a serial log, limits of another disk",
    argv: shell`LC_ALL=C \
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
HOME=/var/lib/libvirt/qemu/domain-7-db1 \
XDG_DATA_HOME=/var/lib/libvirt/qemu/domain-7-db1/.local/share \
XDG_CONFIG_HOME=/var/lib/libvirt/qemu/domain-7-db1/.config \
/usr/libexec/qemu-kvm \
-name guest=db1,debug-threads=on \
-S \
-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-7-db1/master-key.aes"}' \
-machine pc-q35-rhel9.6.0,usb=off,smm=on,dump-guest-core=off,memory-backend=pc.ram,acpi=on,pflash0=libvirt-pflash0-format \
-accel kvm \
-cpu Skylake-Server-IBRS,ss=on,vmx=on,pcid=on,clflushopt=on,umip=on,pku=on,md-clear=on,stibp=on,ssbd=on \
-global driver=cfi.pflash01,property=secure,value=on \
-m size=8388608k,slots=16,maxmem=33554432k \
-object '{"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"x-use-canonical-path-for-ramblock-id":false,"size":8589934592}' \
-overcommit mem-lock=off \
-smp 4,maxcpus=8,sockets=8,dies=1,cores=1,threads=1 \
-object '{"qom-type":"iothread","id":"iothread1","thread-pool-min":8,"thread-pool-max":16}' \
-uuid 4b1a7a55-32c9-4d55-9a0d-9d3f1f6f7a01 \
-display none \
-no-user-config \
-nodefaults \
-chardev socket,id=charmonitor,fd=1041,server=on,wait=off \
-mon chardev=charmonitor,id=monitor,mode=control \
-rtc base=utc,driftfix=slew \
-no-shutdown \
-global ICH9-LPC.disable_s3=1 \
-boot strict=on \
-blockdev '{"driver":"file","filename":"/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd","node-name":"libvirt-pflash0-storage","auto-read-only":true,"discard":"unmap"}' \
-blockdev '{"node-name":"libvirt-pflash0-format","read-only":true,"driver":"raw","file":"libvirt-pflash0-storage"}' \
-device '{"driver":"pcie-root-port","port":16,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x2"}' \
-device '{"driver":"qemu-xhci","p2":15,"p3":15,"id":"usb","bus":"pci.2","addr":"0x0"}' \
-device '{"driver":"virtio-scsi-pci","iothread":"iothread1","id":"scsi0","bus":"pci.1","addr":"0x0"}' \
-object '{"qom-type":"throttle-group","id":"throttle-group-slow","limits":{"iops-total":200,"bps-total":10485760}}' \
-object '{"qom-type":"secret","id":"libvirt-2-format-encryption-secret0","data":"9eao5F8qtkGt","keyid":"masterKey0","iv":"AAAAAAAAAAAAAAAAAAAAAA==","format":"base64"}' \
-blockdev '{"driver":"file","filename":"/var/lib/libvirt/images/db1.qcow2","aio":"io_uring","node-name":"libvirt-2-storage","auto-read-only":true,"discard":"unmap","cache":{"direct":true,"no-flush":false}}' \
-blockdev '{"node-name":"libvirt-2-format","read-only":false,"driver":"qcow2","encrypt":{"format":"luks","key-secret":"libvirt-2-format-encryption-secret0"},"file":"libvirt-2-storage","backing":null,"data-file-raw":true}' \
-blockdev '{"driver":"throttle","node-name":"libvirt-2-filter","throttle-group":"throttle-group-slow","file":"libvirt-2-format"}' \
-device '{"driver":"virtio-blk-pci","iothread":"iothread1","bus":"pci.3","addr":"0x0","drive":"libvirt-2-filter","id":"virtio-disk0","write-cache":"on"}' \
-object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' \
-blockdev '{"driver":"host_device","filename":"DISK","aio":"native","pr-manager":"pr-helper0","node-name":"libvirt-1-storage","read-only":false,"cache":{"direct":true,"no-flush":false}}' \
-device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":0,"drive":"libvirt-1-storage","id":"scsi0-0-0-0","werror":"report","rerror":"report"}' \
-netdev '{"type":"tap","fd":"44","vhost":true,"vhostfd":"46","id":"hostnet0"}' \
-device '{"driver":"virtio-net-pci","rx_queue_size":1024,"netdev":"hostnet0","id":"net0","mac":"52:54:00:6b:3c:58","bus":"pci.4","addr":"0x0"}' \
-add-fd set=0,fd=45,opaque=serial0-log \
-chardev pty,id=charserial0,logfile=/dev/fdset/0,logappend=on \
-device '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}' \
-chardev socket,id=chr-vu-fs0,path=/var/lib/libvirt/qemu/domain-7-db1/fs0-fs.sock \
-device '{"driver":"vhost-user-fs-pci","id":"fs0","chardev":"chr-vu-fs0","tag":"share","bus":"pci.5","addr":"0x0"}' \
-audiodev '{"id":"audio1","driver":"none"}' \
-incoming defer \
-device '{"driver":"virtio-balloon-pci","id":"balloon0","free-page-reporting":true,"bus":"pci.6","addr":"0x0"}' \
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
-msg timestamp=on`,
    disks: ["scsi0-0-0-0"],
    leftOut: [
      "-incoming",
      "-add-fd",
      "throttle 'libvirt-2-filter'",
      "qcow2 'libvirt-2-format'",
      "file 'libvirt-2-storage'",
      "pty 'charserial0'",
      "socket 'chr-vu-fs0'",
      "raw 'libvirt-pflash0-format'",
      "vhost-user-fs-pci 'fs0'",
    ],
    kept: ["throttle-group-slow", "libvirt-2-format-encryption-secret0", "iothread1"],
  },
  {
    what: "libvirt 8's log, two nodes each with its cache, error policies, a disk that is a host device",
    argv: shell`LC_ALL=C \
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin \
HOME=/var/lib/libvirt/qemu/domain-3-jammy \
/usr/bin/qemu-system-x86_64 \
-name guest=jammy,debug-threads=on \
-S \
-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-3-jammy/master-key.aes"}' \
-machine pc-q35-6.2,usb=off,vmport=off,dump-guest-core=off,memory-backend=pc.ram \
-accel kvm \
-cpu EPYC-Rome,x2apic=on,tsc-deadline=on,hypervisor=on,xsaves=off \
-m 2048 \
-object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":2147483648}' \
-overcommit mem-lock=off \
-smp 2,sockets=2,cores=1,threads=1 \
-uuid 0e1f6d13-6bb0-4b4e-bb0e-23f6b9a5c7aa \
-no-user-config \
-nodefaults \
-chardev socket,id=charmonitor,fd=1033,server=on,wait=off \
-mon chardev=charmonitor,id=monitor,mode=control \
-rtc base=utc,driftfix=slew \
-global kvm-pit.lost_tick_policy=delay \
-no-hpet \
-no-shutdown \
-global ICH9-LPC.disable_s3=1 \
-global ICH9-LPC.disable_s4=1 \
-boot menu=on,strict=on \
-device '{"driver":"pcie-root-port","port":16,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x2"}' \
-device '{"driver":"virtio-scsi-pci","id":"scsi0","cmd_per_lun":7,"max_sectors":512,"ioeventfd":false,"bus":"pci.1","addr":"0x0"}' \
-device '{"driver":"virtio-serial-pci","id":"virtio-serial0","bus":"pci.2","addr":"0x0"}' \
-object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' \
-blockdev '{"driver":"host_device","filename":"DISK","aio":"native","pr-manager":"pr-helper0","node-name":"libvirt-2-storage","cache":{"direct":true,"no-flush":false},"auto-read-only":true,"discard":"unmap"}' \
-blockdev '{"node-name":"libvirt-2-format","read-only":false,"discard":"unmap","detect-zeroes":"unmap","cache":{"direct":true,"no-flush":false},"driver":"raw","file":"libvirt-2-storage"}' \
-device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":3,"share-rw":true,"drive":"libvirt-2-format","id":"scsi0-0-0-3","bootindex":2,"werror":"stop","rerror":"stop"}' \
-blockdev '{"driver":"host_device","filename":"DISK","node-name":"libvirt-1-backend","read-only":true}' \
-device '{"driver":"scsi-generic","drive":"libvirt-1-backend","id":"hostdev0","bus":"scsi0.0","channel":0,"scsi-id":1,"lun":0}' \
-netdev tap,fd=36,id=hostnet0,vhost=on,vhostfd=38 \
-device '{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:00:a4:3e:11","bus":"pci.3","addr":"0x0"}' \
-chardev spicevmc,id=charchannel0,name=vdagent \
-device '{"driver":"virtserialport","bus":"virtio-serial0.0","nr":2,"chardev":"charchannel0","id":"channel0","name":"com.redhat.spice.0"}' \
-device '{"driver":"usb-tablet","id":"input0","bus":"usb.0","port":"1"}' \
-audiodev '{"id":"audio1","driver":"spice"}' \
-spice port=5901,addr=127.0.0.1,disable-ticketing=on,image-compression=off,seamless-migration=on \
-device '{"driver":"qxl-vga","id":"video0","max_outputs":1,"ram_size":67108864,"vram_size":67108864,"vram64_size_mb":0,"vgamem_mb":16,"bus":"pcie.0","addr":"0x1"}' \
-device '{"driver":"ich9-intel-hda","id":"sound0","bus":"pcie.0","addr":"0x1b"}' \
-device '{"driver":"hda-duplex","id":"sound0-codec0","bus":"sound0.0","cad":0,"audiodev":"audio1"}' \
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
-msg timestamp=on`,
    disks: ["scsi0-0-0-3", "hostdev0"],
    withoutManager: ["hostdev0"],
    leftOut: ["-spice", "hda-duplex 'sound0-codec0'", "virtserialport 'channel0'"],
    kept: ["libvirt-2-format", "libvirt-1-backend"],
  },
  {
    what: "libvirt 10 on aarch64: the virt board, a SMMU, UEFI with its variables, reservations that follow a migration",
    argv: shell`/usr/bin/qemu-system-aarch64 -name guest=arm1,debug-threads=on -S -object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/nowhere/master-key.aes"}' -blockdev '{"driver":"file","filename":"/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd","node-name":"libvirt-pflash0-storage","auto-read-only":true,"discard":"unmap"}' -blockdev '{"node-name":"libvirt-pflash0-format","read-only":true,"driver":"raw","file":"libvirt-pflash0-storage"}' -blockdev '{"driver":"file","filename":"/var/lib/libvirt/qemu/nvram/arm1_VARS.fd","node-name":"libvirt-pflash1-storage","read-only":false}' -machine virt-9.2,usb=off,gic-version=3,iommu=smmuv3,dump-guest-core=off,memory-backend=mach-virt.ram,pflash0=libvirt-pflash0-format,pflash1=libvirt-pflash1-storage,acpi=on -accel kvm -cpu host -m size=2097152k -object '{"qom-type":"memory-backend-file","id":"mach-virt.ram","mem-path":"/dev/hugepages/libvirt/qemu/1-arm1","share":true,"prealloc":true,"size":2147483648}' -overcommit mem-lock=on -smp 4,sockets=1,clusters=1,cores=4,threads=1 -object '{"qom-type":"iothread","id":"iothread1"}' -object '{"qom-type":"iothread","id":"iothread2"}' -uuid 2b2f4a6e-8e0e-4f0f-9d11-8ed1a6a1b002 -display none -no-user-config -nodefaults -chardev socket,id=charmonitor,fd=1030,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc -no-shutdown -boot strict=on -device '{"driver":"pcie-root-port","port":8,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x1"}' -device '{"driver":"pcie-pci-bridge","id":"pci.2","bus":"pci.1","addr":"0x0"}' -device '{"driver":"virtio-scsi-pci","id":"scsi0","num_queues":4,"virtqueue_size":512,"iothread-vq-mapping":[{"iothread":"iothread1","vqs":[0,2]},{"iothread":"iothread2","vqs":[1,3]}],"iommu_platform":true,"ats":true,"packed":true,"page-per-vq":true,"bus":"pci.3","addr":"0x0"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","aio":"io_uring","pr-manager":"pr-helper0","node-name":"libvirt-1-storage","read-only":false,"discard":"ignore","detect-zeroes":"off","cache":{"direct":false,"no-flush":false}}' -device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":2,"lun":4096,"drive":"libvirt-1-storage","id":"scsi0-0-2-4096","bootindex":1,"migrate-pr":true}' -chardev pty,id=charserial0 -serial chardev:charserial0 -object '{"qom-type":"rng-random","id":"objrng0","filename":"/dev/urandom"}' -device '{"driver":"virtio-rng-pci","rng":"objrng0","id":"rng0","bus":"pci.4","addr":"0x0"}' -device '{"driver":"ramfb","id":"video0"}' -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on`,
    disks: ["scsi0-0-2-4096"],
    leftOut: ["-serial", "pty 'charserial0'", "raw 'libvirt-pflash0-format'", "file 'libvirt-pflash1-storage'", "ramfb 'video0'"],
    kept: ["mach-virt.ram", "iothread2"],
  },
  {
    what: "libvirt 11 on s390x: a watchdog, consoles, a host device behind the channel subsystem, a LUN with an iothread",
    argv: shell`LC_ALL=C /usr/bin/qemu-system-s390x -name guest=zvm,debug-threads=on -S -machine s390-ccw-virtio-10.1,usb=off,dump-guest-core=off,aes-key-wrap=on,dea-key-wrap=off,memory-backend=s390.ram -accel kvm -cpu gen16a-base,aen=on,vxeh2=on,cte=on -m size=1048576k -object '{"qom-type":"memory-backend-ram","id":"s390.ram","size":1073741824}' -overcommit mem-lock=off -smp 2,sockets=2,cores=1,threads=1 -object '{"qom-type":"iothread","id":"iothread1"}' -uuid 1b826c23-8767-47ad-a6b5-c83a88277f71 -display none -no-user-config -nodefaults -chardev socket,id=charmonitor,path=FOLDER/z.sock,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc -no-shutdown -boot strict=on,loadparm=2 -device '{"driver":"virtio-scsi-ccw","iothread":"iothread1","num_queues":2,"id":"scsi0","devno":"fe.0.0009"}' -device '{"driver":"virtio-scsi-ccw","id":"scsi1","devno":"fe.3.ffff"}' -device '{"driver":"virtio-serial-ccw","id":"virtio-serial0","devno":"fe.0.0008"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","pr-manager":"pr-helper0","node-name":"libvirt-1-storage","read-only":false}' -device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":0,"drive":"libvirt-1-storage","id":"scsi0-0-0-0","bootindex":1}' -blockdev '{"driver":"host_device","filename":"DISK","node-name":"libvirt-hostdev0-backend","read-only":false}' -device '{"driver":"scsi-generic","drive":"libvirt-hostdev0-backend","id":"hostdev0","bus":"scsi1.0","channel":0,"scsi-id":4,"lun":8}' -chardev pty,id=charconsole0 -device '{"driver":"sclpconsole","chardev":"charconsole0","id":"console0"}' -device '{"driver":"vfio-ccw","id":"hostdev1","sysfsdev":"/sys/bus/mdev/devices/90c6c135-ad44-41d0-b1b7-bae47de48627","devno":"fe.0.0023"}' -device '{"driver":"diag288","id":"watchdog0"}' -watchdog-action inject-nmi -msg timestamp=on`,
    disks: ["scsi0-0-0-0", "hostdev0"],
    withoutManager: ["hostdev0"],
    leftOut: ["vfio-ccw 'hostdev1'", "diag288 'watchdog0'", "sclpconsole 'console0'"],
    kept: ["scsi1"],
  },
];
