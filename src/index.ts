/**
 * qom-pr: a QOM-like object model for machine emulators, and on it QEMU's SCSI persistent reservation managers.
 *
 * What stands here is the public contract; everything else may change without notice.
 */
// Errors, time
export { QomError } from "./base/errors.js";
export type { QmpErrorClass, QomErrorContext, QomErrorKind, QomErrorOptions } from "./base/errors.js";
export { Clock } from "./base/clock.js";
export type { Timer, TimerOptions } from "./base/clock.js";

// Trace points, see docs/cli.md
export { TRACE_POINTS } from "./machine/trace-points.js";
export type { TraceMessage, TraceName } from "./machine/trace-points.js";
export type { TraceDefinition } from "./base/trace.js";
export type { PrManagerExecuteTrace } from "./pr-manager/trace.js";
export type { ScsiRequestEndTrace, ScsiRequestLbaTrace, ScsiRequestParsedTrace, ScsiRequestTrace } from "./devices/disk/request-trace.js";
export type {
  VirtioScsiCommandEndTrace,
  VirtioScsiCommandTrace,
  VirtioScsiEventTrace,
  VirtioScsiTmfEndTrace,
  VirtioScsiTmfTrace,
} from "./devices/virtio-scsi/trace.js";

// The object model
export { qomProperty, qomType } from "./qom/decorators.js";
export type { PropertyOptions, QomType, TypeMetadata } from "./qom/decorators.js";
export { inject } from "./qom/inject.js";
export type { DelayedToken, InjectionToken, InjectOptions } from "./qom/inject.js";
export { USER_CREATABLE } from "./qom/interfaces.js";
export type { QomInterface } from "./qom/interfaces.js";
export { hold, QomObject } from "./qom/object.js";
export type { Holder } from "./qom/object.js";
export { addChild } from "./qom/children.js";
export { addAlias, addProperty } from "./qom/instance-properties.js";
export type { InstanceProperty } from "./qom/instance-properties.js";
export type { PropertyAccess } from "./qom/property-definition.js";
export type { PropertyListing } from "./qom/properties.js";
export { qom } from "./qom/property-type.js";
export type { ObjectMembers, ObjectValue } from "./qom/composite-type.js";
export type { LinkTarget, PropertyType } from "./qom/property-type.js";
export type { CompositionTree } from "./qom/tree.js";
export type { RegisteredType, TypeFilter } from "./qom/type-registry.js";
export type { OptionMap, PlainValue } from "./options/value.js";

// SCSI commands and persistent reservations as values
export { ScsiStatus } from "./scsi/command.js";
export type { ScsiCommand, ScsiResult } from "./scsi/command.js";
export { HostStatus } from "./scsi/host-status.js";
export type { Nexus } from "./scsi/nexus.js";
export { PersistentReserveIn } from "./scsi/persistent-reserve-in.js";
export type {
  ReadFullStatusData,
  ReadKeysData,
  ReadReservationData,
  ReportedRegistrant,
  ReportedReservation,
  ReserveCapabilities,
  ReserveInData,
  ReserveInRequest,
} from "./scsi/persistent-reserve-in.js";
export { PersistentReserveOut } from "./scsi/persistent-reserve-out.js";
export type {
  ReserveOutCommand,
  ReserveOutParsed,
  ReserveOutProblem,
  ReserveOutRequest,
  ReserveOutSettings,
} from "./scsi/persistent-reserve-out.js";
export type { ReservationType, ReserveInAction, ReserveOutAction } from "./scsi/persistent-reserve.js";
export { formatSense, parseSense, Sense, senseResult } from "./scsi/sense.js";
export type { FieldPointer, SenseCode, SenseOptions } from "./scsi/sense.js";
export { VirtioScsiFeature, VirtioScsiQueue, VirtioScsiResponse } from "./scsi/virtio-scsi.js";
export { TransportId } from "./scsi/transport-id.js";
export type { TransportIdDecoding, TransportIdProblem, TransportProtocol } from "./scsi/transport-id.js";

// Simulated storage
export { Fabric } from "./target/fabric/fabric.js";
export type { DurableFabricOptions, FabricOptions, ReservationListener } from "./target/fabric/fabric-options.js";
export { ScsiFabric } from "./target/fabric/scsi-fabric.js";
export type { LogicalUnit } from "./target/unit/logical-unit.js";
export type { PathAccess } from "./target/unit/path-access.js";
export type { TargetBehaviour } from "./target/behaviour.js";
export type { CommandFilter, CommandInFlight, Disturbance, Hold } from "./target/unit/interference.js";
export type { UnitDefinition, UnitSpec } from "./target/unit/unit-spec.js";
export type {
  HeldReservation,
  NexusSnapshot,
  RegistrantSnapshot,
  ReservationSnapshot,
  ReservationSummary,
} from "./reservation/snapshot.js";

// PR managers, devices, machines
export { PR_MANAGER_LINK, PrManager } from "./pr-manager/pr-manager.js";
export type { ConnectionListener, ConnectionListenerOptions, ExecuteListener } from "./pr-manager/pr-manager.js";
export type { Route } from "./scsi/routing.js";
export type { ResetScope, ScsiUnit } from "./scsi/unit.js";
export { ScsiDevice } from "./devices/disk/scsi-device.js";
export type { MigrationSaveOptions, ReservationMigration } from "./devices/disk/migration.js";
export type { ReservationsTaken, ReservationTakeover } from "./devices/disk/reservation-takeover.js";
export type { BusDevice, ScsiAddress, ScsiBus } from "./devices/bus/scsi-bus.js";
export type { Device } from "./devices/device.js";
export { VirtioScsi } from "./devices/virtio-scsi/device.js";
export type { VirtioChain } from "./devices/virtio-scsi/chain.js";
export type { UsedLength } from "./devices/virtio-scsi/context.js";
export type { BlockGraph } from "./block/graph.js";
export type { BlockNode } from "./block/node.js";
export type { QmpExecutor } from "./monitor/executor.js";
export type { QmpArguments, QmpValue } from "./monitor/values.js";
export type { EventListener, QmpEvent } from "./monitor/events.js";
export { createContainer } from "./machine/container.js";
export type { DependencyContainer, DependencyProvider } from "./machine/container.js";
export { Machine } from "./machine/machine.js";
export type { QemuVersion } from "./qemu/compat.js";
export type { MachineOptions } from "./machine/machine-options.js";
