/** What each event carries. */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import { reservationSchema } from "./reservations.js";

/** By name of the event; the names with `X_` are beyond QEMU's. */
export const eventSchemas = lazily(() => {
  const device = z.strictObject({ device: z.string().optional(), path: z.string() });
  return {
    PR_MANAGER_STATUS_CHANGED: z.strictObject({ id: z.string(), connected: z.boolean() }),
    DEVICE_DELETED: device,
    DEVICE_UNPLUG_GUEST_ERROR: device,
    BLOCK_IO_ERROR: z.strictObject({
      "qom-path": z.string(),
      device: z.string(),
      "node-name": z.string().optional(),
      operation: z.enum(["read", "write"]),
      action: z.enum(["report", "ignore", "stop"]),
      nospace: z.boolean().optional(),
      reason: z.string(),
    }),
    STOP: z.strictObject({}),
    RESUME: z.strictObject({}),
    SHUTDOWN: z.strictObject({ guest: z.boolean(), reason: z.enum(["host-qmp-quit", "host-signal"]) }),
    X_RESERVATION_CHANGED: z.strictObject({
      fabric: z.string().optional(),
      unit: z.string(),
      generation: z.int(),
      registrants: z.int(),
      reservation: reservationSchema().optional(),
    }),
    X_PR_TRACE: z.strictObject({ id: z.string(), unit: z.string(), opcode: z.int(), "service-action": z.int(), status: z.int() }),
  } as const;
});

/** Name of an event. */
export type EventName = keyof ReturnType<typeof eventSchemas>;

/** What the event of that name carries. */
export type EventData<Name extends EventName> = z.output<ReturnType<typeof eventSchemas>[Name]>;
