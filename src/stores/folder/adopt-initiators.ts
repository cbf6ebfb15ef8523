/**
 * Default initiators in reservations that version 0.1.0 has saved: it gave them no ISID. Now they have one (default-initiator.ts), and are
 * other initiator ports by that. Each such registration becomes that of the port that has the same name today, so that a machine finds
 * what it has registered.
 */

import type { RegistrationImage, ReservationImage } from "../../reservation/image.js";
import { TransportId } from "../../scsi/transport-id.js";
import { DEFAULT_INITIATOR_PREFIX, portOfName } from "../../scsi/default-initiator.js";

/** An image of today, and what was changed for it. */
export interface AdoptedImage {
  readonly image: ReservationImage;
  /** One line for each change, for people. */
  readonly lines: readonly string[];
}

/**
 * `image` with the ports that default initiators have today; the same object when there is nothing to change. Places and the holder's index
 * stay. An initiator that was given by its user stays too, unless it begins as default ones do: 0.1.0 did not save which it was.
 * @param unit what the unit is called, for the lines
 * @param image one that decodeImage takes
 */
export function adoptDefaultInitiators(unit: string, image: ReservationImage): AdoptedImage {
  const nexuses = new Set(image.registrations.map(nexusText));
  const lines: string[] = [];
  const registrations = image.registrations.map((registration): RegistrationImage => {
    const { initiator } = registration;
    if (!isBareDefault(initiator)) return registration;
    const adopted = { ...registration, initiator: portOfName(initiator).format() };
    if (nexuses.has(nexusText(adopted))) return registration;
    lines.push(`${unit}: the registration of ${initiator} is that of ${adopted.initiator} now`);
    return adopted;
  });
  return lines.length === 0 ? { image, lines } : { image: { ...image, registrations }, lines };
}

function isBareDefault(initiator: string): boolean {
  return initiator.startsWith(DEFAULT_INITIATOR_PREFIX) && !TransportId.parse(initiator).namesPort;
}

function nexusText({ initiator, targetPort }: RegistrationImage): string {
  return TransportId.parse(initiator).keyAt(targetPort);
}
