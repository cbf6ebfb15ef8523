/** Commands beyond QEMU's: SCSI commands by hand, and what is registered and reserved. Their names begin with `x-`. */
import * as z from "zod";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { ScsiDevice } from "../../devices/disk/scsi-device.js";
import { pastedWwn } from "../../scsi/pasted-names.js";
import type { ScsiCommand } from "../../scsi/command.js";
import { noLogicalUnit } from "../../target/fabric/fabric.js";
import type { Fabric } from "../../target/fabric/fabric.js";
import { ScsiFabric } from "../../target/fabric/scsi-fabric.js";
import { defineCommand, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { unitReservations, unitReservationsSchema } from "../reservations.js";

/** Bytes are said in hexadecimal digits, two for each, without anything between them. */
const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** Most bytes that one x-scsi-execute moves in either direction; in digits they still fit a message with room to spare. */
const DATA_BYTES_MAX = 1024 * 1024;

/** The bytes that an option says. @throws QomError `invalid-value`, `limit` */
export function bytesOf(option: string, digits: string, bytesMax = DATA_BYTES_MAX): Uint8Array {
  const context = { option, value: printable(digits) };
  if (!HEX.test(digits))
    throw new QomError("invalid-value", `'${option}' expects pairs of hexadecimal digits, not '${printable(digits)}'`, { context });
  if (digits.length > 2 * bytesMax) throw new QomError("limit", `'${option}' is longer than ${bytesMax} bytes`, { context: { option } });
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** Bytes as an answer says them. */
export function digitsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

const scsiExecute = defineCommand({
  name: "x-scsi-execute",
  arguments: () =>
    z.strictObject({
      device: z.string(),
      cdb: z.string(),
      "data-out": z.string().optional(),
      "allocation-length": z.int().min(0).max(DATA_BYTES_MAX).optional(),
      "timeout-ms": z.int().optional(),
    }),
  result: () =>
    z.strictObject({
      status: z.int(),
      "data-in": z.string(),
      residual: z.int(),
      sense: z.string(),
      "host-status": z.int().optional(),
    }),
  run: async (given, { host }) => {
    const device = scsiDevice(host, given.device);
    const dataOut = given["data-out"];
    const allocationLength = given["allocation-length"];
    const timeoutMs = given["timeout-ms"];
    const command: ScsiCommand = {
      cdb: bytesOf("cdb", given.cdb),
      ...(dataOut === undefined ? {} : { dataOut: bytesOf("data-out", dataOut) }),
      ...(allocationLength === undefined ? {} : { allocationLength }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const { status, dataIn, residual, sense, hostStatus } = await device.executeAnyway(command);
    return {
      status,
      "data-in": digitsOf(dataIn),
      residual,
      sense: digitsOf(sense),
      ...(hostStatus === undefined ? {} : { "host-status": hostStatus }),
    };
  },
});

/** The SCSI device of that id or path. @throws QomError `not-found` (DeviceNotFound), `wrong-type` */
export function scsiDevice(host: MonitorHost, idOrPath: string): ScsiDevice {
  const device = host.devices.find(idOrPath);
  if (device instanceof ScsiDevice) return device;
  throw new QomError("wrong-type", `${device.describe()} is of type '${device.typeName}' and takes no SCSI commands`, {
    context: { option: "device", value: idOrPath },
  });
}

/** The storage networks of a machine: its own, then those made by -object with their ids. */
function fabricsOf(host: MonitorHost): readonly { readonly id: string | null; readonly fabric: Fabric }[] {
  const objects = host.tree.children(host.tree.resolve("/objects"));
  const added = objects.flatMap((object) => (object instanceof ScsiFabric ? [{ id: object.id, fabric: object.fabric }] : []));
  return [{ id: null, fabric: host.fabric }, ...added];
}

const queryReservations = defineCommand({
  name: "x-query-reservations",
  arguments: () => z.strictObject({ unit: z.string().optional() }),
  result: () => z.array(unitReservationsSchema()),
  run: (given, { host }) => {
    const all = fabricsOf(host).flatMap(({ id, fabric }) => [...fabric.units, ...fabric.shadows].map((unit) => ({ id, unit })));
    const wanted = given.unit === undefined ? undefined : pastedWwn(given.unit);
    const asked = wanted === undefined ? all : all.filter(({ unit }) => unit.wwn.toLowerCase() === wanted);
    if (asked.length === 0 && given.unit !== undefined) {
      const { message, hint = "" } = noLogicalUnit(
        given.unit,
        all.map(({ unit }) => unit),
      );
      const context = { option: "unit", value: printable(given.unit) };
      throw new QomError("not-found", message, { context, hint, qmpClass: "DeviceNotFound" });
    }
    return asked.map(({ id, unit }) => unitReservations(unit.wwn, id, unit.reservations));
  },
});

/** Commands that managers run, as events X_PR_TRACE: QEMU has a trace point for them and no event. */
const prTrace = defineCommand({
  name: "x-pr-trace",
  arguments: () => z.strictObject({ enable: z.boolean() }),
  result: nothingSchema,
  run: ({ enable }, { host }) => {
    host.traceManagers(enable);
    return {};
  },
});

/** See the file text. */
export const SCSI_COMMANDS: readonly QmpCommand[] = [scsiExecute, queryReservations, prTrace];
