/**
 * The block path of scsi-block: a READ, WRITE or VERIFY whose data are exactly what its CDB says, in as many commands as the host's
 * limit of one transfer makes necessary (QEMU: scsi_block_do_sgio in hw/scsi/scsi-disk.c).
 */
import { writeU16, writeU32, writeU64 } from "../../scsi/bytes.js";
import { cdbLengthOf } from "../../scsi/cdb.js";
import type { BlockAccess } from "../../scsi/cdb.js";
import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { HOST_TRANSFER_BYTES_MAX } from "../../scsi/unit.js";

/** How a block command is sent. */
export interface BlockPath {
  readonly blockSizeBytes: number;
  /** The host's limit of one transfer; null when there is none. */
  readonly transferBytesMax: number | null;
  readonly send: (command: ScsiCommand) => ScsiAnswer;
}

/** LBAs that a CDB of 6, and of 10 or 12 bytes can say. */
const LBA_MAX_6 = 0x1f_ffff;
const LBA_MAX_10 = 0xffff_ffff;

/**
 * Sends a command that addresses `access`. Less data-out than the blocks have, or a smaller buffer for data-in, is refused with INVALID
 * FIELD IN CDB; more data-out is not sent, more buffer is residual.
 */
export async function transferBlocks(command: ScsiCommand, access: BlockAccess, path: BlockPath): Promise<ScsiResult> {
  const bytes = access.blocks * path.blockSizeBytes;
  const { dataOut } = command;
  const buffer = dataOut?.length ?? command.allocationLength ?? command.into?.length ?? bytes;
  if (buffer < bytes || bytes > HOST_TRANSFER_BYTES_MAX) return senseResult(Sense.INVALID_FIELD_IN_CDB);
  if (bytes === 0) return path.send({ ...withoutData(command), allocationLength: 0 });
  if (dataOut !== undefined) return sendPieces(command, access, path, (at, end) => ({ dataOut: dataOut.subarray(at, end) }));
  const into = command.into?.subarray(0, bytes) ?? new Uint8Array(bytes);
  const result = await sendPieces(command, access, path, (at, end) => ({ into: into.subarray(at, end), allocationLength: end - at }));
  if (result.status !== ScsiStatus.GOOD) return result;
  const dataIn = into.subarray(0, bytes - result.residual);
  return { ...result, dataIn, residual: buffer - dataIn.length };
}

/** Data of the piece from byte `at` up to `end`. */
type PieceData = (at: number, end: number) => Pick<ScsiCommand, "dataOut" | "into" | "allocationLength">;

/** Sends the pieces in turn, up to the first that fails or is short; the residual of GOOD counts from there to the end. */
async function sendPieces(command: ScsiCommand, access: BlockAccess, path: BlockPath, dataOf: PieceData): Promise<ScsiResult> {
  const { blockSizeBytes, transferBytesMax, send } = path;
  const bare = withoutData(command);
  const blocksMax = transferBytesMax === null ? access.blocks : Math.max(Math.floor(transferBytesMax / blockSizeBytes), 1);
  for (let done = 0; done < access.blocks; done += blocksMax) {
    const blocks = Math.min(blocksMax, access.blocks - done);
    const end = done + blocks;
    const cdb = blocks === access.blocks ? command.cdb : pieceCdb(command.cdb, access.lba + done, blocks);
    const result = await send({ ...bare, cdb, ...dataOf(done * blockSizeBytes, end * blockSizeBytes) });
    if (result.status !== ScsiStatus.GOOD) return result;
    const missing = result.residual + (access.blocks - end) * blockSizeBytes;
    if (result.residual > 0 || end === access.blocks) return { ...result, dataIn: NO_BYTES, residual: missing };
  }
  return senseResult(Sense.IO_ERROR);
}

function withoutData(command: ScsiCommand): ScsiCommand {
  const { dataOut: _, into: __, allocationLength: ___, ...rest } = command;
  return rest;
}

/**
 * The CDB for a part of what `cdb` addresses, in its size unless the LBA needs a longer one. Flags, group number and CONTROL are those
 * of `cdb`, each in its place.
 */
export function pieceCdb(cdb: Uint8Array, lba: number, blocks: number): Uint8Array {
  const opcode = cdb[0] ?? 0;
  const length = cdbLengthOf(opcode) ?? cdb.length;
  const flags = cdb[1] ?? 0;
  const control = cdb[length - 1] ?? 0;
  if (length === 6) {
    if (lba <= LBA_MAX_6)
      return Uint8Array.of(opcode, (flags & 0xe0) | (lba >>> 16), (lba >>> 8) & 0xff, lba & 0xff, blocks & 0xff, control);
    return pieceCdb(Uint8Array.of(opcode | 0x20, 0, 0, 0, 0, 0, 0, 0, 0, control), lba, blocks);
  }
  const group = cdb[groupAt(length)] ?? 0;
  const wide = length === 16 || lba > LBA_MAX_10;
  const piece = new Uint8Array(wide ? 16 : length);
  // READ(10) is 28h, READ(12) A8h and READ(16) 88h, and so are all of the family.
  piece[0] = wide ? 0x80 | (opcode & 0x1f) : opcode;
  piece[1] = flags;
  if (wide) {
    writeU64(piece, 2, BigInt(lba));
    writeU32(piece, 10, blocks);
    piece[14] = group;
  } else {
    writeU32(piece, 2, lba);
    if (length === 10) writeU16(piece, 7, blocks);
    else writeU32(piece, 6, blocks);
    piece[groupAt(length)] = group;
  }
  piece[piece.length - 1] = control;
  return piece;
}

/** Where a CDB of 10, 12 or 16 bytes has GROUP NUMBER. */
function groupAt(length: number): number {
  return length === 10 ? 6 : length - 2;
}
