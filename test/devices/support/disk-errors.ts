/** Answers of a disk to a READ or WRITE that are not GOOD. */
import { ScsiStatus } from "qom-pr";
import type { ScsiResult } from "qom-pr";
import { fixedSense } from "#src/scsi/sense.js";

/** A result of a disk. */
export const answer = (status: number, sense: Uint8Array = new Uint8Array(), hostStatus?: number): ScsiResult => ({
  ...{ status, dataIn: new Uint8Array(), residual: 0, sense },
  ...(hostStatus === undefined ? {} : { hostStatus }),
});
/** CHECK CONDITION with that sense. */
export const check = (key: number, asc: number, ascq: number): ScsiResult =>
  answer(ScsiStatus.CHECK_CONDITION, fixedSense({ key, asc, ascq }));

/** An answer of the disk: its error, or null where the guest is told in any case; `*` where there is no space. */
export const ANSWERS: readonly (readonly [string, ScsiResult, string | null])[] = [
  ["a medium error", check(0x3, 0x11, 0x00), "Input/output error"],
  ["a hardware error", check(0x4, 0x44, 0x00), "Input/output error"],
  ["a blank check", check(0x8, 0x00, 0x00), "Input/output error"],
  ["a miscompare", check(0xe, 0x1d, 0x00), "Input/output error"],
  ["no medium", check(0x2, 0x3a, 0x00), "No medium found"],
  ["a disk that becomes ready", check(0x2, 0x04, 0x01), null],
  ["a disk that wants to be started", check(0x2, 0x04, 0x02), null],
  ["a disk that is not ready", check(0x2, 0x04, 0x03), "Input/output error"],
  ["write protection", check(0x7, 0x27, 0x00), "Permission denied"],
  ["no space", check(0x7, 0x27, 0x07), "No space left on device*"],
  ["an LBA out of range", check(0x5, 0x21, 0x00), "No space left on device*"],
  ["an unaligned write", check(0x5, 0x21, 0x04), null],
  ["an invalid field", check(0x5, 0x24, 0x00), null],
  ["an invalid operation code", check(0x5, 0x20, 0x00), null],
  ["a unit attention", check(0x6, 0x29, 0x00), null],
  ["an aborted command", check(0xb, 0x47, 0x00), null],
  ["a recovered error", check(0x1, 0x17, 0x00), null],
  ["no sense data", answer(ScsiStatus.CHECK_CONDITION), null],
  ["RESERVATION CONFLICT", answer(ScsiStatus.RESERVATION_CONFLICT), null],
  ["BUSY", answer(ScsiStatus.BUSY), "Invalid argument"],
  ["TASK SET FULL", answer(ScsiStatus.TASK_SET_FULL), "Invalid argument"],
  ["a path that is lost", answer(0, new Uint8Array(), 0x0e), "No such device"],
  ["a timeout", answer(0, new Uint8Array(), 0x03), "No such device"],
  ["a conflict that the transport reports", answer(0, new Uint8Array(), 0x11), null],
];

/** Policies of scsi-block. */
export const POLICIES = ["report", "ignore", "enospc", "stop", "auto"] as const;

/** What a command does to the medium. */
export const OPERATIONS = ["read", "write"] as const;

/** Name of a row of the record of QEMU's answers, error-policy.json. */
export function recordName(operation: string, policy: string, what: string): string {
  return `${operation} ${policy}: ${what}`;
}

/** READ(10) and WRITE(10) of the first block, as a driver sends them. */
export const COMMANDS = {
  read: { cdb: "28000000000000000100", inBytes: 512 },
  write: { cdb: "2a000000000000000100", out: new Uint8Array(512) },
} as const;
