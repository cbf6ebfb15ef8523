/**
 * Default initiators in reservations saved by version 0.1.0, which gave them no ISID. Now they have one (scsi/default-initiator.ts),
 * which makes them different initiator ports. Each such registration is moved to the port that has the same name today, so that a machine
 * finds what it has registered.
 */

import type { RegistrationImage, ReservationImage } from "../../reservation/image.js";
import { TransportId } from "../../scsi/transport-id.js";
import { DEFAULT_INITIATOR_PREFIX, portOfName } from "../../scsi/default-initiator.js";

/** An image as it would be saved today, and what was changed to get there. */
export interface AdoptedImage {
  readonly image: ReservationImage;
  /** One line for each change, for the user. */
  readonly lines: readonly string[];
}

/**
 * `image` with the ports that default initiators have today; the same object if there is nothing to change. The order of registrations and
 * the holder's index stay. So do initiators given by the user, unless they begin like a default one: 0.1.0 did not save which is which.
 * @param unit name of the unit, for the lines
 * @param image one that decodeImage accepts
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
