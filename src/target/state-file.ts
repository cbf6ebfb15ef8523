/**
 * The file that keeps the reservations of a unit: JSON in one line.
 *
 *     { "unit": "naa.5000000000000001", "revision": 12, "reservations": { "version": 1, "aptpl": true, ... } }
 *
 * `reservations` is the image of src/reservation/image.ts. `revision` counts the commits of the unit since it had no file.
 */

import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { QomError, isErrnoError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { decodeImage, encodeImage } from "../reservation/image.js";
import type { ReservationImage } from "../reservation/image.js";
import type { ReservationState } from "../reservation/state.js";
import { adoptDefaultInitiators } from "./adopt-initiators.js";
import type { StoredReservations } from "./reservation-store.js";

/** What a file says. */
export interface SavedReservations extends StoredReservations {
  readonly unit: string;
}

/** How the names of all state files end. */
export const STATE_FILE_SUFFIX = ".json";

/** Longest file that is read: a million registrations with the longest initiator names take some 340 MB. */
const FILE_BYTES_MAX = 400 * 1024 * 1024;

/** No symbolic link is followed and no FIFO waited for: what is read is what was written here. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Names of units that can be names of files as they are; those of simulated disks are. */
const PLAIN_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Name of the file of the unit with that name in the store. Another than a plain one becomes its SHA-256. */
export function stateFileName(unit: string): string {
  const stem = PLAIN_NAME.test(unit) ? unit : `sha256-${createHash("sha256").update(unit).digest("hex")}`;
  return stem + STATE_FILE_SUFFIX;
}

/** The text of a file. */
export function encodeStateFile(unit: string, revision: number, state: ReservationState): string {
  return `${JSON.stringify({ unit, revision, reservations: encodeImage(state) })}\n`;
}

/**
 * Reads a file; null when there is none.
 * @throws QomError that names the file, when it is not one that was written under this name, whole, by this version
 */
export function readStateFile(path: string): SavedReservations | null {
  try {
    return decode(readText(path), basename(path));
  } catch (cause) {
    if (isErrnoError(cause) && cause.code === "ENOENT") return null;
    throw new QomError(kindOf(cause), `the state file "${printable(path)}" cannot be used`, {
      cause,
      context: { value: printable(path) },
      hint: "it is left as it is; to go on without the reservations in it, move it away",
    });
  }
}

function kindOf(cause: unknown): QomError["kind"] {
  if (cause instanceof QomError) return cause.kind;
  return isErrnoError(cause) ? "io" : "syntax";
}

function readText(path: string): string {
  const fd = openSync(path, OPEN_FLAGS);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new QomError("wrong-type", "it is not a regular file");
    if (stat.size > FILE_BYTES_MAX) throw new QomError("limit", `${stat.size} bytes are more than ${FILE_BYTES_MAX}`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

function decode(text: string, name: string): SavedReservations {
  const file: unknown = JSON.parse(text);
  if (typeof file !== "object" || file === null || Array.isArray(file)) throw invalid("it is no JSON object");
  const { unit, revision, reservations, ...others } = file as Readonly<Record<string, unknown>>; // an object may be asked for members by name
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`it has an unknown member "${printable(other)}"`);
  if (typeof unit !== "string") throw invalid("it does not say whose reservations it has");
  if (stateFileName(unit) !== name) throw invalid(`it has the reservations of "${printable(unit)}"`);
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || revision < 1) throw invalid("its revision is no number from 1");
  let state = decodeImage(reservations);
  const saved = reservations as ReservationImage; // decodeImage has taken it
  const { image } = adoptDefaultInitiators(unit, saved);
  if (image !== saved) state = decodeImage(image);
  if (!state.aptpl) throw invalid("its reservations are not to survive power loss");
  return { unit, revision, state };
}

function invalid(message: string): QomError {
  return new QomError("invalid-value", message);
}
