/** Command lines as programs that manage many guests write them: oVirt, KubeVirt, nova, Proxmox, avocado. */
import type { PastedLine } from "./pasted-line.js";
import { shell } from "./shell-words.js";

/** Them. */
export const MANAGERS: readonly PastedLine[] = [
  {
    what: "oVirt: a multipath LUN in two nodes, aliases of its own, NUMA, Spice with many options, SMBIOS",
    argv: shell`LC_ALL=C /usr/libexec/qemu-kvm -name guest=win-node1,debug-threads=on -S -object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-9-win-node1/master-key.aes"}' -machine pc-q35-rhel8.6.0,usb=off,dump-guest-core=off,kernel_irqchip=split,graphics=off -accel kvm -cpu Cascadelake-Server,md-clear=on,mds-no=on,hle=off,rtm=off,arch-capabilities=on,hv-time,hv-relaxed,hv-vapic,hv-spinlocks=0x1fff -m size=16777216k,slots=16,maxmem=67108864k -overcommit mem-lock=off -smp 4,maxcpus=64,sockets=16,dies=1,cores=4,threads=1 -object '{"qom-type":"iothread","id":"iothread1"}' -object '{"qom-type":"memory-backend-ram","id":"ram-node0","size":17179869184}' -numa node,nodeid=0,cpus=0-63,memdev=ram-node0 -uuid 9c3d3b4f-3a76-4b39-9fb2-c0f7a6a2a111 -smbios 'type=1,manufacturer=oVirt,product=RHEL,version=8.7-1.el8,serial=4c4c4544-0042-3010-8054,uuid=9c3d3b4f-3a76-4b39-9fb2-c0f7a6a2a111,sku=8.6.0,family=oVirt' -no-user-config -nodefaults -device '{"driver":"sga"}' -chardev socket,id=charmonitor,fd=1040,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control -rtc base=2024-03-01T10:00:00,driftfix=slew -global kvm-pit.lost_tick_policy=delay -no-hpet -no-shutdown -global ICH9-LPC.disable_s3=1 -boot splash-time=30000,menu=on,strict=on -device '{"driver":"pcie-root-port","port":16,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x2"}' -device '{"driver":"virtio-scsi-pci","iothread":"iothread1","id":"ua-f60d6c3c-3bd5-41a6-a42d-6a4c6e7f5c8e","num_queues":4,"bus":"pci.1","addr":"0x0"}' -device '{"driver":"virtio-serial-pci","id":"ua-74c0d8a0","max_ports":16,"bus":"pci.2","addr":"0x0"}' -device '{"driver":"ide-cd","bus":"ide.2","id":"ua-cd","werror":"report","rerror":"report"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","aio":"native","pr-manager":"pr-helper0","node-name":"libvirt-1-storage","cache":{"direct":true,"no-flush":false},"auto-read-only":true,"discard":"unmap"}' -blockdev '{"node-name":"libvirt-1-format","read-only":false,"discard":"unmap","cache":{"direct":true,"no-flush":false},"driver":"raw","file":"libvirt-1-storage"}' -device '{"driver":"scsi-block","bus":"ua-f60d6c3c-3bd5-41a6-a42d-6a4c6e7f5c8e.0","channel":0,"scsi-id":0,"lun":0,"share-rw":true,"drive":"libvirt-1-format","id":"ua-0a4ab0b2-1a6d-4f3a-9d1c-111111111111","bootindex":1,"werror":"stop","rerror":"stop"}' -netdev tap,fds=42:43,id=hostua-net,vhost=on,vhostfds=44:45 -device '{"driver":"virtio-net-pci","mq":true,"vectors":6,"host_mtu":1500,"netdev":"hostua-net","id":"ua-net","mac":"56:6f:1a:00:00:01","bootindex":2,"bus":"pci.3","addr":"0x0"}' -chardev socket,id=charchannel0,fd=1037,server=on,wait=off -device '{"driver":"virtserialport","bus":"ua-74c0d8a0.0","nr":1,"chardev":"charchannel0","id":"channel0","name":"ovirt-guest-agent.0"}' -spice port=5902,tls-port=5903,addr=192.0.2.7,x509-dir=/etc/pki/vdsm/libvirt-spice,tls-channel=main,tls-channel=display,tls-channel=inputs,seamless-migration=on -device '{"driver":"qxl-vga","id":"ua-video","max_outputs":1,"ram_size":67108864,"vram_size":8388608,"vram64_size_mb":0,"vgamem_mb":16,"bus":"pcie.0","addr":"0x1"}' -device '{"driver":"vmcoreinfo"}' -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on`,
    disks: ["ua-0a4ab0b2-1a6d-4f3a-9d1c-111111111111"],
    leftOut: ["-numa", "-smbios", "sga", "vmcoreinfo", "ide-cd 'ua-cd'", "socket 'charchannel0'"],
    kept: ["ram-node0", "libvirt-1-format", "ua-f60d6c3c-3bd5-41a6-a42d-6a4c6e7f5c8e"],
  },
  {
    what: "KubeVirt: an adapter without the older generation, a helper outside of the pod, a serial console with a log",
    argv: shell`LC_ALL=C \
PATH=/bin:/usr/bin:/usr/local/bin \
HOME=/var/run/kubevirt-private/libvirt/qemu/lib/domain-1-default_vm-lun \
/usr/libexec/qemu-kvm \
-name guest=default_vm-lun,debug-threads=on \
-S \
-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/run/kubevirt-private/libvirt/qemu/lib/domain-1-default_vm-lun/master-key.aes"}' \
-machine pc-q35-rhel9.4.0,usb=off,dump-guest-core=off,memory-backend=pc.ram,acpi=on \
-accel kvm \
-cpu Icelake-Server-noTSX,vmx=on,hypervisor=on,tsc-adjust=on \
-m size=2097152k,slots=16,maxmem=8388608k \
-object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":2147483648}' \
-overcommit mem-lock=off \
-smp 1,maxcpus=4,sockets=4,dies=1,cores=1,threads=1 \
-object '{"qom-type":"iothread","id":"iothread1"}' \
-uuid 51b06d2e-1f56-5c63-9a8b-2f4a0f5b1c01 \
-smbios 'type=1,manufacturer=KubeVirt,product=None,uuid=51b06d2e-1f56-5c63-9a8b-2f4a0f5b1c01,family=KubeVirt' \
-no-user-config \
-nodefaults \
-chardev socket,id=charmonitor,fd=1020,server=on,wait=off \
-mon chardev=charmonitor,id=monitor,mode=control \
-rtc base=utc \
-no-shutdown \
-boot strict=on \
-device '{"driver":"pcie-root-port","port":16,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x2"}' \
-device '{"driver":"virtio-scsi-pci-non-transitional","id":"scsi0","bus":"pci.5","addr":"0x0"}' \
-device '{"driver":"virtio-serial-pci-non-transitional","id":"virtio-serial0","bus":"pci.6","addr":"0x0"}' \
-object '{"qom-type":"pr-manager-helper","id":"pr-helper-ua-lun-disk","path":"HELPER"}' \
-blockdev '{"driver":"host_device","filename":"DISK","aio":"native","pr-manager":"pr-helper-ua-lun-disk","node-name":"libvirt-2-storage","read-only":false,"discard":"unmap","cache":{"direct":true,"no-flush":false}}' \
-device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":0,"drive":"libvirt-2-storage","id":"ua-lun-disk","bootindex":1,"werror":"report","rerror":"report"}' \
-blockdev '{"driver":"file","filename":"/var/run/kubevirt-ephemeral-disks/cloud-init-data/default/vm-lun/noCloud.iso","node-name":"libvirt-1-storage","read-only":false,"discard":"unmap","cache":{"direct":true,"no-flush":false}}' \
-device '{"driver":"virtio-blk-pci-non-transitional","bus":"pci.7","addr":"0x0","drive":"libvirt-1-storage","id":"ua-cloudinitdisk","write-cache":"on","werror":"stop","rerror":"stop"}' \
-netdev '{"type":"tap","fd":"22","vhost":true,"vhostfd":"24","id":"hostua-default"}' \
-device '{"driver":"virtio-net-pci-non-transitional","host_mtu":1450,"netdev":"hostua-default","id":"ua-default","mac":"02:4a:bc:00:00:07","bus":"pci.1","addr":"0x0","romfile":""}' \
-add-fd set=0,fd=21,opaque=serial0-log \
-chardev socket,id=charserial0,fd=19,server=on,wait=off,logfile=/dev/fdset/0,logappend=on \
-device '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}' \
-chardev socket,id=charchannel0,fd=20,server=on,wait=off \
-device '{"driver":"virtserialport","bus":"virtio-serial0.0","nr":1,"chardev":"charchannel0","id":"channel0","name":"org.qemu.guest_agent.0"}' \
-audiodev '{"id":"audio1","driver":"none"}' \
-vnc vnc=unix:/var/run/kubevirt-private/51b06d2e/virt-vnc,audiodev=audio1 \
-device '{"driver":"VGA","id":"video0","vgamem_mb":16,"bus":"pcie.0","addr":"0x1"}' \
-global ICH9-LPC.noreboot=off \
-watchdog-action reset \
-device '{"driver":"virtio-balloon-pci-non-transitional","id":"balloon0","free-page-reporting":true,"bus":"pci.8","addr":"0x0"}' \
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
-msg timestamp=on`,
    disks: ["ua-lun-disk"],
    leftOut: ["socket 'charserial0'", "isa-serial 'serial0'", "file 'libvirt-1-storage'", "-add-fd"],
    kept: ["libvirt-2-storage", "pr-helper-ua-lun-disk"],
  },
  {
    what: "OpenStack: disks of Ceph beside a LUN, a secret for them, a log of the serial console",
    argv: shell`LC_ALL=C /usr/bin/qemu-system-x86_64 -name guest=instance-0000002a,debug-threads=on -S -object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-42-instance-0000002a/master-key.aes"}' -machine pc-i440fx-8.2,usb=off,dump-guest-core=off,memory-backend=pc.ram,acpi=on -accel kvm -cpu host,migratable=on,topoext=on -m size=4194304k -object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":4294967296}' -overcommit mem-lock=off -smp 2,sockets=2,dies=1,cores=1,threads=1 -uuid 5e1b0c47-4c8f-4b3b-8a7a-21b7f7e2f9d3 -smbios 'type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,version=28.0.0,serial=5e1b0c47-4c8f-4b3b-8a7a-21b7f7e2f9d3,family=Virtual Machine' -no-user-config -nodefaults -chardev socket,id=charmonitor,fd=1033,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc,driftfix=slew -global kvm-pit.lost_tick_policy=delay -no-hpet -no-shutdown -boot strict=on -device '{"driver":"piix3-usb-uhci","id":"usb","bus":"pci.0","addr":"0x1.0x2"}' -device '{"driver":"virtio-scsi-pci","id":"scsi0","bus":"pci.0","addr":"0x4"}' -object '{"qom-type":"secret","id":"libvirt-2-storage-auth-secret0","data":"JkR2vWpNvq5u6uQeC3yC5w==","keyid":"masterKey0","iv":"q83vEjRWeJCrze8SNFZ4kA==","format":"base64"}' -blockdev '{"driver":"rbd","pool":"vms","image":"5e1b0c47_disk","server":[{"host":"192.0.2.1","port":"6789"},{"host":"192.0.2.2","port":"6789"}],"user":"cinder","auth-client-required":["cephx","none"],"key-secret":"libvirt-2-storage-auth-secret0","node-name":"libvirt-2-storage","read-only":false,"discard":"unmap","cache":{"direct":false,"no-flush":false}}' -device '{"driver":"scsi-hd","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":0,"device_id":"drive-scsi0-0-0-0","drive":"libvirt-2-storage","id":"scsi0-0-0-0","bootindex":1,"write-cache":"on"}' -object '{"qom-type":"pr-manager-helper","id":"pr-helper0","path":"HELPER"}' -blockdev '{"driver":"host_device","filename":"DISK","aio":"native","pr-manager":"pr-helper0","node-name":"libvirt-1-storage","read-only":false,"cache":{"direct":true,"no-flush":false}}' -device '{"driver":"scsi-block","bus":"scsi0.0","channel":0,"scsi-id":0,"lun":1,"share-rw":true,"drive":"libvirt-1-storage","id":"scsi0-0-0-1"}' -add-fd set=0,fd=36,opaque=serial0-log -chardev pty,id=charserial0,logfile=/dev/fdset/0,logappend=on -device '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}' -device '{"driver":"usb-tablet","id":"input0","bus":"usb.0","port":"1"}' -audiodev '{"id":"audio1","driver":"none"}' -vnc 0.0.0.0:3,audiodev=audio1 -device '{"driver":"virtio-vga","id":"video0","max_outputs":1,"bus":"pci.0","addr":"0x2"}' -device '{"driver":"vfio-pci","host":"0000:3b:02.1","id":"hostdev0","bus":"pci.0","addr":"0x5"}' -device '{"driver":"virtio-balloon-pci","id":"balloon0","bus":"pci.0","addr":"0x6"}' -object '{"qom-type":"rng-random","id":"objrng0","filename":"/dev/urandom"}' -device '{"driver":"virtio-rng-pci","rng":"objrng0","id":"rng0","bus":"pci.0","addr":"0x7"}' -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on`,
    disks: ["scsi0-0-0-1"],
    leftOut: ["rbd 'libvirt-2-storage'", "scsi-hd 'scsi0-0-0-0'", "vfio-pci 'hostdev0'"],
    kept: ["libvirt-1-storage", "libvirt-2-storage-auth-secret0"],
  },
  {
    what: "Proxmox, as qm showcmd --pretty prints it: a LUN on an adapter of its own, behind a bridge",
    argv: shell`/usr/bin/kvm \
  -id 104 \
  -name 'cluster-a,debug-threads=on' \
  -no-shutdown \
  -chardev 'socket,id=qmp,path=FOLDER/104.qmp,server=on,wait=off' \
  -mon 'chardev=qmp,mode=control' \
  -chardev 'socket,id=qmp-event,path=/nowhere/qmeventd.sock,reconnect=5' \
  -mon 'chardev=qmp-event,mode=control' \
  -pidfile /var/run/qemu-server/104.pid \
  -daemonize \
  -smbios 'type=1,uuid=0b5c1b90-0d54-4b7d-96f1-b3a3a3c0a104' \
  -smp '4,sockets=1,cores=4,maxcpus=4' \
  -nodefaults \
  -boot 'menu=on,strict=on,reboot-timeout=1000,splash=/usr/share/qemu-server/bootsplash.jpg' \
  -vnc 'unix:/var/run/qemu-server/104.vnc,password=on' \
  -cpu qemu64,+aes,enforce,+kvm_pv_eoi,+kvm_pv_unhalt,+pni,+popcnt,+sse4.1,+sse4.2,+ssse3 \
  -m 4096 \
  -object 'iothread,id=iothread-virtioscsi0' \
  -device 'pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e' \
  -device 'pci-bridge,id=pci.2,chassis_nr=2,bus=pci.0,addr=0x1f' \
  -device 'pci-bridge,id=pci.3,chassis_nr=3,bus=pci.0,addr=0x5' \
  -device 'vmgenid,guid=d8f2aa4a-4b83-4a0c-a4a8-a0c6a9c7a104' \
  -device 'ich9-usb-ehci1,id=ehci,bus=pci.0,addr=0x1d.0x7,multifunction=on' \
  -device 'ich9-usb-uhci1,id=uhci-9-1,bus=pci.0,addr=0x1d,masterbus=ehci.0,firstport=0,multifunction=on' \
  -device 'usb-tablet,id=tablet,bus=ehci.0,port=1' \
  -device 'VGA,id=vga,bus=pci.0,addr=0x2' \
  -chardev 'socket,path=/var/run/qemu-server/104.qga,server=on,wait=off,id=qga0' \
  -device 'virtio-serial,id=qga0,bus=pci.0,addr=0x8' \
  -device 'virtserialport,chardev=qga0,name=org.qemu.guest_agent.0' \
  -device 'virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3,free-page-reporting=on' \
  -iscsi 'initiator-name=iqn.1993-08.org.debian:01:5b2d3a104' \
  -drive 'if=none,id=drive-ide2,media=cdrom,aio=io_uring' \
  -device 'ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2,bootindex=102' \
  -device 'virtio-scsi-pci,id=virtioscsi0,bus=pci.3,addr=0x1,iothread=iothread-virtioscsi0' \
  -drive 'file=DISK,if=none,id=drive-scsi0,format=raw,cache=none,aio=io_uring,detect-zeroes=on' \
  -device 'scsi-block,bus=virtioscsi0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0,id=scsi0,bootindex=100' \
  -device 'virtio-scsi-pci,id=virtioscsi1,bus=pci.3,addr=0x2' \
  -drive 'file=DISK,if=none,id=drive-scsi1,werror=report,rerror=report,format=raw,cache=writethrough,aio=threads' \
  -device 'scsi-generic,bus=virtioscsi1.0,channel=0,scsi-id=0,lun=1,drive=drive-scsi1,id=scsi1' \
  -drive 'file=/dev/zvol/rpool/data/vm-104-disk-0,if=none,id=drive-virtio0,format=raw,cache=none,aio=io_uring,detect-zeroes=on' \
  -device 'virtio-blk-pci,drive=drive-virtio0,id=virtio0,bus=pci.0,addr=0xa,bootindex=101' \
  -netdev 'type=tap,id=net0,ifname=tap104i0,script=/usr/libexec/qemu-server/pve-bridge,downscript=/usr/libexec/qemu-server/pve-bridgedown,vhost=on' \
  -device 'virtio-net-pci,mac=BC:24:11:0A:0B:0C,netdev=net0,bus=pci.0,addr=0x12,id=net0,rx_queue_size=1024,tx_queue_size=256' \
  -machine 'type=pc-i440fx-9.2+pve1'`,
    disks: ["scsi0", "scsi1"],
    leftOut: ["-id", "'drive-ide2'", "'drive-virtio0'", "socket 'qga0'", "ich9-usb-ehci1 'ehci'"],
    kept: ["drive-scsi0", "drive-scsi1", "iothread-virtioscsi0", "virtioscsi1", "qmp"],
  },
  {
    what: "avocado: JSON with blanks, its own order of members, a serial console on a socket",
    argv: shell`/usr/libexec/qemu-kvm \
     -S  \
     -name 'avocado-vt-vm1'  \
     -sandbox on  \
     -machine q35,memory-backend=mem-machine_mem \
     -device '{"id": "pcie-root-port-0", "driver": "pcie-root-port", "multifunction": true, "bus": "pcie.0", "addr": "0x1", "chassis": 1}' \
     -nodefaults \
     -device '{"driver": "VGA", "bus": "pcie.0", "addr": "0x2"}' \
     -m 30720 \
     -object '{"size": 32212254720, "id": "mem-machine_mem", "qom-type": "memory-backend-ram"}'  \
     -smp 12,maxcpus=12,cores=6,threads=1,dies=1,sockets=2  \
     -cpu 'Icelake-Server-noTSX',ss=on,vmx=on,+kvm_pv_unhalt \
     -chardev socket,wait=off,server=on,path=FOLDER/qmp-1,id=qmp_id_qmpmonitor1  \
     -mon chardev=qmp_id_qmpmonitor1,mode=control \
     -chardev socket,wait=off,server=on,path=FOLDER/catch-1,id=qmp_id_catch_monitor  \
     -mon chardev=qmp_id_catch_monitor,mode=control \
     -device '{"ioport": 1285, "driver": "pvpanic", "id": "idJWkbDr"}' \
     -chardev socket,wait=off,server=on,path=/nowhere/serial-1,id=chardev_serial0 \
     -device '{"id": "serial0", "driver": "isa-serial", "chardev": "chardev_serial0"}' \
     -device '{"id": "pcie-root-port-2", "port": 2, "driver": "pcie-root-port", "addr": "0x1.0x2", "bus": "pcie.0", "chassis": 3}' \
     -device '{"id": "virtio_scsi_pci0", "driver": "virtio-scsi-pci", "bus": "pcie-root-port-2", "addr": "0x0"}' \
     -object '{"path": "HELPER", "id": "helper0", "qom-type": "pr-manager-helper"}' \
     -blockdev '{"node-name": "file_stg0", "driver": "host_device", "auto-read-only": true, "discard": "unmap", "aio": "native", "filename": "DISK", "pr-manager": "helper0", "cache": {"direct": true, "no-flush": false}}' \
     -blockdev '{"node-name": "drive_stg0", "driver": "raw", "read-only": false, "cache": {"direct": true, "no-flush": false}, "file": "file_stg0"}' \
     -device '{"driver": "scsi-block", "id": "stg0", "drive": "drive_stg0", "bootindex": 0}'  \
     -vnc :0  \
     -rtc base=utc,clock=host,driftfix=slew  \
     -boot menu=off,order=cdn,once=c,strict=off \
     -enable-kvm \
     -monitor none`,
    disks: ["stg0"],
    leftOut: ["pvpanic 'idJWkbDr'", "socket 'chardev_serial0'", "-enable-kvm"],
    kept: ["qmp_id_catch_monitor", "virtio_scsi_pci0", "file_stg0"],
  },
];
