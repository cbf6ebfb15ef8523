/** How much data a command gets that does not say how much it wants. */
import { expectedTransfer } from "../../scsi/cdb.js";
import type { ScsiCommand } from "../../scsi/command.js";

/** Block size that a block node takes for granted where a command does not say how much it wants. */
const IMPLIED_BLOCK_SIZE_BYTES = 512;

/** The command with the buffer that its CDB asks for, unless it has one, or the block node would give it the same. */
export function withBuffer(command: ScsiCommand, blockSizeBytes: number): ScsiCommand {
  if (blockSizeBytes === IMPLIED_BLOCK_SIZE_BYTES) return command;
  if (command.dataOut !== undefined || command.allocationLength !== undefined || command.into !== undefined) return command;
  const { direction, bytes } = expectedTransfer(command.cdb, blockSizeBytes);
  return direction === "in" ? { ...command, allocationLength: bytes } : command;
}
