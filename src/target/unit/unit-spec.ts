/** What `Fabric.attach` is told about a logical unit, checked, and compared with what the unit is. */

import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { LOCKINGS } from "../../base/image-access.js";
import type { Locking } from "../../base/image-access.js";
import { pastedWwn } from "../../scsi/pasted-names.js";
import { BLOCK_SIZES_BYTES, PHYSICAL_BLOCK_SIZE_BYTES_MAX, SERIAL_LENGTH_MAX, UNIT_SIZE_BYTES_MAX } from "../limits.js";

/** A logical unit as its user describes it. Whoever comes first decides; what later ones say must agree. */
export interface UnitSpec {
  /** Name of the unit: `naa.` with 16 or 32 hexadecimal digits, or `eui.` with 16. Compares in lower case. */
  readonly wwn: string;
  /** Capacity in bytes, a multiple of the block size. Default 64 MiB, or the length of an existing file. */
  readonly sizeBytes?: number;
  /** File of the medium; without one it is in memory. */
  readonly filename?: string;
  /** Logical block length in bytes: 512 (the default), 1024, 2048 or 4096. */
  readonly blockSizeBytes?: number;
  /** Physical block length in bytes, which hosts align their requests to: a power of two, the block size to 2 MiB. Default the block size. */
  readonly physicalBlockSizeBytes?: number;
  /** Unit serial number of VPD page 80h, printable ASCII. Default: the digits of the wwn. */
  readonly serial?: string;
  /** The unit refuses writes, and MODE SELECT, with WRITE PROTECTED (07/27/00); MODE SENSE says so. Default false. */
  readonly writeProtected?: boolean;
  /** Blocks can be unmapped; without it the unit is fully provisioned and has no UNMAP. Default true. */
  readonly thinProvisioned?: boolean;
  /**
   * Whether the file is locked, so that another process or fabric does not open it too: `auto` (the default) where the system can, `on` or
   * not at all, `off` never.
   */
  readonly locking?: Locking;
  /** Others may write the file at the same time, as `share-rw=on` of a device. Default false. */
  readonly sharesWrites?: boolean;
}

/** Capacity when nobody says: what the `sim-lun` driver promises. */
export const DEFAULT_SIZE_BYTES = 64 * 1024 * 1024;

const DEFAULT_BLOCK_SIZE_BYTES = 512;
const WWN_PATTERN = /^(?:naa\.(?:[0-9a-f]{16}|[0-9a-f]{32})|eui\.[0-9a-f]{16})$/;
const SERIAL_PATTERN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A {@link UnitSpec} with nothing left open: what a unit was made of. */
export interface UnitDefinition {
  readonly wwn: string;
  readonly sizeBytes: number;
  /** Absolute, symbolic links resolved; null for a medium in memory. */
  readonly filename: string | null;
  readonly blockSizeBytes: number;
  readonly physicalBlockSizeBytes: number;
  readonly serial: string;
  readonly writeProtected: boolean;
  readonly thinProvisioned: boolean;
  /** Absent: `auto`. */
  readonly locking?: Locking;
}

