/**
 * The state of a unit's reservations as plain data that survives JSON: what a store keeps through power loss (SPC-5 5.14, Preserving
 * persistent reservations and registrations).
 *
 *     {
 *       "version": 1,
 *       "generation": 7,
 *       "aptpl": true,
 *       "registrations": [{ "initiator": "naa.5000c50012345678", "targetPort": 1, "key": "0x00000000000000a1", "allTargetPorts": false, "owner": "uid-1000" }],
 *       "reservation": { "type": 5, "holder": 0 }
 *     }
 *
 * Registrations are in order of registration. `reservation` is null if there is none; its `holder` is an index into the
 * registrations, and null for the All Registrants types. `owner` is present if the registration is charged to an account (scsi/account.ts).
 */

import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { allAtOnce, SLICE_ITEMS } from "../base/slices.js";
import type { Steps } from "../base/slices.js";
import { formatKey, isAllRegistrants, isReservationType } from "../scsi/persistent-reserve.js";
import { TransportId } from "../scsi/transport-id.js";
import { invariantSteps } from "./invariants.js";
import { REGISTRATIONS_MAX } from "./settings.js";
import { ReservationState } from "./state.js";
import type { Registration, Reservation } from "./state.js";

/** The version that {@link encodeImage} writes, and the only one {@link decodeImage} reads. */
export const IMAGE_VERSION = 1;

/** A registration in an image. */
export interface RegistrationImage {
  /** TransportID of the initiator port as text. */
  readonly initiator: string;
  /** Relative target port identifier. */
  readonly targetPort: number;
  /** `0x` and 16 hexadecimal digits. */
  readonly key: string;
  readonly allTargetPorts: boolean;
  readonly owner?: string;
}

/** See the module text. */
export interface ReservationImage {
  readonly version: typeof IMAGE_VERSION;
  readonly generation: number;
  readonly aptpl: boolean;
  readonly registrations: readonly RegistrationImage[];
  readonly reservation: { readonly type: number; readonly holder: number | null } | null;
}

/** The source of an image: a state, or a view of one made by {@link viewOf}. */
export interface StateView {
  readonly generation: number;
  readonly aptpl: boolean;
  readonly reservation: Reservation | null;
  /** In order of registration. */
  registrations(): Iterable<Registration>;
}

/** `state` as it is now, unaffected by later changes: a list of its registrations, which are immutable, and the rest. */
export function viewOf(state: StateView): StateView {
  const registrations = [...state.registrations()];
  const { generation, aptpl, reservation } = state;
  return { generation, aptpl, reservation, registrations: () => registrations };
}

/** `state` as plain data. Takes time proportional to the number of registrants. */
export function encodeImage(state: StateView): ReservationImage {
  return allAtOnce(encodeSteps(state));
}

/** The same in slices; `state` must not change meanwhile. */
export function* encodeSteps(state: StateView): Steps<ReservationImage> {
  const { reservation } = state;
  const registrations: RegistrationImage[] = [];
  let holder: number | null = null;
  for (const registration of state.registrations()) {
    if (reservation?.holder === registration) holder = registrations.length;
    const { nexus, key, allTargetPorts, owner } = registration;
    registrations.push({
      initiator: nexus.initiator.format(),
      targetPort: nexus.targetPort,
      key: formatKey(key),
      allTargetPorts,
      ...(owner === null ? {} : { owner }),
    });
    if (registrations.length % SLICE_ITEMS === 0) yield;
  }
  return {
    version: IMAGE_VERSION,
    generation: state.generation,
    aptpl: state.aptpl,
    registrations,
    reservation: reservation === null ? null : { type: reservation.type, holder },
  };
}

/** True if both describe the same state. */
export function sameImage(one: ReservationImage, other: ReservationImage): boolean {
  if (one === other) return true;
  if (one.generation !== other.generation || one.aptpl !== other.aptpl) return false;
  if (one.registrations.length !== other.registrations.length) return false;
  if (one.reservation?.type !== other.reservation?.type || one.reservation?.holder !== other.reservation?.holder) return false;
  return one.registrations.every((registration, index) => {
    const match = other.registrations[index];
    return (
      registration.key === match?.key &&
      registration.initiator === match.initiator &&
      registration.targetPort === match.targetPort &&
      registration.allTargetPorts === match.allTargetPorts &&
      registration.owner === match.owner
    );
  });
}

/**
 * The state that an image describes. The image may come from anywhere: everything in it is checked, and unknown members are refused.
 * @throws QomError `unsupported` for another version, `limit` for more than `registrationsMax` registrations, `invalid-value` for
 *   anything else that {@link encodeImage} would not write
 */
export function decodeImage(image: unknown, registrationsMax: number = REGISTRATIONS_MAX): ReservationState {
  return allAtOnce(decodeSteps(image, registrationsMax));
}

