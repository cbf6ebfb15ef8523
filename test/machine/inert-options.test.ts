/** Options without effect are checked for form as QEMU 11.1 checks them, kept, and written back. */
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

const LUN = `sim-lun,node-name=hd,wwn=${WWN}`;
const DRIVE = `if=none,id=hd,driver=raw,file.driver=sim-lun,file.wwn=${WWN}`;
const IO_THREAD = ["-object", "iothread,id=io"];
const device = (more: object): string => JSON.stringify({ driver: "virtio-scsi-pci", id: "s", ...more });

/** Arguments that QEMU refuses as well, and the option that is named. */
const REFUSED: readonly (readonly [string, readonly string[]])[] = [
  ["aio", ["-blockdev", `${LUN},aio=foo`]],
  ["aio=native", ["-blockdev", `${LUN},aio=native`]],
  ["detect-zeroes=unmap", ["-blockdev", `${LUN},detect-zeroes=unmap`]],
  ["cache.foo", ["-blockdev", `${LUN},cache.foo=on`]],
  ["'cache'", ["-blockdev", `${LUN},cache=none`]],
  ["cache.direct", ["-blockdev", `${LUN},cache.direct=1`]],
  ["cache.direct", ["-blockdev", `{"driver":"sim-lun","node-name":"hd","wwn":"${WWN}","cache":{"direct":"on"}}`]],
  ["force-share=on", ["-blockdev", `${LUN},force-share=on`]],
  ["'aio'", ["-blockdev", `raw,node-name=r,file.driver=sim-lun,file.wwn=${WWN},aio=native`]],
  ["'cache'", ["-drive", `${DRIVE},cache=foo`]],
  ["aio", ["-drive", `${DRIVE},aio=native`]],
  ["aio", ["-drive", `${DRIVE},aio=foo`]],
  ["discard", ["-drive", `${DRIVE},discard=foo`]],
  ["media", ["-drive", `${DRIVE},media=x`]],
  ["unit", ["-drive", `${DRIVE},unit=x`]],
  ["werror", ["-drive", `${DRIVE},werror=foo`]],
  ["rerror", ["-drive", `${DRIVE},rerror=enospc`]],
  ["serial", ["-drive", `${DRIVE},serial=1`]],
  ["throttling.foo", ["-drive", `${DRIVE},throttling.foo=1`]],
  ["throttling.iops-total", ["-drive", `${DRIVE},throttling.iops-total=1K`]],
  ["stats-account-invalid", ["-drive", `${DRIVE},stats-account-invalid=x`]],
  ["stats-intervals.1", ["-drive", `${DRIVE},stats-intervals.0=5,stats-intervals.1=x`]],
  ["stats-intervals", ["-drive", `${DRIVE},stats-intervals=5`]],
  ["addr", ["-device", "virtio-scsi-pci,addr=zz"]],
  ["addr", ["-device", "virtio-scsi-pci,addr=40"]],
  ["addr", ["-device", "virtio-scsi-pci,addr=1.9"]],
  ["addr", ["-device", "virtio-scsi-pci,addr="]],
  ["addr", ["-device", device({ addr: true })]],
  ["nope", ["-device", "virtio-scsi-pci,iothread=nope"]],
  ["ioeventfd", ["-device", "virtio-scsi-pci,ioeventfd=1"]],
  ["ioeventfd", ["-device", device({ ioeventfd: "on" })]],
  ["disable-legacy", ["-device", "virtio-scsi-pci,disable-legacy=x"]],
  ["vectors", ["-device", "virtio-scsi-pci,vectors=x"]],
  ["nope", ["-device", "virtio-scsi-pci,bus=nope"]],
  ["iothread-vq-mapping", ["-device", "virtio-scsi-pci,iothread-vq-mapping=x"]],
  ["iothread-vq-mapping.0.foo", ["-device", device({ "iothread-vq-mapping": [{ iothread: "io", foo: 1 }] })]],
  ["iothread-vq-mapping.0.iothread", ["-device", device({ "iothread-vq-mapping": [{ vqs: [0] }] })]],
  ["iothread-vq-mapping", ["-device", device({ iothread: "io", "iothread-vq-mapping": [{ iothread: "io" }] })]],
  ["ioeventfd", ["-device", "virtio-scsi-pci,ioevntfd=on"]],
  ["devno", ["-device", "virtio-scsi-ccw,devno=fe.9.0001"]],
  ["migrate-pr", ["-blockdev", LUN, "-device", "virtio-scsi", "-device", "scsi-block,drive=hd,migrate-pr=maybe"]],
  ["'data'", ["-object", "secret,id=a"]],
  ["'file'", ["-object", "secret,id=a,data=x,file=/x"]],
  ["format", ["-object", "secret,id=a,data=x,format=hex"]],
  ["poll-max-ns", ["-object", "iothread,id=a,poll-max-ns=1K"]],
  ["poll-weight", ["-object", "iothread,id=a,poll-weight=-1"]],
  ["thread-pool-max", ["-object", "iothread,id=a,thread-pool-max=0"]],
  ["'size'", ["-object", "memory-backend-ram,id=a,size=0"]],
  ["'size'", ["-object", "memory-backend-ram,id=a"]],
  ["host-nodes", ["-object", "memory-backend-ram,id=a,size=1M,policy=bind"]],
  ["host-nodes", ["-object", "memory-backend-ram,id=a,size=1M,host-nodes=0"]],
  ["policy", ["-object", "memory-backend-ram,id=a,size=1M,policy=foo"]],
  ["nope", ["-object", "memory-backend-ram,id=a,size=1M,prealloc-context=nope"]],
  ["mem-path", ["-object", "memory-backend-file,id=a,size=1M"]],
  ["identity", ["-object", "authz-simple,id=a"]],
  ["limits.iops", ["-object", '{"qom-type":"throttle-group","id":"a","limits":{"iops":5}}']],
  ["fd", ["-chardev", "socket,id=c,fd=x"]],
  ["fd", ["-chardev", "socket,id=c,fd=3,path=/x"]],
  ["debug-thread", ["-name", "guest=a,debug-thread=on"]],
  ["debug-threads", ["-name", "guest=a,debug-threads=1"]],
  ["-readconfig", ["-readconfig", "/nowhere"]],
];

