/**
 * THE table of what QEMU's command line has, by what becomes of it here. What QEMU does not know is in none of the rows, and is refused with
 * the nearest name as a hint. test/qemu-known holds the names against what QEMU 11.1 and 7.2 say of themselves.
 *
 * | kind | |
 * |---|---|
 * | ours | does here what it does there |
 * | inert | checked for form, kept for introspection and for writing the machine back, without effect: see objects.ts, block.ts, devices.ts |
 * | not ours | left out with a warning; refused when the machine is to be strict |
 */
import { lazily } from "../base/lazily.js";
import { foreignDevices, foreignStorage } from "./device-names.js";

/** What becomes of an option, or of a type that an option asks for. */
export type OptionKind = "ours" | "inert" | "not ours";

/** What the names of a row are. */
export type OptionSubject = "option" | "object" | "device" | "driver" | "chardev";

/** A row of the table. */
export interface KindRow {
  readonly subject: OptionSubject;
  readonly kind: OptionKind;
  /** Why it is of this kind; completes "…, because". */
  readonly reason: string;
  /** Of options that take a text, or of types. */
  readonly names: string;
  /** Of options without a text. */
  readonly flags?: string;
}

const BOARD = "there is no board, no processor and no memory";
const ROUND = "the process around the machine is the emulator's";

const OPTIONS: readonly KindRow[] = [
  { subject: "option", kind: "ours", reason: "they make what a machine with SCSI disks has", names: "object blockdev drive device name" },
  { subject: "option", kind: "ours", reason: "they make monitors", names: "chardev mon monitor qmp qmp-pretty" },
  { subject: "option", kind: "ours", reason: "it says whose answers are given, see compat.ts", names: "compat" },
  { subject: "option", kind: "ours", reason: "of the program", names: "trace", flags: "h help" },
  { subject: "option", kind: "ours", reason: "it says whether the machine runs from the beginning", names: "", flags: "S" },
  {
    subject: "option",
    kind: "not ours",
    reason: BOARD,
    names:
      "M accel acpitable bios boot cpu dtb fw_cfg global icount initrd append kernel shim m machine mem-path numa option-rom rtc seed set " +
      "smbios smp uuid watchdog-action action semihosting-config",
    flags:
      "enable-kvm mem-prealloc no-acpi no-fd-bootchk no-hpet no-reboot no-shutdown nodefaults preconfig semihosting singlestep win2k-hack",
  },
  {
    subject: "option",
    kind: "not ours",
    reason: "there is nothing to see, to hear or to type on",
    names: "audio audiodev display k spice usbdevice vga vnc rotate",
    flags: "audio-help full-screen nographic portrait usb",
  },
  {
    subject: "option",
    kind: "not ours",
    reason: "it has storage of another kind",
    names: "cdrom fda fdb fsdev hda hdb hdc hdd iscsi mtdblock pflash sd virtfs",
    flags: "snapshot",
  },
  {
    subject: "option",
    kind: "not ours",
    reason: "there are no other devices",
    names: "add-fd debugcon net netdev nic parallel serial tpmdev xen-domid",
    flags: "xen-attach xen-domid-restrict",
  },
  {
    subject: "option",
    kind: "not ours",
    reason: "nothing migrates this way",
    names: "dump-vmstate incoming loadvm",
    flags: "only-migratable",
  },
  { subject: "option", kind: "not ours", reason: "Proxmox numbers its guests with it", names: "id" },
  {
    subject: "option",
    kind: "not ours",
    reason: ROUND,
    names: "D L chroot d dfilter echr gdb msg overcommit pidfile plugin run-with runas sandbox",
    flags: "async-teardown daemonize enable-sync-profile jitdump no-user-config perfmap s version",
  },
];

/** Of them, those that only the QEMU of Proxmox has. */
export const PROXMOX_OPTIONS: readonly string[] = ["id"];

/** Options that QEMU has and that would mean something here: refused, strict or not. By name the reason. */
export const REFUSED_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["readconfig", "-readconfig is not supported: what is in the file would not be made"],
]);

