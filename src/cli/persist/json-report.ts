/** The answer as values: the document of `persist --json`. docs/cli.md describes it. */
import { isOptionMap } from "../../options/value.js";
import type { OptionMap, PlainValue } from "../../options/value.js";
import { toHex } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { StandardInquiry } from "../../scsi/inquiry.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import { formatKey } from "../../scsi/persistent-reserve.js";
import type { ReserveInAction } from "../../scsi/persistent-reserve.js";
import type { ReportedRegistrant, ReserveCapabilities } from "../../scsi/reserve-in-data.js";
import { formatSense, parseSense } from "../../scsi/sense.js";
import type { ExitOutcome } from "./exit-status.js";
import { textOfKey } from "./key-text.js";
import { headerGeneration } from "./report.js";
import type { PersistRequest } from "./request.js";

/** What is reported. */
export interface PersistReport {
  readonly device: string;
  readonly request: PersistRequest;
  readonly inquiry: StandardInquiry | null;
  readonly result: ScsiResult;
  readonly outcome: ExitOutcome;
}

/**
 * The members of the document. Keys are text, since JSON numbers do not hold 64 bits: `0x` and 16 digits.
 * @param data what {@link dataValues} gave, null where there is no data
 */
export function reportValues({ device, request, inquiry, result, outcome }: PersistReport, data: PlainValue): OptionMap {
  return members({
    device,
    command: members({
      name: request.direction === "in" ? "PERSISTENT RESERVE IN" : "PERSISTENT RESERVE OUT",
      action: request.action,
      cdb: toHex(request.cdb),
      ...(request.direction === "out" ? { "data-out": toHex(request.dataOut) } : {}),
    }),
    "exit-status": outcome.exitStatus,
    outcome: outcome.text,
    status: result.status,
    "host-status": result.hostStatus ?? 0,
    sense: senseValues(result.sense),
    inquiry: inquiry === null ? null : inquiryValues(inquiry),
    data,
  });
}

function members(values: Readonly<Record<string, PlainValue>>): OptionMap {
  return new Map(Object.entries(values));
}

function senseValues(bytes: Uint8Array): PlainValue {
  const sense = parseSense(bytes);
  if (sense === null) return null;
  return members({ key: sense.key, asc: sense.asc, ascq: sense.ascq, text: formatSense(sense), bytes: toHex(bytes) });
}

function inquiryValues({ deviceType, vendor, product, revision }: StandardInquiry): PlainValue {
  return members({ "device-type": deviceType, vendor, product, revision });
}

/**
 * The answer of PERSISTENT RESERVE IN.
 * @throws QomError `syntax` for data that ends too early to say anything
 */
export function dataValues(action: ReserveInAction, data: Uint8Array): PlainValue {
  const complete = PersistentReserveIn.completeLength(action, data) <= data.length;
  const values = dataMembers(action, data);
  return isOptionMap(values) ? new Map([...values, ["complete", complete]]) : values;
}

/** The same for an answer that was cut within its header. */
export function headerValues(action: ReserveInAction, data: Uint8Array): PlainValue {
  return members({ generation: headerGeneration(action, data), complete: false });
}

function dataMembers(action: ReserveInAction, data: Uint8Array): PlainValue {
  switch (action) {
    case "read-keys": {
      const { generation, keys } = PersistentReserveIn.parse(action, data);
      const texts = keys.map(textOfKey);
      return members({
        generation,
        keys: keys.map(formatKey),
        ...(texts.some((text) => text !== null) ? { "key-texts": texts } : {}),
      });
    }
    case "read-reservation": {
      const { generation, reservation } = PersistentReserveIn.parse(action, data);
      if (reservation === null) return members({ generation, reservation: null });
      const { key, scope, type } = reservation;
      return members({ generation, reservation: members({ ...keyMembers(key), scope, type }) });
    }
    case "report-capabilities":
      return capabilitiesValues(PersistentReserveIn.parse(action, data));
    case "read-full-status": {
      const { generation, registrants } = PersistentReserveIn.parse(action, data);
      return members({ generation, registrants: registrants.map(registrantValues) });
    }
  }
}

/** A key, and its text where it has one. */
function keyMembers(key: bigint): Readonly<Record<string, string>> {
  const text = textOfKey(key);
  return { key: formatKey(key), ...(text === null ? {} : { "key-text": text }) };
}

function capabilitiesValues(capabilities: ReserveCapabilities): PlainValue {
  return members({
    "replace-lost-reservation": capabilities.replaceLostReservation,
    "compatible-reservation-handling": capabilities.compatibleReservationHandling,
    "specify-initiator-ports": capabilities.specifyInitiatorPorts,
    "all-target-ports": capabilities.allTargetPorts,
    "persist-through-power-loss": capabilities.persistThroughPowerLoss,
    "persist-through-power-loss-active": capabilities.persistThroughPowerLossActive,
    "allow-commands": capabilities.allowCommands,
    types: capabilities.types === null ? null : [...capabilities.types],
  });
}

function registrantValues(registrant: ReportedRegistrant): PlainValue {
  return members({
    ...keyMembers(registrant.key),
    initiator: registrant.initiator?.format() ?? null,
    ...(registrant.malformedInitiator === undefined ? {} : { "initiator-bytes": toHex(registrant.malformedInitiator.bytes) }),
    "target-port": registrant.allTargetPorts ? null : registrant.targetPort,
    holder: registrant.holder,
    scope: registrant.scope,
    type: registrant.type,
  });
}
