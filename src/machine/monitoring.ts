/** The options of a command line that say which monitors there are. */
import { QomError } from "../base/errors.js";
import { parseChardev, parseMon, parseMonitorDevice } from "../chardev/spec.js";
import type { ChardevSpec, MonitorSpec } from "../chardev/spec.js";
import { checkMonitorOptions } from "../monitor/monitors.js";
import type { ChardevUser, MonitorOptions, NamedMonitor } from "../monitor/monitors.js";
import { MONITOR_TYPES } from "../monitor/monitor-objects.js";
import type { PlainValue } from "../options/value.js";
import type { CompositionTree } from "../qom/tree.js";
import { atText } from "../options/option-error.js";

/** Their names. */
export const MONITORING = ["chardev", "mon", "monitor", "qmp", "qmp-pretty"] as const;

/** One of them. */
export type MonitoringArgument = (typeof MONITORING)[number];

/** One of them with its text, which is not looked at yet. */
export interface GivenMonitoring {
  readonly argument: MonitoringArgument;
  readonly text: string;
}

/** What they say. */
export interface Monitoring {
  readonly monitoring: MonitorOptions;
  /** The error of opening a character device, or of making a monitor, with the option that asked for it in its message. */
  readonly blame: (subject: ChardevSpec | NamedMonitor, error: unknown) => unknown;
}

/** What QEMU calls a monitor that has no name, and the character device that it alone has, with a number behind it. */
const UNNAMED = "compat_monitor";

/**
 * @param objects monitors that are objects
 * @throws QomError for what is wrong with an option, or with one beside another
 */
export function monitoringOf(given: readonly GivenMonitoring[], objects: readonly ChardevUser[]): Monitoring {
  const parsed: ParsedMonitoring = { chardevs: new Map(), monitors: [], sources: new Map() };
  for (const option of given) inOption(option, () => addMonitoring(parsed, option));
  const { sources, chardevs } = parsed;
  const monitors = nameMonitors(parsed);
  const blame = (subject: ChardevSpec | NamedMonitor, error: unknown): unknown => {
    const source = sources.get(subject);
    return source === undefined ? error : atText(source.argument, source.text, error);
  };
  const monitoring = { chardevs, monitors };
  checkMonitorOptions(monitoring, [
    ...monitors.map((monitor) => ({ chardev: monitor.chardev, blame: (error: unknown) => blame(monitor, error) })),
    ...objects,
  ]);
  return { monitoring, blame };
}

/** Makes the monitors: each is an object, whatever option asks for it. @throws QomError with that option in its message */
export async function addMonitors(tree: CompositionTree, { monitoring, blame }: Monitoring): Promise<void> {
  for (const monitor of monitoring.monitors) {
    const { id, chardev, mode, pretty } = monitor;
    const values = new Map<string, PlainValue>([["chardev", chardev], ...(pretty ? [["pretty", true] as const] : [])]);
    try {
      await tree.add(MONITOR_TYPES[mode], id, values);
    } catch (error) {
      throw blame(monitor, error);
    }
  }
}

function inOption<T>({ argument, text }: GivenMonitoring, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw atText(argument, text, error);
  }
}

/** Options, understood. */
interface ParsedMonitoring {
  readonly chardevs: Map<string, ChardevSpec>;
  readonly monitors: { readonly spec: MonitorSpec; readonly source: GivenMonitoring }[];
  readonly sources: Map<ChardevSpec | NamedMonitor, GivenMonitoring>;
}

/** The monitors with their names; a device that a monitor alone has is called as the monitor is. */
function nameMonitors({ chardevs, monitors, sources }: ParsedMonitoring): readonly NamedMonitor[] {
  let unnamed = 0;
  const nextName = (): string => `${UNNAMED}${unnamed++}`;
  // QEMU counts those with a device of their own first.
  const own = new Map(monitors.flatMap(({ spec }) => (typeof spec.chardev === "string" ? [] : [[spec, nextName()] as const])));
  return monitors.map(({ spec, source }) => {
    const id = own.get(spec) ?? spec.id ?? nextName();
    const { chardev, mode, pretty } = spec;
    const named = { id, chardev: typeof chardev === "string" ? chardev : id, mode, pretty };
    sources.set(named, source);
    if (typeof chardev !== "string") inOption(source, () => addChardev(chardevs, id, chardev));
    return named;
  });
}

function addChardev(chardevs: Map<string, ChardevSpec>, id: string, spec: ChardevSpec): void {
  if (chardevs.has(id))
    throw new QomError("duplicate", `a character device '${id}' exists already`, { context: { option: "id", value: id } });
  chardevs.set(id, spec);
}

/** Takes note of the option, and of the character device and the monitor that it asks for. */
function addMonitoring({ chardevs, monitors, sources }: ParsedMonitoring, source: GivenMonitoring): void {
  const { argument, text } = source;
  if (argument === "mon") {
    monitors.push({ spec: parseMon(text), source });
    return;
  }
  if (argument === "chardev") {
    const { id, spec } = parseChardev(text);
    addChardev(chardevs, id, spec);
    sources.set(spec, source);
    return;
  }
  // QEMU has a human monitor unless told otherwise; a machine here has none by default.
  if (argument === "monitor" && text === "none") return;
  const chardev = parseMonitorDevice(text);
  if (typeof chardev !== "string") sources.set(chardev, source);
  monitors.push({ spec: { chardev, mode: argument === "monitor" ? "readline" : "control", pretty: argument === "qmp-pretty" }, source });
}
