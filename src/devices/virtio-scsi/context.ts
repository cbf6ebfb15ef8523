/** What the queues of one virtio-scsi device share. */
import type { BusFront } from "../bus/bus-front.js";

/** Sizes that the driver may choose, by the configuration space. */
export interface FieldSizes {
  cdbSize: number;
  senseSize: number;
}

/** See the file text. */
export interface VirtioScsiContext {
  readonly front: BusFront;
  readonly sizes: FieldSizes;
  /** The driver has broken the rules: the device needs a reset. Gives null, the outcome of a chain that is not used. */
  readonly fail: (reason: string) => null;
}

/** Bytes of a chain that the device may count as written; null when the chain must not be returned to the driver. */
export type UsedLength = number | null;
