/** Commands that plug and unplug devices (QEMU: qapi/qdev.json, softmmu/qdev-monitor.c). */
import { z } from "zod";
import { defineCommand, nothing, type QmpCommand } from "../command.js";

const deviceAdd = defineCommand({
  name: "device_add",
  arguments: z.looseObject({ driver: z.string(), bus: z.string().optional(), id: z.string().optional() }),
  result: nothing,
  run: async (_given, { host }, raw) => {
    await host.devices.create(raw, "json");
    return {};
  },
});

/** How long commands in flight on a device that is unplugged may take before they end with TASK ABORTED. */
const UNPLUG_GRACE_MS = 5000;

const deviceDel = defineCommand({
  name: "device_del",
  arguments: z.strictObject({ id: z.string() }),
  result: nothing,
  run: async ({ id }, { host, afterReply }) => {
    const device = host.devices.find(id);
    const path = device.canonicalPath ?? "";
    await host.devices.delete(device, UNPLUG_GRACE_MS);
    afterReply(() => host.events.emit("DEVICE_DELETED", { device: device.id ?? undefined, path }));
    return {};
  },
});

/** See the file text. */
export const DEVICE_COMMANDS: readonly QmpCommand[] = [deviceAdd, deviceDel];
