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
  /** Place in the order of registration: lower came first. Meaningful within one state only. */
  readonly place: number;
  /** Owner of the account that is charged for it (scsi/account.ts); null for none. A new key does not change the owner. */
  readonly owner: string | null;
}
