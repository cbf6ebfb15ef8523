/** What each event carries. */
import * as z from "zod";
import { RESERVATION } from "./reservations.js";

const DEVICE = z.strictObject({ device: z.string().optional(), path: z.string() });

/** By name of the event; the names with `X_` are beyond QEMU's. */
export const EVENT_SCHEMAS = {
  PR_MANAGER_STATUS_CHANGED: z.strictObject({ id: z.string(), connected: z.boolean() }),
  DEVICE_DELETED: DEVICE,
  DEVICE_UNPLUG_GUEST_ERROR: DEVICE,
  SHUTDOWN: z.strictObject({ guest: z.boolean(), reason: z.enum(["host-qmp-quit", "host-signal"]) }),
  X_RESERVATION_CHANGED: z.strictObject({
    fabric: z.string().optional(),
    unit: z.string(),
    generation: z.int(),
    registrants: z.int(),
    reservation: RESERVATION.optional(),
  }),
  X_PR_TRACE: z.strictObject({ id: z.string(), unit: z.string(), opcode: z.int(), "service-action": z.int(), status: z.int() }),
} as const;

/** Name of an event. */
export type EventName = keyof typeof EVENT_SCHEMAS;

/** What the event of that name carries. */
export type EventData<Name extends EventName> = z.output<(typeof EVENT_SCHEMAS)[Name]>;
