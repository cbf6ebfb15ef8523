/**
 * struct sg_io_hdr, version 3 (scsi/sg.h), on 64-bit little-endian Linux; 88 bytes.
 *
 *      0  i32  interface_id: 'S'          44  u32  flags
 *      4  i32  dxfer_direction            48  i32  pack_id (4 bytes padding)
 *      8  u8   cmd_len                    56  ptr  usr_ptr
 *      9  u8   mx_sb_len                  64  u8   status          from here on written by the kernel
 *     10  u16  iovec_count: 0             65  u8   masked_status
 *     12  u32  dxfer_len                  66  u8   msg_status
 *     16  ptr  dxferp                     67  u8   sb_len_wr
 *     24  ptr  cmdp                       68  u16  host_status
 *     32  ptr  sbp                        70  u16  driver_status
 *     40  u32  timeout, ms                72  i32  resid
 *                                         76  u32  duration, ms
 *                                         80  u32  info (4 bytes padding)
 */

/** Request of ioctl(2): run a command. */
export const SG_IO = 0x2285;
/** Request of ioctl(2): tell the version of the interface, an int. */
export const SG_GET_VERSION_NUM = 0x2282;

/** `interface_id` of version 3. */
export const SG_INTERFACE_ID = 0x53;

/** Values of `dxfer_direction`. */
export const SgDirection = Object.freeze({ NONE: -1, TO_DEVICE: -2, FROM_DEVICE: -3 });

/** Size of sg_io_hdr. */
export const SG_IO_HDR_SIZE = 88;

/** Offsets in sg_io_hdr of the fields that are not always zero. */
export const SgIoHdr = Object.freeze({
  INTERFACE_ID: 0,
  DXFER_DIRECTION: 4,
  CMD_LEN: 8,
  MX_SB_LEN: 9,
  DXFER_LEN: 12,
  DXFERP: 16,
  CMDP: 24,
  SBP: 32,
  TIMEOUT: 40,
  STATUS: 64,
  SB_LEN_WR: 67,
  HOST_STATUS: 68,
  DRIVER_STATUS: 70,
  RESID: 72,
});
