/** Comparing blocks of the medium with data from the initiator: VERIFY and COMPARE AND WRITE (SBC-4 5.2, 5.36 to 5.39). */

import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { after, goodWithoutData, inTurn, invalidCdbField } from "../unit/reply.js";
import { taskAborted } from "../unit/task.js";
import type { Task } from "../unit/task.js";
import { blockRange, checkAddress, checkTransfer } from "./block-range.js";
import { checkWritable, dataOutOf, mustFlush } from "./data-out.js";

/** BYTCHK of VERIFY: 00b looks at the medium only, 01b compares all blocks with data-out, 11b one block of it with each. */
const BYTE_CHECK_TOP_BIT = 2;
const BYTE_CHECK_NONE = 0;
const BYTE_CHECK_RESERVED = 2;
const BYTE_CHECK_REPEATED = 3;

/** Most blocks of one COMPARE AND WRITE, by the width of its NUMBER OF LOGICAL BLOCKS and of the field in VPD page B0h. */
export const COMPARE_AND_WRITE_BLOCKS_MAX = 255;

function byteCheck(task: Task): number {
  return ((task.cdb[1] ?? 0) >> 1) & 0x03;
}

/** Offset of the first byte in which the two differ, or null. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  if (Buffer.compare(a, b) === 0) return null;
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? Math.min(a.length, b.length) : at;
}

function miscompare(offset: number): ScsiResult {
  return senseResult(Sense.MISCOMPARE_DURING_VERIFY, { information: offset });
}

function checkVerify(unit: UnitContext, task: Task): ScsiResult | null {
  const kind = byteCheck(task);
  if (kind === BYTE_CHECK_RESERVED) return invalidCdbField(1, BYTE_CHECK_TOP_BIT);
  return kind === BYTE_CHECK_NONE ? checkAddress(unit, task) : checkTransfer(unit, task);
}

/** With BYTCHK 00b there is nothing to find: every block of the medium can be read until the operating system says otherwise. */
function verify(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const kind = byteCheck(task);
  const { lba, blocks } = blockRange(task);
  if (kind === BYTE_CHECK_NONE || blocks === 0) return goodWithoutData(task);
  const { blockSizeBytes } = unit.definition;
  const length = blocks * blockSizeBytes;
  const given = dataOutOf(task, kind === BYTE_CHECK_REPEATED ? blockSizeBytes : length);
  if (given === null) return invalidCdbField();
  const onMedium = new Uint8Array(length);
  const compare = (): ScsiResult => {
    const expected = kind === BYTE_CHECK_REPEATED ? Buffer.alloc(length, given) : given;
    const difference = firstDifference(onMedium, expected);
    return difference === null ? goodWithoutData(task) : miscompare(difference);
  };
  const pending = unit.medium.read(lba * blockSizeBytes, onMedium, task);
  return pending === null ? compare() : pending.then(compare);
}

function checkCompareAndWrite(unit: UnitContext, task: Task): ScsiResult | null {
  return blockRange(task).blocks > COMPARE_AND_WRITE_BLOCKS_MAX ? invalidCdbField() : checkAddress(unit, task);
}

/** Data-out is the blocks to compare with, then those to write. Nothing else changes the medium in between. */
function compareAndWrite(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const { lba, blocks } = blockRange(task);
  const { blockSizeBytes } = unit.definition;
  const length = blocks * blockSizeBytes;
  const data = dataOutOf(task, 2 * length);
  if (data === null) return invalidCdbField();
  const refusal = checkWritable(unit, task);
  if (refusal !== null) return refusal;
  const onMedium = new Uint8Array(length);
  const finish = (): ScsiResult | Promise<ScsiResult> => {
    if (task.aborted) return taskAborted();
    const difference = firstDifference(onMedium, data.subarray(0, length));
    if (difference !== null) return miscompare(difference);
    const written = unit.medium.write(lba * blockSizeBytes, data.subarray(length), task);
    return after(mustFlush(unit, task) ? inTurn(written, () => unit.medium.flush()) : written, goodWithoutData(task));
  };
  return unit.writes.run(() => {
    if (task.aborted) return taskAborted();
    const pending = unit.medium.read(lba * blockSizeBytes, onMedium, task);
    return pending === null ? finish() : pending.then(finish);
  });
}

/** VERIFY(10), (12), (16) and COMPARE AND WRITE. */
export const compareCommands: readonly DeviceCommand[] = [
  { opcode: 0x2f, usage: "2f f6 ff ff ff ff 00 ff ff 04", needsMedium: true, check: checkVerify, run: verify },
  {
    opcode: 0x89,
    usage: "89 f8 ff ff ff ff ff ff ff ff 00 00 00 ff 00 04",
    needsMedium: true,
    check: checkCompareAndWrite,
    run: compareAndWrite,
  },
  { opcode: 0x8f, usage: "8f f6 ff ff ff ff ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkVerify, run: verify },
  { opcode: 0xaf, usage: "af f6 ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkVerify, run: verify },
];
