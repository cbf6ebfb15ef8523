/** What monitors see of the machine that they control. */
import type { BlockGraph } from "../block/graph.js";
import type { RunState } from "../devices/run-state.js";
import type { DeviceSet } from "../devices/set/device-set.js";
import type { QemuAnswers } from "../qemu/compat.js";
import type { CompositionTree } from "../qom/tree.js";
import type { TypeRegistry } from "../qom/type-registry.js";
import type { Fabric } from "../target/fabric/fabric.js";
import type { EventHub } from "./events.js";

/** The machine, as its commands need it. */
export interface MonitorHost {
  readonly name: string;
  /** What the QEMU that is followed answers where versions differ. */
  readonly answers: QemuAnswers;
  readonly tree: CompositionTree;
  readonly graph: BlockGraph;
  readonly devices: DeviceSet;
  /** Types of objects and devices. */
  readonly objectTypes: TypeRegistry;
  /** Block drivers. */
  readonly drivers: TypeRegistry;
  /** The storage network of the machine's own units. */
  readonly fabric: Fabric;
  readonly events: EventHub;
  /** Whether the machine runs. */
  readonly runState: RunState;
  /** Stops the machine; resolves when no command is under way. */
  readonly stop: () => Promise<void>;
  /** Lets it run. */
  readonly cont: () => void;
  /** Whether commands that PR managers run are events X_PR_TRACE. */
  readonly traceManagers: (enable: boolean) => void;
  /** Ends the machine: as soon as the monitors have sent what they have to say. */
  readonly quit: () => void;
}
