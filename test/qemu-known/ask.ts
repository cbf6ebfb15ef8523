/** Asks a QEMU what it knows: its help and its schema. */
import { spawnSync } from "node:child_process";
import { DEVICES_LOOKED_AT, DRIVERS_LOOKED_AT, OBJECTS_LOOKED_AT } from "./known.js";
import type { KnownMembers, KnownProgram, KnownType } from "./known.js";

/** Runs the program with arguments; `input` is its standard input. */
export type Ask = (args: readonly string[], input?: string) => { readonly status: number | null; readonly output: string };

/** An {@link Ask} that starts a process. */
export function asking(file: string, before: readonly string[], env: Readonly<Record<string, string>> = {}): Ask {
  return (args, input = "") => {
    const run = spawnSync(file, [...before, ...args], { input, encoding: "utf8", env: { ...process.env, ...env } });
    if (run.error !== undefined) throw run.error;
    return { status: run.status, output: `${run.stdout}\n${run.stderr}` };
  };
}

/** Everything that the record has of one program. */
export function askWhatIsKnown(ask: Ask): KnownProgram {
  const version = /version (\S+)/.exec(ask(["-version"]).output)?.[1];
  if (version === undefined) throw new Error("QEMU does not tell its version");
  const help = ask(["-help"]).output;
  const names = optionNames(help);
  // An option at the end of the line that needs a text is refused before -version is obeyed.
  const takesText = (name: string): boolean => ask(["-version", `-${name}`]).status !== 0;
  const devices = deviceNames(ask(["-device", "help"]).output);
  const known = new Set(devices.map((line) => line.split(" ")[0]));
  const objects = indented(ask(["-object", "help"]).output);
  const schema = new Schema(ask);
  return {
    version,
    options: names.filter(takesText),
    flags: names.filter((name) => !takesText(name)),
    // Its own help leaves out what is in modules.
    chardevs: [...new Set([...indented(ask(["-chardev", "help"]).output), ...chardevsOf(help)])].toSorted(),
    devices,
    objects,
    drivers: schema.variants("blockdev-add"),
    properties: Object.fromEntries(
      DEVICES_LOOKED_AT.filter((name) => known.has(name)).map((name) => [name, helpMembers(ask(["-device", `${name},help`]).output)]),
    ),
    objectProperties: Object.fromEntries(
      OBJECTS_LOOKED_AT.filter((name) => objects.includes(name)).map((name) => [
        name,
        helpMembers(ask(["-object", `${name},help`]).output),
      ]),
    ),
    objectMembers: Object.fromEntries(schema.variants("object-add").map((name) => [name, schema.members("object-add", name)])),
    blockMembers: Object.fromEntries(["", ...DRIVERS_LOOKED_AT].map((name) => [name, schema.members("blockdev-add", name)])),
  };
}

/** Lines of the help that begin with an option; some list two. */
function optionNames(help: string): readonly string[] {
  const first = help.split("\n").flatMap((line) => /^--?\w\S*(?: or -\S+)?/.exec(line)?.[0].split(/ or |(?<!^)\/(?=-)/) ?? []);
  const names = first.map((word) => word.replace(/^--?/, "")).map((name) => name.replace(/,$/, ""));
  return [...new Set(names)].toSorted();
}

function chardevsOf(help: string): readonly string[] {
  return [...help.matchAll(/^-chardev (\w+),/gm)].map(([, name = ""]) => name);
}

function deviceNames(help: string): readonly string[] {
  const lines = [...help.matchAll(/^name "([^"]+)"(.*)$/gm)];
  return lines.map(([, name = "", rest = ""]) => [name, ...[...(/alias "([^"]+)"/.exec(rest)?.slice(1) ?? [])]].join(" ")).toSorted();
}

function indented(help: string): readonly string[] {
  return [...help.matchAll(/^ {2}(\S+)$/gm)].map(([, name = ""]) => name).toSorted();
}

function helpMembers(help: string): KnownMembers {
  return Object.fromEntries([...help.matchAll(/^ {2}(\S+?)=<(.*?)>(?=\s|$)/gm)].map(([, name = "", type = ""]) => [name, type]));
}

interface SchemaMember {
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
}

interface SchemaType {
  readonly name: string;
  readonly "meta-type": string;
  readonly "json-type"?: string;
  readonly "element-type"?: string;
  readonly "arg-type"?: string;
  readonly members?: readonly SchemaMember[];
  readonly tag?: string;
  readonly variants?: readonly { readonly case: string; readonly type: string }[];
}

/** The answer to query-qmp-schema. */
class Schema {
  readonly #types: ReadonlyMap<string, SchemaType>;

  constructor(ask: Ask) {
    const commands = ["qmp_capabilities", "query-qmp-schema", "quit"].map((execute) => JSON.stringify({ execute }));
    const { output } = ask(["-M", "none", "-display", "none", "-nodefaults", "-qmp", "stdio"], commands.join("\n"));
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    const answers = lines.map((line) => JSON.parse(line) as { readonly return?: unknown }); // the protocol of QMP
    const types = answers.map((answer) => answer.return).find((value) => Array.isArray(value)) as readonly SchemaType[]; // what the command gives
    this.#types = new Map(types.map((type) => [type.name, type]));
  }

  /** What the argument of a command that has branches can be. */
  variants(command: string): readonly string[] {
    return (this.#argument(command).variants ?? []).map((variant) => variant.case).toSorted();
  }

  /** Members of one branch; for "" those of all, without the one that chooses. */
  members(command: string, branch: string): KnownMembers {
    const argument = this.#argument(command);
    const variant = argument.variants?.find((each) => each.case === branch);
    if (branch !== "" && variant === undefined) return {};
    const type = variant === undefined ? argument : this.#type(variant.type);
    return this.#members((type.members ?? []).filter(({ name }) => variant !== undefined || name !== argument.tag));
  }

  #members(members: readonly SchemaMember[]): KnownMembers {
    return Object.fromEntries(members.map((member) => [`${member.name}${"default" in member ? "" : "!"}`, this.#kind(member.type)]));
  }

  #kind(name: string): KnownType {
    const type = this.#type(name);
    switch (type["meta-type"]) {
      case "builtin":
        return type["json-type"] === "string" ? "str" : (type["json-type"] ?? name).replace("boolean", "bool");
      case "enum":
        return { enum: (type.members ?? []).map((member) => member.name) };
      case "array":
        return { list: this.#kind(type["element-type"] ?? "") };
      case "alternate":
        return { either: (type.members ?? []).map((member) => this.#kind(member.type)) };
      default:
        // Nodes nest in nodes, without an end.
        return type.tag === undefined ? { members: this.#members(type.members ?? []) } : `tagged by ${type.tag}`;
    }
  }

  #argument(command: string): SchemaType {
    return this.#type(this.#type(command)["arg-type"] ?? "");
  }

  #type(name: string): SchemaType {
    const found = this.#types.get(name);
    if (found === undefined) throw new Error(`the schema has no '${name}'`);
    return found;
  }
}
