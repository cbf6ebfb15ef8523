/**
 * What a device has told of itself: to the probe, and later to the guest, whose questions are listened to since the answers may change
 * (QEMU: scsi_read_complete in hw/scsi/scsi-generic.c).
 */
import { LBA_BEYOND_10, parseCapacity10, parseCapacity16 } from "../../scsi/capacity.js";
import { Opcode, serviceActionOf } from "../../scsi/cdb.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { DeviceType, parseInquiry } from "../../scsi/inquiry.js";

const READ_CAPACITY_16 = 0x10;
/** EVPD of INQUIRY. */
const EVPD = 0x01;

/** Block sizes until the device says (QEMU: get_device_type's callers). */
const BLOCK_SIZE_BYTES = { optical: 2048, other: 512 } as const;

/** See the module text. */
export class DiskFacts {
  /** PERIPHERAL DEVICE TYPE. */
  deviceType: number = DeviceType.DISK;
  /** VERSION of INQUIRY: fields that came with SPC-3 are judged only where it is above 2. */
  version = 0;
  blockSizeBytes: number = BLOCK_SIZE_BYTES.other;
  /** Number of blocks; null while the device does not tell (no medium, not ready). */
  blocks: number | null = null;
  /** The device has no VPD page B0h. */
  lacksBlockLimits = false;

  /** True for devices whose block limits are spoken of. */
  get isDisk(): boolean {
    return this.deviceType === DeviceType.DISK || this.deviceType === DeviceType.ZONED_DISK;
  }

  /** Takes what standard INQUIRY data say; false when they are none. */
  introduce(inquiry: Uint8Array): boolean {
    const parsed = parseInquiry(inquiry);
    if (parsed === null) return false;
    this.deviceType = parsed.deviceType;
    this.version = parsed.version;
    const optical = parsed.deviceType === DeviceType.CD_DVD || parsed.deviceType === DeviceType.WORM;
    this.blockSizeBytes = optical ? BLOCK_SIZE_BYTES.optical : BLOCK_SIZE_BYTES.other;
    return true;
  }

  /** Takes note of the answer to any command. */
  learn(cdb: Uint8Array, result: ScsiResult): void {
    if (result.status !== ScsiStatus.GOOD) return;
    const [opcode, second = 0] = cdb;
    if (opcode === Opcode.INQUIRY && (second & EVPD) === 0) {
      this.version = parseInquiry(result.dataIn)?.version ?? this.version;
    } else if (opcode === Opcode.READ_CAPACITY_10) {
      const capacity = parseCapacity10(result.dataIn);
      if (capacity === null) return;
      this.blockSizeBytes = capacity.blockSizeBytes;
      // More than it can say; READ CAPACITY(16) knows, and until it has been asked the device judges.
      if (capacity.lastLba !== LBA_BEYOND_10) this.blocks = capacity.lastLba + 1;
      else if ((this.blocks ?? 0) <= LBA_BEYOND_10) this.blocks = null;
    } else if (opcode === Opcode.SERVICE_ACTION_IN_16 && serviceActionOf(cdb) === READ_CAPACITY_16) {
      const capacity = parseCapacity16(result.dataIn);
      if (capacity === null) return;
      this.blockSizeBytes = capacity.blockSizeBytes;
      this.blocks = capacity.lastLba + 1;
    }
  }
}