/** The same in slices. @throws QomError as {@link decodeImage}, in the slice where the mistake is found */
export function* decodeSteps(image: unknown, registrationsMax: number = REGISTRATIONS_MAX): Steps<ReservationState> {
  const members = record(image, "the image");
  const version = members["version"];
  if (version !== IMAGE_VERSION) throw new QomError("unsupported", `reservation image: version ${shown(version)} is not ${IMAGE_VERSION}`);
  only(members, ["version", "generation", "aptpl", "registrations", "reservation"], "the image");
  const state = new ReservationState();
  const list: unknown = members["registrations"];
  if (!Array.isArray(list)) throw wrong("registrations", list, "an array");
  if (list.length > registrationsMax) {
    throw new QomError("limit", `reservation image: ${list.length} registrations are more than ${registrationsMax}`);
  }
  const registrations: Registration[] = [];
  const items: readonly unknown[] = list;
  for (const item of items) {
    registrations.push(decodeRegistration(state, item, `registrations[${registrations.length}]`));
    if (registrations.length % SLICE_ITEMS === 0) yield;
  }
  decodeReservation(state, members["reservation"], registrations);
  state.setAptpl(flag(members, "aptpl", "aptpl"));
  state.restoreGeneration(integer(members["generation"], 0, GENERATION_MAX, "generation"));
  // the registrations that were read are not changes to be charged
  state.takeChanges();
  yield* invariantSteps(state);
  return state;
}

const GENERATION_MAX = 0xffff_ffff;
const TARGET_PORT_MAX = 0xffff;

function decodeRegistration(state: ReservationState, image: unknown, where: string): Registration {
  const members = record(image, where);
  only(members, ["initiator", "targetPort", "key", "allTargetPorts", "owner"], where);
  const text = members["initiator"];
  const initiator = decodeInitiator(text, `${where}.initiator`);
  const targetPort = integer(members["targetPort"], 1, TARGET_PORT_MAX, `${where}.targetPort`);
  if (state.find(initiator.keyAt(targetPort)) !== undefined) throw wrong(where, text, "registered once");
  const key = decodeKey(members["key"], `${where}.key`);
  const owner = decodeOwner(members["owner"], `${where}.owner`);
  return state.register({ initiator, targetPort }, key, flag(members, "allTargetPorts", `${where}.allTargetPorts`), owner);
}

/** Much longer than any owner's name. */
const OWNER_LENGTH_MAX = 64;

function decodeOwner(value: unknown, where: string): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && value.length > 0 && value.length <= OWNER_LENGTH_MAX) return value;
  throw wrong(where, value, `1 to ${OWNER_LENGTH_MAX} characters`);
}

function decodeInitiator(text: unknown, where: string): TransportId {
  if (typeof text !== "string") throw wrong(where, text, "a TransportID as text");
  try {
    return TransportId.parse(text);
  } catch (cause) {
    throw new QomError("invalid-value", `reservation image: ${where} is not a TransportID`, { cause });
  }
}

function decodeReservation(state: ReservationState, image: unknown, registrations: readonly Registration[]): void {
  if (image === null) return;
  const members = record(image, "reservation");
  only(members, ["type", "holder"], "reservation");
  const { type, holder } = members;
  if (typeof type !== "number" || !isReservationType(type)) throw wrong("reservation.type", type, "1, 3, 5, 6, 7 or 8");
  const index = isAllRegistrants(type) ? 0 : holder;
  const registration = typeof index === "number" ? registrations[index] : undefined;
  if (registration === undefined || (isAllRegistrants(type) && holder !== null)) {
    throw wrong("reservation.holder", holder, "the index of a registration, or null for types 7 and 8");
  }
  state.reserve(type, registration);
}

function decodeKey(value: unknown, where: string): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-f]{16}$/.test(value)) throw wrong(where, value, "0x and 16 hexadecimal digits");
  const key = BigInt(value);
  if (key === 0n) throw wrong(where, value, "other than 0");
  return key;
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, value, "an object");
  return value as Record<string, unknown>; // every non-null object may be asked for members by name
}

function only(members: Readonly<Record<string, unknown>>, names: readonly string[], where: string): void {
  const unknown = Object.keys(members).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new QomError("invalid-value", `reservation image: ${where} has an unknown member '${printable(unknown)}'`);
}

function flag(members: Readonly<Record<string, unknown>>, name: string, where: string): boolean {
  const value = members[name];
  if (typeof value !== "boolean") throw wrong(where, value, "true or false");
  return value;
}

function integer(value: unknown, min: number, max: number, where: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw wrong(where, value, `a number from ${min} to ${max}`);
  }
  return value;
}

function wrong(where: string, value: unknown, expected: string): QomError {
  return new QomError("invalid-value", `reservation image: ${where} is ${shown(value)} and not ${expected}`);
}

/** `value` for a message. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return `'${printable(value)}'`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}
