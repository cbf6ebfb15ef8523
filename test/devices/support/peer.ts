/** A virtio-scsi device and the driver's side of its queues: QEMU's, or this library's. */
import { hex } from "../../support/hex.js";

/** What a chain came back with. */
export interface Answer {
  /** Used length; null when the chain is not put into the used ring. */
  readonly used: number | null;
  /** The device-writable buffers, one after the other. */
  readonly written: Uint8Array;
}

/** See the file text. Both have the same disks: target 0 LUN 0, target 0 LUN 300, and a slow one at target 2 LUN 3; and a spare one. */
export interface Peer {
  /** Makes a chain available. Writable buffers are given by their length and are zeros before. */
  submit(queue: number, readable: readonly Uint8Array[], writable: readonly number[]): Promise<Answer>;
  /** The driver resets the device and begins anew, accepting all features of the device type. */
  restart(): Promise<void>;
  needsReset(): Promise<boolean>;
  config(): Promise<Uint8Array>;
  writeConfig(offset: number, bytes: Uint8Array): Promise<void>;
  /** Puts the spare disk on the bus. */
  plug(target: number, lun: number): Promise<void>;
  /** Takes it off again. */
  unplug(): Promise<void>;
  /** The capacity of the disk at target 0, LUN 0 changes. */
  resize(): Promise<void>;
  close(): Promise<void>;
}

/** Sizes that a driver may assume unless it wrote others. */
const CDB_SIZE = 32;
/** The same of sense data. */
const SENSE_SIZE = 96;

/** Header of a response before the sense data. */
const RESPONSE_HEADER = 12;

/** A LUN field: a target and a LUN in flat space addressing, or 8 bytes as they are. */
export type Lun = readonly [target: number, lun: number] | Uint8Array;

/** 8 bytes. */
export function lunField(lun: Lun): Uint8Array {
  return lun instanceof Uint8Array ? lun : Uint8Array.of(1, lun[0], 0x40 | (lun[1] >> 8), lun[1], 0, 0, 0, 0);
}

/** Little-endian fields, by size. */
export function fields(...parts: readonly (readonly [value: number | bigint, size: 1 | 2 | 4 | 8] | Uint8Array)[]): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts) {
    if (part instanceof Uint8Array) bytes.push(...part);
    else for (let at = 0n; at < part[1]; at += 1n) bytes.push(Number((BigInt(part[0]) >> (8n * at)) & 0xffn));
  }
  return Uint8Array.from(bytes);
}

/** A command. */
export interface Command {
  /** Hexadecimal digits. */
  readonly cdb: string;
  readonly out?: Uint8Array;
  readonly inBytes?: number;
  readonly tag?: bigint;
}

/** A command request without data-out. */
export function commandRequest(lun: Lun, cdb: string, tag = 1n, cdbSize = CDB_SIZE): Uint8Array {
  const field = new Uint8Array(cdbSize);
  field.set(Buffer.from(cdb, "hex").subarray(0, cdbSize));
  return fields(lunField(lun), [tag, 8], [0, 1], [0, 1], [0, 1], field);
}

/** Sends a command with data in buffers of their own. */
export function send(peer: Pick<Peer, "submit">, lun: Lun, { cdb, inBytes = 0, out, tag }: Command): Promise<Answer> {
  const readable = [commandRequest(lun, cdb, tag), ...(out === undefined ? [] : [out])];
  return peer.submit(2, readable, [RESPONSE_HEADER + SENSE_SIZE, ...(inBytes === 0 ? [] : [inBytes])]);
}

/** Sends a task management function. */
export function manage(peer: Peer, tmf: number, lun: Lun, tag = 0n): Promise<Answer> {
  return peer.submit(0, [fields([0, 4], [tmf, 4], lunField(lun), [tag, 8])], [1]);
}

/** The answer to a command in one line. */
export function commandText({ used, written }: Answer, senseSize = SENSE_SIZE): string {
  if (used === null) return "not used";
  const view = new DataView(written.buffer, written.byteOffset);
  const [senseLength, residual] = [view.getUint32(0, true), view.getUint32(4, true)];
  const sense = written.subarray(RESPONSE_HEADER, RESPONSE_HEADER + senseLength);
  const data = written.subarray(RESPONSE_HEADER + senseSize);
  const parts = [`response ${written[11]}`, `status ${hex(written.subarray(10, 11))}`, `residual ${residual}`];
  if (sense.length > 0) parts.push(`sense ${hex(sense)}`);
  if (data.some((byte) => byte !== 0)) parts.push(`data ${hex(data).replace(/(00)+$/, "")}`);
  return parts.join(", ");
}

/** The answer to any other request in one line. */
export function plainText({ used, written }: Answer): string {
  return used === null ? "not used" : `used ${used}, ${hex(written)}`;
}
