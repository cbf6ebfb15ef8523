/* oxlint-disable typescript/explicit-module-boundary-types -- what the compiler infers is what is tested */
/**
 * A library on top of this one, which lets the compiler infer the types of what it exports. In its declarations they are written by name,
 * and only names that the package exports can be. It is type-checked like types.ts and not run.
 */
import { PersistentReserveIn, PersistentReserveOut, qom, TRACE_POINTS, TransportId } from "qom-pr";
import type { Fabric, LogicalUnit, Machine, VirtioChain } from "qom-pr";

export const kinds = { limits: qom.object("Limits", { low: qom.int32() }), traces: TRACE_POINTS };

export const ofMachine = (machine: Machine) => ({
  graph: machine.graph,
  nodes: machine.graph.nodes,
  types: machine.qom.listTypes(),
  bus: machine.hba("scsi0").bus,
  addresses: machine.scsiDevices.map(({ address }) => address),
});

export const submit = (machine: Machine, chain: VirtioChain) => machine.hba("scsi0").submit(2, chain);

export const ofFabric = (fabric: Fabric) => fabric.units.map((unit) => ({ unit, ...unit.reservations }));

export const ofUnit = (unit: LogicalUnit) => ({
  held: unit.hold(),
  summary: unit.reservationSummary,
  definition: unit.definition,
  registrants: unit.reservations.registrants.filter(({ holder }) => holder),
});

export const request = PersistentReserveIn.readKeys(8);

export const keysOf = (bytes: Uint8Array) => PersistentReserveIn.parse("read-keys", bytes);

export const reservationOf = (bytes: Uint8Array) => PersistentReserveIn.parse("read-reservation", bytes);

export const capabilitiesOf = (bytes: Uint8Array) => PersistentReserveIn.parse("report-capabilities", bytes);

export const statusOf = (bytes: Uint8Array) => PersistentReserveIn.parse("read-full-status", bytes);

export const commandOf = (cdb: Uint8Array, dataOut: Uint8Array) => PersistentReserveOut.parse(cdb, dataOut);

export const initiatorOf = (bytes: Uint8Array) => TransportId.decode(bytes);
