/** What a QEMU knows, as the record has it. */

/**
 * A kind of value: of a device's property the name that its help shows, of QAPI a builtin type, the values of an enumeration, a list of
 * one kind, members, or alternatives.
 */
export type KnownType =
  | string
  | { readonly enum: readonly string[] }
  | { readonly list: KnownType }
  | { readonly members: KnownMembers }
  | { readonly either: readonly KnownType[] };

/** Kinds by name; one that must be given has a `!` behind its name. */
export type KnownMembers = Readonly<Record<string, KnownType>>;

/** One program of QEMU. */
export interface KnownProgram {
  readonly version: string;
  /** Options of the command line that take a text, without their dash. */
  readonly options: readonly string[];
  /** Those that take none. */
  readonly flags: readonly string[];
  readonly chardevs: readonly string[];
  /** Types of -device, each with its aliases behind it: `lsi53c895a lsi`. */
  readonly devices: readonly string[];
  readonly objects: readonly string[];
  readonly drivers: readonly string[];
  /** Properties of the devices in {@link DEVICES_LOOKED_AT} that it has. */
  readonly properties: Readonly<Record<string, KnownMembers>>;
  /** What its help calls the properties of the objects in {@link OBJECTS_LOOKED_AT} that it has. */
  readonly objectProperties: Readonly<Record<string, KnownMembers>>;
  /** Members of -object, by type. */
  readonly objectMembers: Readonly<Record<string, KnownMembers>>;
  /** Members of -blockdev: of every driver ("") and of those in {@link DRIVERS_LOOKED_AT}. */
  readonly blockMembers: Readonly<Record<string, KnownMembers>>;
}

/** Devices that this library has too. */
export const DEVICES_LOOKED_AT = [
  "virtio-scsi-pci",
  "virtio-scsi-pci-transitional",
  "virtio-scsi-pci-non-transitional",
  "virtio-scsi-ccw",
  "virtio-scsi-device",
  "scsi-block",
  "scsi-generic",
] as const;

/** Objects that this library has too. */
export const OBJECTS_LOOKED_AT = [
  "pr-manager-helper",
  "secret",
  "secret_keyring",
  "iothread",
  "thread-context",
  "memory-backend-file",
  "memory-backend-memfd",
  "memory-backend-ram",
  "memory-backend-shm",
  "throttle-group",
  "tls-cipher-suites",
  "tls-creds-anon",
  "tls-creds-psk",
  "tls-creds-x509",
  "authz-list",
  "authz-simple",
] as const;

/** Block drivers that this library has too. */
export const DRIVERS_LOOKED_AT = ["raw", "file", "host_device"] as const;
