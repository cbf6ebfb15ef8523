/**
 * `scsi-block`: a disk whose READ and WRITE family is checked here and whose every other command goes to the device as it is (QEMU:
 * hw/scsi/scsi-disk.c, scsi_block_class_initfn).
 */
import { QomError } from "../base/errors.js";
import { isSimulated } from "../pr-manager/scsi-unit.js";
import { qomType } from "../qom/decorators.js";
import { LBA_BEYOND_10, parseCapacity10, parseCapacity16, readCapacity10Cdb, readCapacity16Cdb } from "../scsi/capacity.js";
import { blockAccess, Opcode } from "../scsi/cdb.js";
import { ScsiStatus, type ScsiCommand, type ScsiResult } from "../scsi/command.js";
import { INQUIRY_LENGTH_MIN, inquiryCdb, parseInquiry } from "../scsi/inquiry.js";
import { formatSense, parseSense, Sense, senseResult } from "../scsi/sense.js";
import { ScsiDevice } from "./scsi-device.js";

const READS: ReadonlySet<number> = new Set([Opcode.READ_6, Opcode.READ_10, Opcode.READ_12, Opcode.READ_16]);
const WRITES: ReadonlySet<number> = new Set([
  Opcode.WRITE_6,
  Opcode.WRITE_10,
  Opcode.WRITE_12,
  Opcode.WRITE_16,
  Opcode.WRITE_AND_VERIFY_10,
  Opcode.WRITE_AND_VERIFY_12,
  Opcode.WRITE_AND_VERIFY_16,
]);

/** A device that was just attached has a unit attention or two for whoever asks first; more answers than this mean trouble. */
const PROBE_ATTEMPTS_MAX = 4;

const UNIT_ATTENTION = 6;

/** See the module text. */
@qomType({ name: "scsi-block", description: "a disk behind a block node, with its reads and writes checked before they are sent" })
export class ScsiBlock extends ScsiDevice {
  /** Number of blocks, or null while the device does not tell (no medium, not ready): then the device judges. */
  #blocks: number | null = null;

  protected override async probe(): Promise<void> {
    const { unit } = this;
    if (isSimulated(unit)) {
      // A command would consume a unit attention that belongs to the guest.
      this.#blocks = Math.floor(unit.logicalUnit.sizeBytes / unit.logicalUnit.blockSizeBytes);
      return;
    }
    const inquiry = await this.#ask({ cdb: inquiryCdb(INQUIRY_LENGTH_MIN) });
    if (inquiry.status !== ScsiStatus.GOOD || parseInquiry(inquiry.dataIn) === null) {
      const sense = parseSense(inquiry.sense);
      const answer = sense === null ? `status ${inquiry.status.toString(16)}h` : formatSense(sense);
      throw new QomError("invalid-value", `the disk behind block node '${this.drive}' does not answer INQUIRY: ${answer}`, {
        context: { option: "drive", value: this.drive },
      });
    }
    this.#blocks = await this.#readCapacity();
  }

  protected override dispatch(command: ScsiCommand): Promise<ScsiResult> {
    const refusal = this.#refuse(command.cdb);
    return refusal === null ? super.dispatch(command) : Promise.resolve(refusal);
  }

  #refuse(cdb: Uint8Array): ScsiResult | null {
    const opcode = cdb[0] ?? 0;
    const writes = WRITES.has(opcode);
    if (!writes && !READS.has(opcode)) return null;
    if (writes && this.unit.readOnly) return senseResult(Sense.WRITE_PROTECTED);
    const access = this.#blocks === null ? null : blockAccess(cdb);
    const beyond = access !== null && access.lba + access.blocks > (this.#blocks ?? 0);
    return beyond ? senseResult(Sense.LBA_OUT_OF_RANGE) : null;
  }

  async #readCapacity(): Promise<number | null> {
    const short = await this.#ask({ cdb: readCapacity10Cdb() });
    const capacity = short.status === ScsiStatus.GOOD ? parseCapacity10(short.dataIn) : null;
    if (capacity === null) return null;
    if (capacity.lastLba !== LBA_BEYOND_10) return capacity.lastLba + 1;
    const long = await this.#ask({ cdb: readCapacity16Cdb() });
    const wide = long.status === ScsiStatus.GOOD ? parseCapacity16(long.dataIn) : null;
    return wide === null ? null : wide.lastLba + 1;
  }

  /** Asks the device itself, again while it has a unit attention to tell. */
  async #ask(command: ScsiCommand): Promise<ScsiResult> {
    const timed = { timeoutMs: this.ioTimeoutMs, ...command };
    let result = await super.dispatch(timed);
    for (let attempt = 1; attempt < PROBE_ATTEMPTS_MAX && parseSense(result.sense)?.key === UNIT_ATTENTION; attempt += 1) {
      result = await super.dispatch(timed);
    }
    return result;
  }
}
