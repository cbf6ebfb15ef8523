/** The options of a command line that say which monitors there are. */
import { QomError } from "../base/errors.js";
import { parseChardev, parseMon, parseMonitorDevice } from "../chardev/spec.js";
import type { ChardevSpec, MonitorSpec } from "../chardev/spec.js";
import { checkMonitorOptions } from "../monitor/monitors.js";
import type { MonitorOptions } from "../monitor/monitors.js";
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
  /** By character device: the error of opening it, with the option that asked for it in its message. */
  readonly blame: (spec: ChardevSpec, error: unknown) => unknown;
}

/** @throws QomError for what is wrong with an option, or with one beside another */
export function monitoringOf(given: readonly GivenMonitoring[]): Monitoring {
  const chardevs = new Map<string, ChardevSpec>();
  const monitors: MonitorSpec[] = [];
  const sources = new Map<ChardevSpec | MonitorSpec, GivenMonitoring>();
  for (const option of given) {
    const specs = inOption(option, () => addMonitoring({ chardevs, monitors }, option));
    for (const spec of specs) sources.set(spec, option);
  }
  const blame = (spec: ChardevSpec | MonitorSpec, error: unknown): unknown => {
    const source = sources.get(spec);
    return source === undefined ? error : atText(source.argument, source.text, error);
  };
  const monitoring = { chardevs, monitors };
  checkMonitorOptions(monitoring, blame);
  return { monitoring, blame };
}

function inOption<T>({ argument, text }: GivenMonitoring, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw atText(argument, text, error);
  }
}

/** Takes note of the option, and gives the character device and the monitor that it asks for. */
function addMonitoring(
  { chardevs, monitors }: { readonly chardevs: Map<string, ChardevSpec>; readonly monitors: MonitorSpec[] },
  { argument, text }: GivenMonitoring,
): readonly (ChardevSpec | MonitorSpec)[] {
  if (argument === "mon") {
    const monitor = parseMon(text);
    monitors.push(monitor);
    return [monitor];
  }
  if (argument === "chardev") {
    const { id, spec } = parseChardev(text);
    if (chardevs.has(id))
      throw new QomError("duplicate", `a character device '${id}' exists already`, { context: { option: "id", value: id } });
    chardevs.set(id, spec);
    return [spec];
  }
  if (argument !== "monitor" || text !== "none") {
    // QEMU has a human monitor unless told otherwise; a machine here has none by default.
    const chardev = parseMonitorDevice(text);
    const monitor: MonitorSpec = {
      chardev,
      mode: argument === "monitor" ? "readline" : "control",
      pretty: argument === "qmp-pretty",
    };
    monitors.push(monitor);
    return typeof chardev === "string" ? [monitor] : [chardev, monitor];
  }
  return [];
}
