/** The types that every machine knows. */
import { lazily } from "../base/lazily.js";
import { FileNode } from "../block/file.js";
import { HostDeviceNode } from "../block/host-device.js";
import { BLOCK_NODE_TYPE, BlockNode } from "../block/node.js";
import { ProtocolNode } from "../block/protocol-node.js";
import { RawNode } from "../block/raw.js";
import { SimLunNode } from "../block/sim-lun.js";
import { Device } from "../devices/device.js";
import { DEVICE_TYPE } from "../devices/set/device-set.js";
import { ScsiBlock } from "../devices/disk/scsi-block.js";
import { ScsiDevice } from "../devices/disk/scsi-device.js";
import { ScsiGeneric } from "../devices/disk/scsi-generic.js";
import { VIRTIO_SCSI_TYPES } from "../devices/virtio-scsi/adapters.js";
import { answersOf, QEMU_VERSION_DEFAULT } from "../qemu/compat.js";
import type { QemuVersion } from "../qemu/compat.js";
import { inertObjectTypes } from "../qemu/objects.js";
import { MonitorHmp, MonitorObject, MonitorQmp } from "../monitor/monitor-objects.js";
import type { QomType } from "../qom/decorators.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import { TypeRegistry } from "../qom/type-registry.js";
import type { ReservedNames } from "../qom/type-registry.js";
import { OBJECT_TYPES } from "./object-types.js";

/** Types of objects and devices. */
const OBJECT_AND_DEVICE_TYPES: readonly QomType[] = [
  ...OBJECT_TYPES,
  MonitorObject,
  MonitorQmp,
  MonitorHmp,
  Device,
  ...VIRTIO_SCSI_TYPES,
  ScsiDevice,
  ScsiBlock,
  ScsiGeneric,
];

/** Block drivers: a name space of their own, as in QEMU, where nodes are no QOM objects. */
const BLOCK_DRIVERS: readonly QomType[] = [BlockNode, ProtocolNode, RawNode, FileNode, HostDeviceNode, SimLunNode];

/** What -object and object-add, and -device and device_add take out of their options. */
const RESERVED_FOR_OBJECTS: readonly ReservedNames[] = [
  { kind: USER_CREATABLE.name, names: ["qom-type", "id"] },
  { kind: DEVICE_TYPE, names: ["driver", "id", "bus"] },
];

/** The same of -blockdev and blockdev-add. */
const RESERVED_FOR_NODES: readonly ReservedNames[] = [{ kind: BLOCK_NODE_TYPE, names: ["driver", "node-name"] }];

/** The types of one machine. */
export interface TypeRegistries {
  /** Objects and devices. */
  readonly objects: TypeRegistry;
  /** Block drivers. */
  readonly drivers: TypeRegistry;
}

/** The types of this library; those without effect are registered when they are named. */
const builtIn: () => TypeRegistries = lazily(() => {
  const [objects, drivers] = [new TypeRegistry(RESERVED_FOR_OBJECTS), new TypeRegistry(RESERVED_FOR_NODES)];
  objects.registerAll(OBJECT_AND_DEVICE_TYPES, "needed");
  objects.registerLater(inertObjectTypes());
  drivers.registerAll(BLOCK_DRIVERS, "needed");
  return { objects, drivers };
});

/**
 * The built-in types and the embedder's own, in registries that nobody else has. A type of the embedder's that does something goes before one
 * of the same name that does nothing.
 * @param version of QEMU, whose options they have
 * @throws QomError `type-definition`, `duplicate`, `unknown-type`
 */
export function typeRegistries(own: readonly QomType[], version: QemuVersion = QEMU_VERSION_DEFAULT): TypeRegistries {
  const isDriver = (type: QomType): boolean => type.prototype instanceof BlockNode;
  const { missingNodeOptions } = answersOf(version);
  const [objects, drivers] = [builtIn().objects.copy(), builtIn().drivers.copy(missingNodeOptions)];
  objects.registerAll(own.filter((type) => !isDriver(type)));
  drivers.registerAll(own.filter(isDriver));
  return { objects, drivers };
}
