/** The answer of PERSISTENT RESERVE IN as text: as sg_persist prints it, so that programs which read its output can read this. */
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import type { ReserveInAction } from "../../scsi/persistent-reserve.js";
import { readU32 } from "../../scsi/bytes.js";
import { hexLines } from "../../scsi/hex-dump.js";
import type {
  ReadFullStatusData,
  ReadKeysData,
  ReadReservationData,
  ReportedRegistrant,
  ReserveCapabilities,
} from "../../scsi/reserve-in-data.js";
import { transportIdLines } from "./transport-id-text.js";

/** PRGENERATION and ADDITIONAL LENGTH; all of REPORT CAPABILITIES. */
export const HEADER_LENGTH = 8;

/** PRGENERATION alone. */
const GENERATION_LENGTH = 4;

/** Names of the types as sg3_utils prints them. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: "Write Exclusive",
  3: "Exclusive Access",
  5: "Write Exclusive, registrants only",
  6: "Exclusive Access, registrants only",
  7: "Write Exclusive, all registrants",
  8: "Exclusive Access, all registrants",
};

/** The order in which sg3_utils lists the types that a device supports. */
const CAPABILITY_TYPES = [7, 6, 5, 3, 1, 8] as const;

/**
 * The lines that stand for the answer.
 * @throws QomError `syntax` for data that ends too early to say anything
 */
export function reportLines(action: ReserveInAction, data: Uint8Array): string[] {
  switch (action) {
    case "read-keys":
      return keysLines(PersistentReserveIn.parse(action, data), PersistentReserveIn.completeLength(action, data));
    case "read-reservation":
      return reservationLines(PersistentReserveIn.parse(action, data));
    case "report-capabilities":
      return capabilitiesLines(PersistentReserveIn.parse(action, data));
    case "read-full-status":
      return fullStatusLines(PersistentReserveIn.parse(action, data));
  }
}

/** The answer in hexadecimal; `level` is how often `-H` was given: 1 with PRGENERATION in words, 2 with addresses, 3 bytes alone. */
export function hexReportLines(action: ReserveInAction, data: Uint8Array, level: number): string[] {
  const complete = PersistentReserveIn.completeLength(action, data);
  const received = data.subarray(0, Math.min(data.length, complete));
  if (level >= 3 && action !== "report-capabilities") return hexLines(received, { kind: "text", text: "" });
  if (level >= 2 || action === "report-capabilities") return hexLines(received, { kind: "address" });
  const length = readU32(data, 4);
  const before = `${generationText(readU32(data, 0))}, `;
  // sg_persist says it twice.
  if (length === 0) return [`${before}Additional length=0`, "Additional length=0"];
  const rest = hexLines(received.subarray(HEADER_LENGTH), { kind: "address" });
  return [`${before}Additional length${complete > data.length ? ` too large=${length}, truncate` : `=${length}`}`, ...rest];
}

/** What can be said of an answer that the user has cut within its header: PRGENERATION, where that is there. */
export function headerLines(action: ReserveInAction, data: Uint8Array, hex: number): string[] {
  if (hex > 0) return hexLines(data, hex >= 3 ? { kind: "text", text: "" } : { kind: "address" });
  return headerGeneration(action, data) === null ? [] : [generationText(readU32(data, 0))];
}

/** PRGENERATION of an answer that was cut within its header; null where it is not there. */
export function headerGeneration(action: ReserveInAction, data: Uint8Array): number | null {
  return action === "report-capabilities" || data.length < GENERATION_LENGTH ? null : readU32(data, 0);
}

function generationText(generation: number): string {
  return `  PR generation=0x${generation.toString(16)}`;
}

function keyText(key: bigint): string {
  return `0x${key.toString(16)}`;
}

function keysLines({ generation, keys }: ReadKeysData, completeLength: number): string[] {
  const count = Math.floor((completeLength - HEADER_LENGTH) / 8);
  const before = `${generationText(generation)}, `;
  if (count === 0) return [`${before}there are NO registered reservation keys`];
  const noun = count === 1 ? "1 registered reservation key follows" : `${count} registered reservation keys follow`;
  return [`${before}${noun}:`, ...keys.map((key) => `    ${keyText(key)}`)];
}

function scopeAndType(scope: number, type: number): string {
  const name = TYPE_NAMES[type] ?? `obsolete [${type < 10 ? type : `0x${type.toString(16)}`}]`;
  return scope === 0 ? `scope: LU_SCOPE,  type: ${name}` : `scope: ${scope}  type: ${name}`;
}

function reservationLines({ generation, reservation }: ReadReservationData): string[] {
  const before = `${generationText(generation)}, `;
  if (reservation === null) return [`${before}there is NO reservation held`];
  const { key, scope, type } = reservation;
  return [`${before}Reservation follows:`, `    Key=${keyText(key)}`, `    ${scopeAndType(scope, type)}`];
}

function capabilitiesLines(capabilities: ReserveCapabilities): string[] {
  const { types } = capabilities;
  const bits: readonly (readonly [string, boolean | number])[] = [
    ["Replace Lost Reservation Capable(RLR_C)", capabilities.replaceLostReservation],
    ["Compatible Reservation Handling(CRH)", capabilities.compatibleReservationHandling],
    ["Specify Initiator Ports Capable(SIP_C)", capabilities.specifyInitiatorPorts],
    ["All Target Ports Capable(ATP_C)", capabilities.allTargetPorts],
    ["Persist Through Power Loss Capable(PTPL_C)", capabilities.persistThroughPowerLoss],
    ["Type Mask Valid(TMV)", types !== null],
    ["Allow Commands", capabilities.allowCommands],
    ["Persist Through Power Loss Active(PTPL_A)", capabilities.persistThroughPowerLossActive],
  ];
  const lines = ["Report capabilities response:", ...bits.map(([name, value]) => `  ${name}: ${Number(value)}`)];
  if (types === null) return lines;
  const mask = CAPABILITY_TYPES.map((type) => `      ${TYPE_NAMES[type]}: ${Number(types.includes(type))}`);
  return [...lines, "    Support indicated in Type mask:", ...mask];
}

function fullStatusLines({ generation, registrants }: ReadFullStatusData): string[] {
  if (registrants.length === 0) return [generationText(generation), "  No full status descriptors"];
  return [generationText(generation), ...registrants.flatMap(registrantLines)];
}

function registrantLines(registrant: ReportedRegistrant): string[] {
  const { key, allTargetPorts, targetPort, holder, scope, type } = registrant;
  return [
    `    Key=${keyText(key)}`,
    ...(allTargetPorts
      ? ["      All target ports bit set"]
      : ["      All target ports bit clear", `      Relative port address: 0x${targetPort.toString(16)}`]),
    ...(holder ? ["      << Reservation holder >>", `      ${scopeAndType(scope, type)}`] : ["      not reservation holder"]),
    ...transportIdLines(registrant),
  ];
}
