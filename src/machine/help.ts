/** `help` on a command line: `-object help`, `-device TYPE,help`, `-blockdev help`. */
import { QomError } from "../base/errors.js";
import { takeText } from "../options/take.js";
import { typeHelp, typesHelp } from "../qom/help.js";
import type { TypeRegistry } from "../qom/type-registry.js";
import { atOption } from "../options/option-error.js";
import type { ParsedOptions } from "../options/value.js";
import type { GivenOption } from "./arguments.js";
import { BLOCK_NODE_TYPE } from "../block/node.js";
import { DEVICE_TYPE } from "../devices/set/device-set.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import type { TypeRegistries } from "./types.js";

/** Where an option finds its types, and how it names one. */
interface Topic {
  readonly registry: keyof TypeRegistries;
  /** Types that descend from, or implement this. */
  readonly kind: string;
  readonly key: string;
  readonly title: string;
}

/** By option; -drive has no help, as in QEMU. */
const TOPICS: Readonly<Record<Exclude<GivenOption["argument"], "drive">, Topic>> = {
  object: { registry: "objects", kind: USER_CREATABLE.name, key: "qom-type", title: "Types of objects:" },
  device: { registry: "objects", kind: DEVICE_TYPE, key: "driver", title: "Types of devices:" },
  blockdev: { registry: "drivers", kind: BLOCK_NODE_TYPE, key: "driver", title: "Block drivers:" },
};

/** The same for a program that has managers only. */
const MANAGERS: Topic = { registry: "objects", kind: "pr-manager", key: "qom-type", title: "Types of PR managers:" };

/**
 * What `help` as the text of a manager, or `help` after its type, asks for; null for a text that does not ask.
 * @throws QomError `unknown-type`
 */
export function managerHelp({ help, values }: ParsedOptions, registries: TypeRegistries): string | null {
  return help ? topicText(MANAGERS, registries.objects, takeText(new Map(values), MANAGERS.key)) : null;
}

/**
 * The text that the first option which asks for help asks for; null when none does.
 * @throws QomError `unknown-type`
 */
export function helpText(options: readonly GivenOption[], registries: TypeRegistries): string | null {
  const asking = options.find(({ parsed }) => parsed.help);
  if (asking === undefined || asking.argument === "drive") return null;
  const topic = TOPICS[asking.argument];
  try {
    const name = takeText(new Map(asking.parsed.values), topic.key);
    return topicText(topic, registries[topic.registry], name);
  } catch (error) {
    throw atOption(asking.argument, asking.text, error instanceof QomError ? error.within({ option: topic.key }) : error);
  }
}

function topicText(topic: Topic, registry: TypeRegistry, name: string | undefined): string {
  if (name === undefined) return `${topic.title}\n${typesHelp(registry.list({ implements: topic.kind }))}`;
  return typeHelp(registry.get(name));
}
