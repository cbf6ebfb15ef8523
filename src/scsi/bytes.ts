/**
 * Big-endian fields in byte arrays, as every SCSI format has them. Reading past the end gives zero bits: a format that must
 * notice a short input checks its length first. Writing past the end is a silent no-op, so that an encoder can be cut short.
 */

/** The 16-bit field at `offset`. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

/** The 24-bit field at `offset`. */
export function readU24(bytes: Uint8Array, offset: number): number {
  return (readU16(bytes, offset) << 8) | (bytes[offset + 2] ?? 0);
}

/** The 32-bit field at `offset`, unsigned. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return ((readU16(bytes, offset) << 16) | readU16(bytes, offset + 2)) >>> 0;
}

/** The 64-bit field at `offset`, unsigned. */
export function readU64(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readU32(bytes, offset)) << 32n) | BigInt(readU32(bytes, offset + 4));
}

/** Writes a 16-bit field; higher bits of `value` are dropped. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Writes a 24-bit field; higher bits of `value` are dropped. */
export function writeU24(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  writeU16(bytes, offset + 1, value);
}

/** Writes a 32-bit field; higher bits of `value` are dropped. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  writeU16(bytes, offset, value >>> 16);
  writeU16(bytes, offset + 2, value);
}

/** Writes a 64-bit field; higher bits of `value` are dropped. */
export function writeU64(bytes: Uint8Array, offset: number, value: bigint): void {
  writeU32(bytes, offset, Number(BigInt.asUintN(32, value >> 32n)));
  writeU32(bytes, offset + 4, Number(BigInt.asUintN(32, value)));
}

/** A view for the 64-bit fields of one message, where a loop reads or writes many of them. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `bytes` as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes of an even number of hexadecimal digits, or null when `digits` is anything else. */
export function fromHex(digits: string): Uint8Array | null {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return null;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Writes `text` as SCSI does: ASCII, left-aligned, filled up with blanks to `length` bytes. Other characters become `?`. */
export function writeAscii(bytes: Uint8Array, offset: number, length: number, text: string): void {
  for (let i = 0; i < length; i += 1) {
    const code = i < text.length ? text.charCodeAt(i) : 0x20;
    bytes[offset + i] = code >= 0x20 && code <= 0x7e ? code : 0x3f;
  }
}

/** The ASCII field at `offset` without the trailing blanks, or NULs as some devices pad; bytes that are not printable ASCII become `?`. */
export function readAscii(bytes: Uint8Array, offset: number, length: number): string {
  let text = "";
  for (const byte of bytes.subarray(offset, offset + length)) {
    text += byte === 0 ? "\0" : byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : "?";
  }
  return text.replace(/[ \0]+$/, "").replaceAll("\0", "?");
}
