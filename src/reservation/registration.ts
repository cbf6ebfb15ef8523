import type { Nexus } from "../scsi/nexus.js";

/** One I_T nexus and its key. Never changed: a new key makes a new value in the same place. */
export interface Registration {
  readonly nexus: Nexus;
  /** {@link nexusKey} of `nexus`. */
  readonly nexusKey: string;
  /** The reservation key, 1 to 2^64 - 1. */
  readonly key: bigint;
  /** Made with ALL_TG_PT = 1. */
  readonly allTargetPorts: boolean;
  /** Place in the order of registration: lower came first. Means nothing outside one state. */
  readonly place: number;
  /** Who made it, where accounts are kept (scsi/account.ts); null when nobody answers for it. A new key does not change who does. */
  readonly owner: string | null;
}