const OBJECTS: readonly KindRow[] = [
  { subject: "object", kind: "ours", reason: "PR managers are what this library is about", names: "pr-manager-helper" },
  { subject: "object", kind: "ours", reason: "they are monitors", names: "monitor-hmp monitor-qmp" },
  {
    subject: "object",
    kind: "inert",
    reason: "devices and block nodes refer to them",
    names:
      "secret secret_keyring iothread thread-context memory-backend-file memory-backend-memfd memory-backend-ram memory-backend-shm " +
      "throttle-group tls-cipher-suites tls-creds-anon tls-creds-psk tls-creds-x509 authz-list authz-simple",
  },
  {
    subject: "object",
    kind: "not ours",
    reason: BOARD,
    names:
      "acpi-generic-initiator acpi-generic-port memory-backend-epc pef-guest s390-pv-guest sev-guest sev-snp-guest tdx-guest main-loop",
  },
  {
    subject: "object",
    kind: "not ours",
    reason: "there are no other devices",
    names:
      "authz-list-file authz-listfile authz-pam can-bus can-host-socketcan colo-compare cryptodev-backend cryptodev-backend-builtin cryptodev-backend-lkcf " +
      "cryptodev-vhost-user dbus-vmstate filter-buffer filter-dump filter-mirror filter-redirector filter-replay filter-rewriter " +
      "input-barrier input-linux iommufd qtest rng-builtin rng-egd rng-random x-remote-object x-vfio-user-server",
  },
];

const DRIVERS: readonly KindRow[] = [
  {
    subject: "driver",
    kind: "ours",
    reason: "they lead to a disk that takes SCSI commands, or say that it does not",
    names: "raw file host_device",
  },
  {
    subject: "driver",
    kind: "not ours",
    reason: "no SCSI command passes through",
    names:
      "blkdebug blklogwrites blkreplay blkverify bochs cloop compress copy-before-write copy-on-read dmg ftp ftps gluster host_cdrom http " +
      "https io_uring iscsi luks nbd nfs null-aio null-co nvme nvme-io_uring parallels preallocate qcow qcow2 qed quorum rbd replication " +
      "snapshot-access ssh throttle vdi vhdx virtio-blk-vfio-pci virtio-blk-vhost-user virtio-blk-vhost-vdpa vmdk vpc vvfat",
  },
];

const CHARDEVS: readonly KindRow[] = [
  { subject: "chardev", kind: "ours", reason: "monitors talk through them", names: "socket stdio" },
  {
    subject: "chardev",
    kind: "not ours",
    reason: "no monitor here talks through them",
    names:
      "braille dbus file hub memory msmouse mux null parallel parport pipe pty qemu-vdagent ringbuf serial spiceport spicevmc testdev tty udp vc wctablet",
  },
];

/** All rows but those of -device, which device-names.ts has. */
export const KINDS: readonly KindRow[] = [...OPTIONS, ...OBJECTS, ...DRIVERS, ...CHARDEVS];

const wordsOf = (text = ""): readonly string[] => text.split(" ").filter((word) => word !== "");

/** By subject: the names of what is not ours. */
const foreign = lazily((): ReadonlyMap<OptionSubject, ReadonlySet<string>> => {
  const namesOf = (subject: OptionSubject): ReadonlySet<string> =>
    new Set(KINDS.filter((row) => row.subject === subject && row.kind === "not ours").flatMap(({ names }) => wordsOf(names)));
  const subjects = ["option", "object", "driver", "chardev"] as const;
  const devices = new Set([...foreignStorage(), ...foreignDevices()]);
  return new Map<OptionSubject, ReadonlySet<string>>([
    ...subjects.map((subject) => [subject, namesOf(subject)] as const),
    ["device", devices],
  ]);
});

const foreignFlags = lazily(() => new Set(KINDS.filter(({ kind }) => kind === "not ours").flatMap(({ flags }) => wordsOf(flags))));

/** Names of the options that are not ours. */
export function foreignOptions(): readonly string[] {
  return [...(foreign().get("option") ?? []), ...foreignFlags()];
}

/** Whether QEMU has that type, and it is not ours. */
export function isForeign(subject: Exclude<OptionSubject, "option">, name: string): boolean {
  return foreign().get(subject)?.has(name) === true;
}

/** Of an option without its dash that QEMU has and that is not ours: whether a text follows it. Null for every other word. */
export function foreignOption(name: string): "text" | "flag" | null {
  if (foreign().get("option")?.has(name) === true) return "text";
  return foreignFlags().has(name) ? "flag" : null;
}