function invalid(spec: Pick<UnitSpec, "wwn"> | undefined, option: string, value: string, message: string, hint?: string): QomError {
  return new QomError("invalid-value", message, {
    context: { option, value: printable(value), ...(spec === undefined ? {} : { object: spec.wwn }) },
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * `wwn` in lower case, also where it was written as other programs print it (scsi/pasted-names.ts).
 * @throws QomError `invalid-value` when it is no name of a logical unit.
 */
export function normalizeWwn(wwn: string): string {
  const name = pastedWwn(wwn);
  if (WWN_PATTERN.test(name)) return name;
  throw new QomError("invalid-value", `'${printable(wwn)}' is not the name of a logical unit`, {
    context: { option: "wwn", value: printable(wwn) },
    hint: "it is 'naa.' with 16 or 32 hexadecimal digits, or 'eui.' with 16",
  });
}

/**
 * Checks every member by itself.
 * @throws QomError `invalid-value` that names the unit, the member and its value.
 */
export function checkSpec(spec: UnitSpec): void {
  const { sizeBytes, serial } = spec;
  const blockSizeBytes = spec.blockSizeBytes ?? DEFAULT_BLOCK_SIZE_BYTES;
  requireBlockSize(blockSizeBytes, spec);
  checkPhysicalBlockSize(spec, blockSizeBytes);
  if (sizeBytes !== undefined) checkSize(spec, sizeBytes, blockSizeBytes);
  if (serial !== undefined) requireSerial(serial, spec);
  if (spec.locking !== undefined && !LOCKINGS.includes(spec.locking)) {
    const hint = `it is one of ${LOCKINGS.join(", ")}`;
    throw invalid(spec, "locking", spec.locking, `'${printable(spec.locking)}' of ${spec.wwn} is not a way to lock a file`, hint);
  }
  if (spec.filename === "") throw invalid(spec, "filename", "", `the file name of ${spec.wwn} is empty`);
}

function checkPhysicalBlockSize(spec: UnitSpec, blockSizeBytes: number): void {
  const { physicalBlockSizeBytes: bytes = blockSizeBytes } = spec;
  const inRange = bytes >= blockSizeBytes && bytes <= PHYSICAL_BLOCK_SIZE_BYTES_MAX;
  if (inRange && Number.isInteger(Math.log2(bytes))) return;
  const hint = `it is a power of two from the block size, ${blockSizeBytes}, to ${PHYSICAL_BLOCK_SIZE_BYTES_MAX}`;
  throw invalid(spec, "physical-block-size", String(bytes), `physical block size ${bytes} of ${spec.wwn} is not supported`, hint);
}

/**
 * Refuses a block length that no unit has.
 * @param spec of the unit, where it is known
 * @throws QomError `invalid-value`
 */
export function requireBlockSize(sizeBytes: number, spec?: UnitSpec): void {
  if (BLOCK_SIZES_BYTES.includes(sizeBytes)) return;
  const hint = `it is one of ${BLOCK_SIZES_BYTES.join(", ")}`;
  throw invalid(spec, "block-size", String(sizeBytes), `block size ${sizeBytes}${ofUnit(spec)} is not supported`, hint);
}

/**
 * Refuses a serial number that no unit can have.
 * @param spec of the unit, where it is known
 * @throws QomError `invalid-value`
 */
export function requireSerial(serial: string, spec?: UnitSpec): void {
  if (serial.length <= SERIAL_LENGTH_MAX && SERIAL_PATTERN.test(serial)) return;
  const hint = `it has 1 to ${SERIAL_LENGTH_MAX} printable ASCII characters, the first and the last not blank`;
  throw invalid(spec, "serial", serial, `serial number '${printable(serial)}'${ofUnit(spec)} is not one`, hint);
}

function ofUnit(spec: UnitSpec | undefined): string {
  return spec === undefined ? "" : ` of ${spec.wwn}`;
}

/**
 * Checks a capacity against the block size.
 * @throws QomError `invalid-value`
 */
export function checkSize(spec: UnitSpec, sizeBytes: number, blockSizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes > UNIT_SIZE_BYTES_MAX) {
    const hint = `it is 1 block to ${UNIT_SIZE_BYTES_MAX} bytes`;
    throw invalid(spec, "size", String(sizeBytes), `size ${sizeBytes} of ${spec.wwn} is not the size of a disk`, hint);
  }
  if (sizeBytes % blockSizeBytes !== 0) {
    throw invalid(
      spec,
      "size",
      String(sizeBytes),
      `size ${sizeBytes} of ${spec.wwn} is not a multiple of its block size ${blockSizeBytes}`,
    );
  }
}

/** Absolute name of a file without symbolic links, so that two names of one file are the same text; a missing file keeps the name given. */
export async function canonicalFilename(filename: string): Promise<string> {
  return realpath(filename).catch(() => resolve(filename));
}

/** `spec` completed for a unit of `sizeBytes`; `spec` is checked, and `filename` canonical. */
export function define(spec: UnitSpec, sizeBytes: number, filename: string | null): UnitDefinition {
  const wwn = normalizeWwn(spec.wwn);
  const blockSizeBytes = spec.blockSizeBytes ?? DEFAULT_BLOCK_SIZE_BYTES;
  return {
    wwn,
    sizeBytes,
    filename,
    blockSizeBytes,
    physicalBlockSizeBytes: spec.physicalBlockSizeBytes ?? blockSizeBytes,
    serial: spec.serial ?? wwn.slice(wwn.indexOf(".") + 1),
    writeProtected: spec.writeProtected ?? false,
    thinProvisioned: spec.thinProvisioned ?? true,
    locking: spec.locking ?? "auto",
  };
}

/**
 * States that `spec`, with `filename` canonical, agrees with the unit that is there. What it leaves out agrees.
 * @throws QomError `conflict` that names both values.
 */
export function checkAgreement(unit: UnitDefinition, spec: UnitSpec, filename: string | null): void {
  const claims: readonly (readonly [option: string, given: string | number | boolean | undefined, actual: string | number | boolean])[] = [
    ["size", spec.sizeBytes, unit.sizeBytes],
    ["filename", filename ?? undefined, unit.filename ?? "(in memory)"],
    ["block-size", spec.blockSizeBytes, unit.blockSizeBytes],
    ["physical-block-size", spec.physicalBlockSizeBytes, unit.physicalBlockSizeBytes],
    ["serial", spec.serial, unit.serial],
    ["write-protected", spec.writeProtected, unit.writeProtected],
    ["thin-provisioned", spec.thinProvisioned, unit.thinProvisioned],
    ["locking", spec.locking, unit.locking ?? "auto"],
  ];
  for (const [option, given, actual] of claims) {
    if (given === undefined || given === actual) continue;
    const value = printable(String(given));
    throw new QomError("conflict", `${option} ${value} contradicts ${printable(String(actual))} that ${unit.wwn} already has`, {
      context: { option, value, object: unit.wwn },
      hint: "the first to attach a unit decides; later ones can omit it",
    });
  }
}
