/** Commands that plug and unplug devices (QEMU: qapi/qdev.json, softmmu/qdev-monitor.c). */
import * as z from "zod";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { givenId } from "../../devices/set/device-set.js";
import { Device } from "../../devices/device.js";
import { ScsiDevice } from "../../devices/disk/scsi-device.js";
import { VirtioScsi } from "../../devices/virtio-scsi/device.js";
import type { OptionMap, PlainValue } from "../../options/value.js";
import { defineCommand, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";

const deviceAdd = defineCommand({
  name: "device_add",
  arguments: () => z.looseObject({ driver: z.string(), bus: z.string().optional(), id: z.string().optional() }),
  result: nothingSchema,
  run: async (_given, { host }, raw) => {
    const texts = host.answers.looseDeviceAdd ? textsOf(raw) : null;
    await (texts === null ? host.devices.create(raw, "json") : host.devices.create(texts, "text"));
    return {};
  },
});

/** The values as an option's text has them; null when there is one that text cannot say. */
function textsOf(values: OptionMap): OptionMap | null {
  const texts = [...values].map(([name, value]) => [name, textOf(value)] as const);
  return texts.every(([, text]) => text !== null) ? new Map(texts) : null;
}

function textOf(value: PlainValue): string | null {
  if (typeof value === "boolean") return value ? "on" : "off";
  return value === null || typeof value === "object" ? null : String(value);
}

/** How long commands in flight on a device that is unplugged may take before they end with TASK ABORTED. */
const UNPLUG_GRACE_MS = 5000;

/**
 * The reply says that unplugging has begun; DEVICE_DELETED, never before the reply, that the device is gone and its name free again. Of a
 * host adapter the devices on its bus go first, each with an event. What cannot be unplugged after all is DEVICE_UNPLUG_GUEST_ERROR.
 */
const deviceDel = defineCommand({
  name: "device_del",
  arguments: () => z.strictObject({ id: z.string() }),
  result: nothingSchema,
  run: ({ id }, { host, afterReply }) => {
    const device = deviceNamed(host, id);
    const devices = [...devicesOn(device, host), device];
    for (const each of devices) requireNotEnding(each, host);
    const replied = new Promise<void>((resolve) => afterReply(resolve));
    void unplug(devices, host, replied);
    return {};
  },
});

/** As in QEMU, an object that is not a device and a path without an object are different errors. */
function deviceNamed(host: MonitorHost, id: string): Device {
  if (id.startsWith("/")) {
    const object = host.tree.resolve(id);
    if (object instanceof Device) return object;
    throw new QomError("wrong-type", `'${printable(id)}' is not a device that can be unplugged`, {
      context: { option: "id", value: printable(id) },
    });
  }
  return host.devices.find(id);
}

function devicesOn(device: Device, host: MonitorHost): readonly Device[] {
  if (!(device instanceof VirtioScsi)) return [];
  return host.devices.all.filter((other) => other instanceof ScsiDevice && other.bus === device.bus);
}

function requireNotEnding(device: Device, host: MonitorHost): void {
  if (!host.devices.isEnding(device)) return;
  throw new QomError("in-use", `${device.describe()} is being unplugged already`, { context: { option: "id", value: device.id ?? "" } });
}

async function unplug(devices: readonly Device[], host: MonitorHost, replied: Promise<void>): Promise<void> {
  // A machine that ends meanwhile takes devices out of the tree, and then they have no path any more.
  const named = devices.map((device) => ({ device, data: nameOf(device) }));
  for (const { device, data } of named) {
    try {
      await host.devices.delete(device, UNPLUG_GRACE_MS);
    } catch (error) {
      warnOfFault(error);
      await replied;
      host.events.emit("DEVICE_UNPLUG_GUEST_ERROR", data);
      return;
    }
    await closeDrive(device, host);
    await replied;
    host.events.emit("DEVICE_DELETED", data);
  }
}

/** The device as its events name it. */
function nameOf(device: Device): { device?: string; path: string } {
  const id = givenId(device);
  return { ...(id === null ? {} : { device: id }), path: device.canonicalPath ?? "" };
}

/** A drive made by -drive goes with its device; it stays when something else uses it too. */
async function closeDrive(device: Device, host: MonitorHost): Promise<void> {
  if (!(device instanceof ScsiDevice)) return;
  try {
    await host.graph.closeUnused(device.drive);
  } catch (error) {
    warnOfFault(error);
  }
}

/** Nothing waits for the end of unplugging, so a fault of a device or node becomes a warning of the process. A mistake of the user does not. */
function warnOfFault(error: unknown): void {
  if (!(error instanceof QomError)) process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}

/** See the file text. */
export const DEVICE_COMMANDS: readonly QmpCommand[] = [deviceAdd, deviceDel];