/** Arguments that QEMU takes as well. */
const ACCEPTED: readonly (readonly string[])[] = [
  ["-blockdev", `${LUN},aio=native,cache.direct=on`],
  ["-blockdev", `${LUN},detect-zeroes=unmap,discard=unmap`],
  ["-blockdev", `${LUN},force-share=on,read-only=on,aio-max-batch=-1,drop-cache=on,x-check-cache-dropped=off`],
  ["-blockdev", `raw,node-name=r,file.driver=sim-lun,file.wwn=${WWN},cache.direct=on,file.aio=native,offset=512,size=1024`],
  ...["none,aio=native", "writethrough", "directsync", "unsafe", "writeback"].map((mode) => ["-drive", `${DRIVE},cache=${mode}`]),
  ["-drive", `${DRIVE},discard=on,detect-zeroes=unmap,media=disk,bus=0,unit=3,werror=enospc,rerror=stop,snapshot=off,copy-on-read=off`],
  ["-drive", `${DRIVE},throttling.iops-total=5,bps_rd=1,cache.writeback=on,media=cdrom,index=1`],
  ["-drive", `${DRIVE},stats-account-invalid=off,stats-account-failed=on,stats-intervals.0=60,stats-intervals.1=3600,group=g`],
  ["-drive", `${DRIVE},throttling.bps-read-max=1,throttling.bps-read-max-length=2,throttling.iops-size=3,throttling.group=g`],
  ["-drive", "if=none,id=null,format=raw,file=host_device:/dev/null,file.locking=off"],
  ["-device", "virtio-scsi-pci,addr=05.1,multifunction=on,romfile=,rombar=0,vectors=4,acpi-index=0,packed=on,x-pcie-flr-init=off"],
  ["-device", device({ num_queues: 2, iothread: "io" })],
  ["-device", device({ "iothread-vq-mapping": [{ iothread: "io", vqs: [0] }] })],
  ["-device", "virtio-scsi-pci-transitional,bus=pci.0", "-device", "virtio-scsi-device,id=m"],
  ["-object", "memory-backend-ram,id=a,size=1M,host-nodes=0-1,policy=bind,prealloc=on"],
  ["-object", "memory-backend-memfd,id=a,size=1M,hugetlbsize=2M", "-object", "thread-context,id=tc,cpu-affinity=0-3"],
  ["-object", "throttle-group,id=a,x-iops-total=1", "-object", '{"qom-type":"throttle-group","id":"b","limits":{"iops-total":5}}'],
  ["-object", "tls-creds-x509,id=a,dir=/nowhere,endpoint=server", "-object", "secret,id=s,file=/nowhere"],
  ["-object", '{"qom-type":"authz-list","id":"a","rules":[{"match":"x","policy":"allow","format":"glob"}]}'],
];

