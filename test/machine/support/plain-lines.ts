/** Command lines as people type them, quotes included. */
import type { PastedLine } from "./pasted-line.js";
import { shell } from "./shell-words.js";

/** Them. */
export const PLAIN: readonly PastedLine[] = [
  {
    what: "a name with blanks, an image without an option, a CD, a network card, aliases",
    argv: shell`qemu-system-x86_64 -enable-kvm -name "Windows Server 2022" -m 8G -smp 4 -cpu host,hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time ~/images/win2022.qcow2 -cdrom virtio-win.iso -nic user,model=virtio-net-pci -vga qxl -usbdevice tablet -device virtio-scsi,id=scsi -object pr-manager-helper,id=helper0,path=HELPER -drive if=none,id=hd,driver=raw,file.driver=host_device,file.filename=DISK,file.pr-manager=helper0 -device scsi-block,drive=hd,id=quorum`,
    disks: ["quorum"],
    leftOut: ["-hda", "-cdrom", "-nic", "-vga", "-usbdevice"],
  },
  {
    what: "drives of the board, short booleans, a snapshot, a monitor and a serial line together",
    argv: shell`kvm -m 2048 -smp cores=2 -drive file=root.img,if=virtio,index=0,cache=writeback -drive file=seed.iso,if=ide,media=cdrom -fda boot.img -snapshot -no-reboot -nographic -serial mon:stdio -device virtio-scsi-pci,id=scsi0 -drive file=DISK,if=none,id=lun0,format=raw,cache=directsync,aio=native,readonly -device scsi-generic,drive=lun0,bus=scsi0.0,id=tape0 -net nic,model=virtio -net user -rtc base=localtime -k de`,
    disks: ["tape0"],
    leftOut: ["root.img", "seed.iso", "-fda", "-snapshot", "-net", "-serial"],
    kept: ["lun0"],
  },
  {
    what: "a board without PCI and firmware, a kernel with an option text that has blanks and equals signs",
    argv: shell`qemu-system-x86_64 -M microvm,x-option-roms=off,rtc=on,acpi=off -m 512m -no-reboot -nodefaults -no-user-config -nographic -kernel vmlinuz -initrd initrd.img -append "console=ttyS0 root=/dev/sda1 scsi_mod.scan=sync" -chardev stdio,id=console,mux=on,signal=off -serial chardev:console -mon chardev=console,mode=readline -device virtio-scsi-device,id=scsi0 -object pr-manager-helper,id=pr,path=HELPER -blockdev driver=host_device,filename=DISK,node-name=disk,pr-manager=pr -device scsi-block,drive=disk,id=sda`,
    disks: ["sda"],
    leftOut: ["-append", "-kernel", "-serial"],
  },
  {
    what: "monitors on TCP and on sockets with the options that they have, one over telnet, one with TLS",
    argv: shell`qemu-system-aarch64 -M virt,highmem=off,gic-version=max -cpu max,pauth-impdef=on -accel tcg,thread=multi -smp 8 -m 4G -bios QEMU_EFI.fd -object tls-creds-x509,id=tls0,dir=/nowhere,endpoint=server,verify-peer=no -qmp tcp:127.0.0.1:0,server=on,wait=off,ipv4=on,ipv6=off,to=20 -qmp unix:FOLDER/plain.sock,server,nowait -monitor telnet::5555,server,nowait -chardev socket,id=secure,host=localhost,port=4446,server=on,wait=off,tls-creds=tls0 -mon secure,mode=control,pretty=on -chardev socket,id=logged,path=FOLDER/logged.sock,server=on,wait=off,mux=on,logfile=/nowhere/log,logappend=on -mon chardev=logged,mode=readline,pretty=off -device virtio-scsi-pci,id=s,hotplug=off,romfile= -object pr-manager-helper,id=pr,path=HELPER -blockdev node-name=d,driver=raw,cache.direct=on,file.driver=host_device,file.filename=DISK,file.pr-manager=pr,file.aio=native,file.locking=auto,read-only=off -device scsi-block,drive=d,id=d0,scsi-id=7,lun=1,io_timeout=60,rotation_rate=1,scsi_version=5`,
    disks: ["d0"],
    leftOut: ["-monitor", "-mon", "socket 'secure'"],
    kept: ["logged", "tls0", "s"],
  },
  {
    what: "tracing, a debugger, limits of drives, a plain and a later flag twice, devices by their driver=",
    argv: shell`/opt/qemu/bin/qemu-system-x86_64 --machine q35 --accel kvm -S -s -gdb tcp::1235 -trace 'scsi_*' -trace enable=pr_manager_run -D /nowhere/qemu.log -d guest_errors,unimp -seed 1 -run-with async-teardown=on -msg guest-name=on,timestamp=on -pidfile /nowhere/pid --device driver=virtio-scsi-pci,id=scsi0,max_sectors=0x100 --object qom-type=pr-manager-helper,id=pr,path=HELPER -drive driver=host_device,filename=DISK,if=none,id=a,pr-manager=pr,throttling.iops-total=100,throttling.group=g,discard=unmap,detect-zeroes=unmap -device driver=scsi-block,drive=a,id=a0,share-rw=on,rerror=report,werror=auto -global virtio-scsi-pci.iothread=none -set device.scsi0.max_sectors=128 -no-reboot -no-reboot`,
    disks: ["a0"],
    leftOut: ["-trace", "-gdb", "-s", "-run-with", "-set", "-global"],
  },
];
