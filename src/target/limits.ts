/** Named limits of the simulated target, each with its reason. */

/**
 * Longest transfer of one command in bytes; VPD page B0h reports it in blocks. A command's data is held in memory whole, and hosts
 * split what is longer: 8 MiB is what Linux' own target allows by default with blocks of 512 bytes.
 */
export const TRANSFER_BYTES_MAX = 8 * 1024 * 1024;

/** Largest unit: byte offsets stay exact in a double (2^53) with room for a transfer behind the last block. */
export const UNIT_SIZE_BYTES_MAX = 2 ** 52;

/** Commands in flight per unit, held and waiting ones included; one more ends with TASK SET FULL. Linux hosts queue 254 at most per path. */
export const TASK_SET_SIZE_MAX = 65_536;

/** Logical block lengths that Linux' sd driver accepts, and so all that hosts of a simulated disk can use. */
export const BLOCK_SIZES_BYTES: readonly number[] = [512, 1024, 2048, 4096];

/** Largest physical block: what QEMU's disks allow (MAX_BLOCK_SIZE), and far from where LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT ends. */
export const PHYSICAL_BLOCK_SIZE_BYTES_MAX = 2 * 1024 * 1024;

/** Longest unit serial number: what fits a VPD page 80h that hosts read with one byte of allocation length. */
export const SERIAL_LENGTH_MAX = 251;

/** Real disks and files that a fabric tells why they refuse APTPL: one line each, and no host has that many whose registrants want it. */
export const REFUSALS_TOLD_MAX = 1024;

/**
 * How often a PERSISTENT RESERVE OUT is decided anew since another fabric was faster; then it ends with BUSY. One of the fabrics that contend
 * gets through each time, so 16 of them at once is what this bears in the worst case: more than any cluster has hosts that fence.
 */
export const COMMIT_ATTEMPTS_MAX = 16;
