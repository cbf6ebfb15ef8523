/**
 * THE table of what QEMU 11.1 answers otherwise than QEMU 7.2, as far as it concerns this library. What a machine answers is 11.1's, or 7.2's
 * after `-compat qemu=7.2`; the code that answers asks {@link answersOf}. docs/qmp.md has the same rows, held against these by a test.
 */
import { lazily } from "../base/lazily.js";

/** The versions of QEMU whose answers a machine can give. */
export const QEMU_VERSIONS = ["7.2", "11.1"] as const;

/** One of them. */
export type QemuVersion = (typeof QEMU_VERSIONS)[number];

/** Whose answers a machine gives unless it is told otherwise. */
export const QEMU_VERSION_DEFAULT: QemuVersion = "11.1";

/** A row of the table. */
export interface Difference<T> {
  /** What differs, in words for users. */
  readonly what: string;
  /** By version: what users see. */
  readonly says: Readonly<Record<QemuVersion, string>>;
  /** The same for the code. */
  readonly value: Readonly<Record<QemuVersion, T>>;
}

/** What a version does: in words, and for the code. */
type Side<T> = readonly [says: string, value: T];

function difference<T>(what: string, older: Side<T>, newer: Side<T>): Difference<T> {
  return { what, says: { "7.2": older[0], "11.1": newer[0] }, value: { "7.2": older[1], "11.1": newer[1] } };
}

/** All rows. */
export const DIFFERENCES = {
  /** Of query-version and the greeting. */
  interfaceVersion: difference(
    "`query-version`, the greeting",
    ["7.2.0", { major: 7, minor: 2, micro: 0 }],
    ["11.1.3", { major: 11, minor: 1, micro: 3 }],
  ),
  /** Whether query-status has that member. */
  singlestep: difference("`singlestep` in `query-status`", ["`false`", true], ["not there", false]),
  /** Whether query-named-block-nodes and query-block tell what 7.2 does not; and an argument of the latter. */
  nodeState: difference(
    "`active`, `children`, `image.limits` and `image.format-specific` of a node, `flat` of `query-block`",
    ["not there", false],
    ["there", true],
  ),
  /** Names of commands that do not exist. */
  missingCommands: difference<readonly string[]>(
    "`blockdev-set-active`, `qom-list-get`",
    ["`CommandNotFound`", ["blockdev-set-active", "qom-list-get"]],
    ["there", []],
  ),
  /** Names of options of every block node that do not exist. */
  missingNodeOptions: difference<readonly string[]>("option `active` of a block node", ["refused", ["active"]], ["taken", []]),
  /** Whether a hexadecimal number with a suffix is a size. */
  deprecatedSizes: difference("`size=0x1M`", ["taken, with a warning", true], ["refused", false]),
  /** Whether device_add takes text for every kind of value. */
  looseDeviceAdd: difference("`device_add` with text for a number or a boolean", ["taken", true], ["refused", false]),
  /** Default of the property of scsi-block; an older machine type has an older default as well, see {@link MachineCompat}. */
  migratePr: difference("default of `migrate-pr` of `scsi-block`", ["off", false], ["on; off for machine types up to 10.2", true]),
} as const;

/** What a version answers, by row. */
export type QemuAnswers = {
  readonly [Row in keyof typeof DIFFERENCES]: (typeof DIFFERENCES)[Row] extends Difference<infer T> ? T : never;
};

const ANSWERS = lazily((): Readonly<Record<QemuVersion, QemuAnswers>> => {
  const of = (version: QemuVersion): QemuAnswers =>
    Object.fromEntries(Object.entries(DIFFERENCES).map(([row, { value }]) => [row, value[version]])) as QemuAnswers; // a value for each row
  return { "7.2": of("7.2"), "11.1": of("11.1") };
});

/** What that version answers. */
export function answersOf(version: QemuVersion): QemuAnswers {
  return ANSWERS()[version];
}

/** What objects and devices can learn of the QEMU that their machine follows. */
export interface MachineCompat {
  /** `-compat qemu=VERSION`. */
  readonly version: QemuVersion;
  readonly answers: QemuAnswers;
  /** Default of `migrate-pr` of scsi-block: off also where `-machine` names a type of a QEMU up to 10.2. */
  readonly migratePrDefault: boolean;
}

/** Injection token of {@link MachineCompat}. */
export const MachineCompat: unique symbol = Symbol("MachineCompat");

/** What {@link compatOf} is told. */
export interface CompatGiven {
  readonly version?: QemuVersion | undefined;
  /** The version in the name of the machine type, `pc-q35-10.2`; none in that of the newest, `q35`. */
  readonly machineType?: MachineTypeVersion | undefined;
}

/** A version of QEMU, as names of machine types have it. */
export interface MachineTypeVersion {
  readonly major: number;
  readonly minor: number;
}

/** The newest machine types whose scsi-block has `migrate-pr` off (QEMU: hw/core/machine.c, hw_compat_10_2). */
const WITHOUT_MIGRATE_PR: MachineTypeVersion = { major: 10, minor: 2 };

/** What a machine follows that was told so. */
export function compatOf({ version = QEMU_VERSION_DEFAULT, machineType }: CompatGiven): MachineCompat {
  const answers = answersOf(version);
  const isOlder = machineType !== undefined && isUpTo(machineType, WITHOUT_MIGRATE_PR);
  return { version, answers, migratePrDefault: answers.migratePr && !isOlder };
}

function isUpTo({ major, minor }: MachineTypeVersion, last: MachineTypeVersion): boolean {
  return major < last.major || (major === last.major && minor <= last.minor);
}
