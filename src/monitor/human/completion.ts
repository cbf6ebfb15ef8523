/** What Tab offers: commands, and for each kind of argument the names that fit. */
import { QomError } from "../../base/errors.js";
import { BLOCK_NODE_TYPE } from "../../block/node.js";
import { splitWords } from "./command.js";
import { MONITOR_TYPES } from "../monitor-objects.js";
import type { CompletionKind, HumanArgument, HumanContext } from "./command.js";
import { recordsOf, textOf } from "./values.js";
import type { QmpRecord } from "./values.js";

/** Candidates that begin with what has been typed, and the part of the line that each of them would take the place of. */
export type Completions = readonly [candidates: string[], typed: string];

/** The candidates for the last word of a line. Never fails: what cannot be asked offers nothing. */
export async function complete(line: string, context: HumanContext): Promise<Completions> {
  const words = splitWords(line);
  const typed = line === "" || /\s$/.test(line) ? "" : (words.at(-1)?.text ?? "");
  const before = words.slice(0, typed === "" ? words.length : -1).map(({ text }) => text);
  let candidates: readonly string[];
  try {
    candidates = await candidatesFor(before, typed, context);
  } catch (error) {
    if (!(error instanceof QomError)) throw error;
    candidates = [];
  }
  const fitting = [...new Set(candidates)].filter((candidate) => candidate.startsWith(typed)).toSorted();
  // A single candidate is complete, unless more may follow it without a blank.
  const [only] = fitting;
  return fitting.length === 1 && only !== undefined && !/[/,=]$/.test(only) ? [[`${only} `], typed] : [fitting, typed];
}

async function candidatesFor(before: readonly string[], typed: string, context: HumanContext): Promise<readonly string[]> {
  const { commands } = context;
  const started = before.join(" ");
  // The next word of names that begin with what is there: all commands, or what follows `info`.
  const nextWords = commands
    .filter(({ name }) => before.length === 0 || name.startsWith(`${started} `))
    .map(({ name }) => name.split(" ")[before.length] ?? "");
  if (nextWords.length > 0) return nextWords;
  // Of `info` and `info block` the longer one is meant.
  const [command] = commands
    .filter(({ name, alias }) => [name, alias].some((each) => each !== undefined && `${started} `.startsWith(`${each} `)))
    .toSorted((one, other) => other.name.length - one.name.length);
  if (command === undefined) return [];
  const given = before.slice(command.name.split(" ").length);
  const flags = command.arguments.filter(({ flag }) => flag !== undefined);
  const places = command.arguments.filter(({ flag }) => flag === undefined);
  const plain = given.filter((word) => !flags.some(({ flag }) => flag === word));
  const argument: HumanArgument | undefined = places[plain.length];
  const offered = argument?.completes === undefined ? [] : await CANDIDATES[argument.completes](context, typed, plain.at(-1) ?? "");
  return [...offered, ...(typed.startsWith("-") ? flags.map(({ flag }) => flag ?? "") : [])];
}

type Candidates = (context: HumanContext, typed: string, previous: string) => Promise<readonly string[]>;

const CANDIDATES: Readonly<Record<CompletionKind, Candidates>> = {
  command: ({ commands }) => Promise.resolve(commands.map(({ name }) => name)),
  "object-type": (context, typed) => typeAndOptions(context, typed, "user-creatable"),
  // a monitor for people stays
  "object-id": async (context) =>
    (await list(context, "/objects"))
      .filter((entry) => isChild(entry) && textOf(entry, "type") !== `child<${MONITOR_TYPES.readline}>`)
      .map(nameOf),
  "device-type": (context, typed) => typeAndOptions(context, typed, "device"),
  "device-id": (context) => childNames(context, "/machine/peripheral"),
  path: async (context, typed) => {
    const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
    if (folder === "") return ["/"];
    const children = await childNames(context, folder === "/" ? "/" : folder.slice(0, -1));
    const fitting = children.map((name) => `${folder}${name}`).filter((path) => path.startsWith(typed));
    const [only] = fitting;
    if (only === undefined || fitting.length > 1) return fitting;
    // Of what has children the path may go on.
    return (await childNames(context, only)).length > 0 ? [`${only}/`] : fitting;
  },
  property: async (context, _typed, path) => (await list(context, path)).filter((entry) => !isChild(entry)).map(nameOf),
  unit: async ({ executor }) => recordsOf(await executor.execute("x-query-reservations")).map((unit) => textOf(unit, "unit")),
  "node-options": (context, typed) => Promise.resolve(nodeOptions(context, typed)),
  drive: async ({ executor }) => recordsOf(await executor.execute("query-named-block-nodes")).map((node) => textOf(node, "node-name")),
};

/** `TYPE`, with its comma when it is the only one, then `TYPE,NAME=…` for each property of the type. */
async function typeAndOptions({ executor }: HumanContext, typed: string, kind: string): Promise<readonly string[]> {
  const comma = typed.lastIndexOf(",");
  if (comma < 0) {
    const types = recordsOf(await executor.execute("qom-list-types", { implements: kind, abstract: false })).map(nameOf);
    const fitting = types.filter((type) => type.startsWith(typed));
    return fitting.length === 1 ? fitting.map((type) => `${type},`) : fitting;
  }
  const [type = ""] = typed.split(",", 1);
  const properties = recordsOf(await executor.execute("qom-list-properties", { typename: type })).map(nameOf);
  return [...properties.filter((name) => name !== "type"), "id"].map((name) => `${typed.slice(0, comma + 1)}${name}=`);
}

/** The same of a block node, `-drive` included, whose driver is not the first word: `DRIVER,`, or NAME= for the driver that is given. */
function nodeOptions({ host }: HumanContext, typed: string): readonly string[] {
  const comma = typed.lastIndexOf(",");
  const drivers = host.drivers.list({ implements: BLOCK_NODE_TYPE });
  if (comma < 0) return [...drivers.map(({ name }) => `${name},`), "driver=", "if=none,"];
  const words = typed.slice(0, comma).split(",");
  const given = words.flatMap((word, index) => (index === 0 || word.startsWith("driver=") ? [word.replace(/^driver=/, "")] : []));
  const type = drivers.find(({ name }) => given.includes(name));
  const names = [...(type?.properties.values() ?? [])].filter(({ set }) => set !== undefined).map(({ name }) => name);
  return [...names, "driver", "node-name", "id"].map((name) => `${typed.slice(0, comma + 1)}${name}=`);
}

async function list({ executor }: HumanContext, path: string): Promise<readonly QmpRecord[]> {
  return recordsOf(await executor.execute("qom-list", { path }));
}

async function childNames(context: HumanContext, path: string): Promise<readonly string[]> {
  return (await list(context, path)).filter(isChild).map(nameOf);
}

function isChild(entry: QmpRecord): boolean {
  return textOf(entry, "type").startsWith("child<");
}

function nameOf(entry: QmpRecord): string {
  return textOf(entry, "name");
}
