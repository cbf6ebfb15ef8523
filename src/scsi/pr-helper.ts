/**
 * The wire protocol of qemu-pr-helper (QEMU: scsi/pr-helper.h, docs/interop/pr-helper): a Unix stream socket, all integers big-endian.
 *
 *     server -> client   u32  features the server offers: 0; bit 0 (CLEANUP) in later versions of QEMU
 *     client -> server   u32  features the client wants: 0
 *
 *     then, one at a time and as often as wanted:
 *
 *     client -> server   request, 16 bytes, with one file descriptor (SCM_RIGHTS)
 *                         0  16   CDB, filled up with zeros; FFh as operation code asks to clean up, which CLEANUP announces
 *                        PERSISTENT RESERVE OUT: followed by the parameter list, as long as CDB bytes 7 and 8 say
 *     server -> client   response header, 104 bytes
 *                         0  i32  SCSI status
 *                         4  i32  size of the data that follow
 *                         8  96   sense data, filled up with zeros; zero unless the status is CHECK CONDITION
 *                        PERSISTENT RESERVE IN with status GOOD: followed by the data
 */

import { assert } from "../base/assert.js";
import { readU16, readU32, writeU32 } from "./bytes.js";
import { NO_BYTES, ScsiStatus } from "./command.js";
import { PR_OUT } from "./persistent-reserve.js";

/** Size of either feature word. */
export const FEATURE_WORD_SIZE = 4;

/** The features both sides have today. */
export const NO_FEATURES = 0;

/**
 * In place of an operation code: the client is done with a disk whose registration went elsewhere (migrate-pr). Something is to be cleaned up
 * only on multipath devices to which the server itself distributes registrations.
 */
export const CLEAN_UP = 0xff;

/** Size of a request without the parameter list: room for the longest CDB. */
export const CDB_SIZE = 16;

/** Size of a response without data. */
export const RESPONSE_HEADER_SIZE = 104;

/** Room for sense data in a response. */
export const SENSE_SIZE = 96;

/** Longest parameter list, and longest data; a limit of the protocol itself. */
export const DATA_SIZE_MAX = 8192;

const STATUS_AT = 0;
const SIZE_AT = 4;
const SENSE_AT = 8;
const STATUS_MAX = 0xff;

/** A feature word as bytes. */
export function encodeFeatures(features: number): Uint8Array {
  const bytes = new Uint8Array(FEATURE_WORD_SIZE);
  writeU32(bytes, 0, features);
  return bytes;
}

/**
 * Length of the parameter list or the allocation length of a PERSISTENT RESERVE command: CDB bytes 7 and 8, although the length of a
 * parameter list has two bytes more, which the protocol does not look at.
 */
export function transferLengthOf(cdb: Uint8Array): number {
  return readU16(cdb, 7);
}

/** How many bytes follow the request with this CDB. */
export function followingBytes(cdb: Uint8Array): number {
  return cdb[0] === PR_OUT ? transferLengthOf(cdb) : 0;
}

/**
 * A request as bytes, the parameter list included.
 * @param cdb 1 to {@link CDB_SIZE} bytes
 * @param parameterList exactly as long as the CDB says, since the server goes by that
 */
export function encodeRequest(cdb: Uint8Array, parameterList: Uint8Array = NO_BYTES): Uint8Array {
  assert(cdb.length >= 1 && cdb.length <= CDB_SIZE, "a CDB has 1 to 16 bytes");
  assert(parameterList.length === followingBytes(cdb), "the parameter list is as long as the CDB says");
  assert(parameterList.length <= DATA_SIZE_MAX, "a parameter list has at most 8192 bytes");
  const bytes = new Uint8Array(CDB_SIZE + parameterList.length);
  bytes.set(cdb);
  bytes.set(parameterList, CDB_SIZE);
  return bytes;
}

/** A response as the client receives it. */
export interface HelperResponse {
  /** SAM status code. */
  readonly status: number;
  /** Data from the device; empty unless PERSISTENT RESERVE IN was GOOD. */
  readonly dataIn: Uint8Array;
  /** Sense data: {@link SENSE_SIZE} bytes of a CHECK CONDITION, none of anything else. */
  readonly sense: Uint8Array;
}

/**
 * Writes the header of a response into the first {@link RESPONSE_HEADER_SIZE} bytes of `bytes`.
 * @param dataLength bytes of data that follow it
 * @param sense sense data; what there is no room for is cut off
 */
