/** Makes what the options of a command line ask for, in QEMU's order. */
import { sliceEnd } from "../base/slices.js";
import { addDrive, checkDrive } from "../block/drive.js";
import type { BlockGraph } from "../block/graph.js";
import type { DeviceSet } from "../devices/set/device-set.js";
import { MONITOR_TYPES } from "../monitor/monitor-objects.js";
import { atOption } from "../options/option-error.js";
import { addObject, checkObject } from "../qom/add-object.js";
import type { CompositionTree } from "../qom/tree.js";
import { unusedStores } from "../stores/reservation-store.js";
import type { GivenOption } from "./arguments.js";

/** Where the things are made. */
export interface MachineParts {
  readonly tree: CompositionTree;
  readonly graph: BlockGraph;
  readonly devices: DeviceSet;
  /** Opens what monitors talk through. */
  readonly openMonitors: () => Promise<void>;
  /** Gets a line for each thing that works and is probably not meant. */
  readonly warnings: string[];
  /** Looked at between one thing and the next. */
  readonly signal: AbortSignal | undefined;
}

/** Options after which others are served: so many are checked, or made, within a few milliseconds. */
export const OPTIONS_SLICE_LENGTH = 32;

/** Whether an option makes a monitor, which needs its character device. */
export function isMonitorObject({ argument, parsed }: GivenOption): boolean {
  const type = parsed.values.get("qom-type");
  return argument === "object" && Object.values(MONITOR_TYPES).some((name) => name === type);
}

/** Order of creation (QEMU: softmmu/vl.c): objects, what monitors talk through, monitors, -blockdev, -drive, devices given as text, devices given as JSON. */
const STAGES: readonly (((option: GivenOption) => boolean) | "monitors")[] = [
  (option) => option.argument === "object" && !isMonitorObject(option),
  "monitors",
  isMonitorObject,
  ({ argument }) => argument === "blockdev",
  ({ argument }) => argument === "drive",
  ({ argument, parsed }) => argument === "device" && parsed.form === "text",
  ({ argument, parsed }) => argument === "device" && parsed.form === "json",
];

/**
 * Refuses what the command line alone shows to be wrong: unknown names, wrong kinds and formats of values, missing options.
 * @throws QomError whose message begins with the option that is wrong
 */
export async function checkOptions(
  options: readonly GivenOption[],
  parts: Pick<MachineParts, "tree" | "graph" | "devices">,
): Promise<void> {
  for (const stage of STAGES) {
    if (stage === "monitors") continue;
    for (const [index, option] of options.filter(stage).entries()) {
      await around(option, () => check(option, parts));
      await sliceEnd(index, OPTIONS_SLICE_LENGTH);
    }
  }
}

async function check(
  { argument, parsed }: GivenOption,
  { tree, graph, devices }: Pick<MachineParts, "tree" | "graph" | "devices">,
): Promise<void> {
  switch (argument) {
    case "object":
      return checkObject(tree, parsed);
    case "blockdev":
      return graph.check(parsed.values, parsed.form);
    case "drive":
      return checkDrive(graph, parsed.values);
    case "device":
      return devices.check(parsed.values, parsed.form);
  }
}

/** Does something for an option; an error tells which one. */
async function around({ argument, text }: GivenOption, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw atOption(argument, text, error);
  }
}

/**
 * Makes everything, one after the other. What was made before a failure stays for the caller to close.
 * @throws QomError whose message begins with the option that failed; the reason of the signal
 */
export async function buildMachine(options: readonly GivenOption[], parts: MachineParts): Promise<void> {
  parts.signal?.throwIfAborted();
  for (const stage of STAGES) {
    if (stage === "monitors") {
      await parts.openMonitors();
      continue;
    }
    for (const [index, option] of options.filter(stage).entries()) {
      await around(option, () => make(option, parts));
      await sliceEnd(index, OPTIONS_SLICE_LENGTH);
      parts.signal?.throwIfAborted();
    }
  }
  parts.warnings.push(...unusedStores(parts.tree.children(parts.tree.resolve("/objects"))));
}

async function make({ argument, parsed }: GivenOption, parts: MachineParts): Promise<void> {
  switch (argument) {
    case "object":
      await addObject(parts.tree, parsed);
      return;
    case "blockdev":
      await parts.graph.open(parsed.values, parsed.form);
      return;
    case "drive":
      return addDrive(parts.graph, parsed.values);
    case "device":
      await parts.devices.create(parsed.values, parsed.form);
  }
}