describe("an option without effect", () => {
  const folder = temporaryFolder();

  for (const [option, argv] of REFUSED) {
    it(`is refused as QEMU refuses it: ${argv.join(" ")}`, async () => {
      const error = await refusal(() => Machine.create([...IO_THREAD, ...argv]));
      expect(`${error.message} ${error.hint ?? ""}`).to.contain(option);
    });
  }

  for (const argv of ACCEPTED) {
    it(`is accepted as QEMU accepts it, and written back: ${argv.join(" ")}`, async () => {
      const machine = await Machine.create([...IO_THREAD, ...argv]);
      const [json, written] = [machine.toJson(), machine.toArgs()];
      expect(machine.warnings).to.deep.equal([]);
      await machine.close();
      const again = await Machine.create(written);
      expect(again.toJson()).to.equal(json);
      await again.close();
    });
  }

  it("is there for introspection, with QEMU's defaults", async () => {
    const machine = await Machine.create([...IO_THREAD, "-device", "virtio-scsi-pci,id=s,iothread=io,addr=0x5"]);
    const at = (path: string, property: string): unknown => machine.qom.get(path, property);
    expect(at("/objects/io", "poll-max-ns")).to.equal(32_768n);
    expect(at("/machine/peripheral/s", "iothread")).to.equal("/objects/io");
    expect(at("/machine/peripheral/s", "addr")).to.equal("0x5");
    expect(at("/machine/peripheral/s", "ioeventfd")).to.equal(true);
    await machine.close();
  });

  it("holds what it refers to", async () => {
    const machine = await Machine.create([...IO_THREAD, "-device", "virtio-scsi-pci,id=s,iothread=io"]);
    expect((await refusal(() => machine.qom.delete("io"))).kind).to.equal("in-use");
    await machine.close();
  });

  it("opens for reading alone what nobody may write, where auto-read-only says so", async () => {
    // Attributes of the kernel are files that not even root may open for writing.
    const file = "file,node-name=f,filename=/sys/kernel/uevent_seqnum,locking=off";
    expect((await refusal(() => Machine.create(["-blockdev", file]))).kind).to.equal("io");
    const nested = "raw,node-name=f,auto-read-only=on,file.driver=file,file.filename=/sys/kernel/uevent_seqnum,file.locking=off";
    for (const text of [`${file},auto-read-only=on`, nested]) {
      const machine = await Machine.create(["-blockdev", text]);
      expect(machine.graph.node("f").isReadOnly, text).to.equal(true);
      expect(machine.graph.node("f").readOnly).to.equal(false);
      await machine.close();
    }
  });

  it("says of a descriptor that is not a socket what is wrong with it", async () => {
    const path = folder.path("file");
    writeFileSync(path, "");
    const file = await open(path);
    const { fd } = file;
    const argv = ["-chardev", `socket,id=c,fd=${fd},server=on,wait=off`, "-mon", "c"];
    const error = await refusal(() => Machine.create(argv));
    await file.close();
    expect([error.kind, error.message.includes(`descriptor ${fd} is not a socket`)]).to.deep.equal(["wrong-type", true]);
  });
});
