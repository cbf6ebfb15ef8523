/** Reservations as monitors give them: keys as "0x" and 16 digits, what is not there left out. */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import type { HeldReservation, NexusSnapshot, ReservationSnapshot } from "../reservation/snapshot.js";
import { formatKey } from "../scsi/persistent-reserve.js";

const nexusSchema = lazily(() => z.strictObject({ initiator: z.string(), "target-port": z.int() }));

/** A persistent reservation; without a holder every registrant is one. */
export const reservationSchema = lazily(() => z.strictObject({ type: z.int(), scope: z.int(), holder: nexusSchema().optional() }));

/** What is registered and reserved on a unit. `fabric` is the id of the scsi-fabric that it belongs to, absent for the machine's own. */
export const unitReservationsSchema = lazily(() =>
  z.strictObject({
    fabric: z.string().optional(),
    unit: z.string(),
    generation: z.int(),
    registrants: z.array(z.strictObject({ initiator: z.string(), "target-port": z.int(), key: z.string(), holder: z.boolean() })),
    reservation: reservationSchema().optional(),
  }),
);

function nexusInfo({ initiator, targetPort }: NexusSnapshot): z.output<ReturnType<typeof nexusSchema>> {
  return { initiator, "target-port": targetPort };
}

/** The reservation, as a member to be spread: there may be none. */
export function reservationMember(held: HeldReservation | null): { readonly reservation?: z.output<ReturnType<typeof reservationSchema>> } {
  if (held === null) return {};
  const { type, scope, holder } = held;
  return { reservation: { type, scope, ...(holder === null ? {} : { holder: nexusInfo(holder) }) } };
}

/** A snapshot of the unit called `unit`. */
export function unitReservations(
  unit: string,
  fabricId: string | null,
  snapshot: ReservationSnapshot,
): z.output<ReturnType<typeof unitReservationsSchema>> {
  return {
    ...(fabricId === null ? {} : { fabric: fabricId }),
    unit,
    generation: snapshot.generation,
    registrants: snapshot.registrants.map((registrant) => ({
      ...nexusInfo(registrant),
      key: formatKey(registrant.key),
      holder: registrant.holder,
    })),
    ...reservationMember(snapshot.reservation),
  };
}