export function writeResponseHeader(bytes: Uint8Array, status: number, dataLength: number, sense: Uint8Array): void {
  assert(status >= 0 && status <= STATUS_MAX, "a SCSI status is one byte");
  assert(dataLength >= 0 && dataLength <= DATA_SIZE_MAX, "a response has at most 8192 bytes of data");
  writeU32(bytes, STATUS_AT, status);
  writeU32(bytes, SIZE_AT, dataLength);
  bytes.fill(0, SENSE_AT, RESPONSE_HEADER_SIZE);
  // A view of a small array costs more than all else here.
  bytes.set(sense.length > SENSE_SIZE ? sense.subarray(0, SENSE_SIZE) : sense, SENSE_AT);
}

/** What {@link ResponseDecoder.push} has to say: more bytes are needed, here is the response, or the server broke the protocol. */
export type Decoded =
  | { readonly kind: "incomplete" }
  | { readonly kind: "response"; readonly response: HelperResponse }
  | { readonly kind: "violation"; readonly text: string };

const INCOMPLETE: Decoded = Object.freeze({ kind: "incomplete" });

/** Takes responses, one after the other, from however many pieces they arrive in. */
export class ResponseDecoder {
  /** Where a header that comes in pieces is put together. */
  readonly #header = new Uint8Array(RESPONSE_HEADER_SIZE);
  #headerLength = 0;
  #dataMax = 0;
  #status = 0;
  #sense = NO_BYTES;
  #data = NO_BYTES;
  #dataLength = 0;

  /**
   * Forgets everything and expects a response.
   * @param dataMax most bytes of data the server may send: 0 for PERSISTENT RESERVE OUT
   */
  start(dataMax: number): void {
    this.#dataMax = Math.min(dataMax, DATA_SIZE_MAX);
    this.#headerLength = 0;
    this.#data = NO_BYTES;
    this.#dataLength = 0;
  }

  /** How far the response has come, for an error message: `37 of 104 header bytes`. */
  get progress(): string {
    return this.#headerLength < RESPONSE_HEADER_SIZE
      ? `${this.#headerLength} of ${RESPONSE_HEADER_SIZE} header bytes`
      : `${this.#dataLength} of ${this.#data.length} data bytes`;
  }

  /** Takes the next bytes, and copies them. After a response or a violation nothing more may come before {@link start}. */
  push(chunk: Uint8Array): Decoded {
    const missing = RESPONSE_HEADER_SIZE - this.#headerLength;
    if (missing === 0) return this.#pushData(chunk);
    // A whole header, which is the rule, is read where it lies.
    const inOnePiece = missing === RESPONSE_HEADER_SIZE && chunk.length >= missing;
    if (!inOnePiece) this.#header.set(chunk.subarray(0, missing), this.#headerLength);
    this.#headerLength += Math.min(missing, chunk.length);
    if (chunk.length < missing) return INCOMPLETE;
    const text = this.#takeHeader(inOnePiece ? chunk : this.#header);
    if (text !== null) return { kind: "violation", text };
    return this.#pushData(chunk.length === missing ? NO_BYTES : chunk.subarray(missing));
  }

  /** Reads a header; what is wrong with it, or null. */
  #takeHeader(header: Uint8Array): string | null {
    const status = readI32(header, STATUS_AT);
    const size = readI32(header, SIZE_AT);
    if (status < 0 || status > STATUS_MAX) return `SCSI status ${status}`;
    if (size < 0 || size > this.#dataMax) return `${size} bytes of data where at most ${this.#dataMax} fit`;
    this.#status = status;
    this.#sense = status === ScsiStatus.CHECK_CONDITION ? header.slice(SENSE_AT, RESPONSE_HEADER_SIZE) : NO_BYTES;
    if (size > 0) this.#data = new Uint8Array(size);
    return null;
  }

  #pushData(chunk: Uint8Array): Decoded {
    const surplus = this.#dataLength + chunk.length - this.#data.length;
    if (surplus > 0) return { kind: "violation", text: `${surplus} bytes after the end of the response` };
    if (chunk.length > 0) this.#data.set(chunk, this.#dataLength);
    this.#dataLength += chunk.length;
    return surplus < 0 ? INCOMPLETE : { kind: "response", response: this.#response() };
  }

  #response(): HelperResponse {
    return { status: this.#status, dataIn: this.#status === ScsiStatus.GOOD ? this.#data : NO_BYTES, sense: this.#sense };
  }
}

/** A signed 32-bit integer: the bit operators of JavaScript work on just that. */
function readI32(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) | 0;
}
