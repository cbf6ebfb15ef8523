/** The types of `-object`, which are made without block nodes and devices. */
import { PrManagerHelper } from "../backends/helper-socket/manager.js";
import { PrManagerMemory } from "../backends/memory.js";
import { PrManagerSgio } from "../backends/sgio.js";
import { PrManager } from "../pr-manager/pr-manager.js";
import type { QomType } from "../qom/decorators.js";
import { Container } from "../qom/tree.js";
import { ReservationFolder } from "../stores/reservation-folder.js";
import { ReservationStoreObject } from "../stores/reservation-store.js";
import { ScsiFabric } from "../target/fabric/scsi-fabric.js";

/** Those that a user can create, and what they consist of. */
export const OBJECT_TYPES: readonly QomType[] = [
  Container,
  PrManager,
  PrManagerHelper,
  PrManagerSgio,
  PrManagerMemory,
  ReservationStoreObject,
  ReservationFolder,
  ScsiFabric,
];
