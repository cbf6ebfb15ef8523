/**
 * qom-pr/extend: what block drivers, devices, reservation stores and QMP commands of one's own are made of. docs/extending.md shows each, and
 * says of every name whether it is stable.
 *
 * The classes and functions are those that the built-in ones are made of, and `instanceof` holds between this entry and `qom-pr`.
 */

// QMP commands
export { defineCommand } from "./monitor/command.js";
export { anyValue, noArguments, nothing } from "./monitor/common-schemas.js";
export type { CommandContext, CommandDefinition, QmpCommand, Schema } from "./monitor/command.js";
export type { MonitorHost } from "./monitor/host.js";

// Block drivers
export { BLOCK_NODE_TYPE, BlockNode, NoScsi } from "./block/node.js";
export type { MediumInfo, NodeOpener, NodeOpening, NodeUser, ProtocolAccess } from "./block/node.js";
export { ProtocolNode } from "./block/protocol-node.js";
export { SimLunNode } from "./block/sim-lun.js";
export type { DiskUnit, Geometry, HostTraits } from "./scsi/unit.js";
export type { Cancellation, Medium } from "./target/medium/medium.js";

// Devices
export { Device, DeviceHost } from "./devices/device.js";
export { MachineCompat } from "./qemu/compat.js";
export type { MachineTypeVersion, QemuAnswers } from "./qemu/compat.js";

// Reservation stores
export { UncertainCommitError } from "./reservation/store.js";
export type { Awaitable, CommitEnd, FormerName, ReservationStore, ReservationWatcher, StoredReservations } from "./reservation/store.js";
export type { RegistrationImage, ReservationImage } from "./reservation/image.js";
export { ReservationStoreObject } from "./stores/reservation-store.js";
