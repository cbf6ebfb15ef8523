/** Asks QEMU: a process per row, or a few where what it made is not guessed, their QMP monitor on stdin and stdout. */
import { spawnSync } from "node:child_process";
import type { SpawnSyncReturns } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { READ_BACK, sorted } from "./result.js";
import type { Family, Read, Result } from "./result.js";
import type { Row, Way } from "./rows.js";

const PROGRAMS = { system: "qemu-system-x86_64", daemon: "qemu-storage-daemon" } as const;

/** The packages of Debian and Ubuntu that have both. */
export const PACKAGES = "qemu-system-x86 qemu-system-common";

/** Longer than any of these takes by far; a row that makes QEMU wait is a mistake in the table. */
const TIMEOUT_MS = 20_000;

/** Arguments before the text. Devices need a machine with a bus; everything else needs none. */
function command(way: Way): readonly [string, readonly string[]] {
  if (way === "keyval-object") return [PROGRAMS.daemon, ["--chardev", "stdio,id=c", "--monitor", "c"]];
  const machine = way === "device" ? "q35,accel=tcg" : "none,accel=tcg";
  return [PROGRAMS.system, ["-M", machine, "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"]];
}

/** Whether both programs are there. */
export function isInstalled(): boolean {
  return Object.values(PROGRAMS).every((program) => spawnSync(program, ["--version"]).status === 0);
}

/** What the errors of QEMU say, in words that have not changed for years, as families. The first that fits counts. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/Parameter '(qom-type|driver)' does not accept|Unknown driver|not a valid device model|non-abstract/, "type"],
  [/ missing$|must be specified for the root|Must specify either/, "missing"],
  [/expects an identifier|Invalid node-name|Invalid qdev ID/, "bad-id"],
  [/[Dd]uplicate (device )?ID|duplicate property|[Dd]uplicate nodes/, "duplicate"],
  [/used inconsistently|Expected '='|JSON parse error|Duplicate key|Help is not available|Expecting at most one JSON/, "syntax"],
  [/ too long$| too long \(/, "limit"],
  [/Cannot find device|No persistent reservation|Bus '.*' not found/, "not-found"],
  [/unexpected$|support the option|Property '.*' not found/, "unknown-name"],
  [
    /expects|must be a positive|property .* must be|does not accept value|must be in range|Invalid parameter type|can't be 0|must be non-negative|unsupported bus type|doesn't (accept|take value)|parameter must be positive/,
    "invalid-value",
  ],
  [/Cannot specify both|Can't specify .* at the same time/, "conflict"],
  [/Could not open/, "io"],
];

/** QemuOpts knows no grammar of keys, so there the same words mean that nobody has such an option. */
const INVALID_PARAMETER: Readonly<Record<Way, Family>> = {
  "keyval-object": "syntax",
  blockdev: "syntax",
  object: "unknown-name",
  drive: "unknown-name",
  device: "unknown-name",
};

function familyOf(way: Way, stderr: string): Family {
  const line = stderr.split("\n").find((candidate) => candidate.startsWith("qemu-") && !/: (warning|info): /.test(candidate));
  if (line === undefined) throw new Error(`QEMU ended without an error: ${stderr}`);
  const found = FAMILIES.find(([pattern]) => pattern.test(line));
  if (found !== undefined) return found[1];
  if (line.includes("Invalid parameter '")) return /is too long/.test(line) ? "limit" : INVALID_PARAMETER[way];
  throw new Error(`no family is known for: ${line}`);
}

/** What QEMU makes of a row. */
export function askQemu(row: Row, file: string): Result {
  const [program, before] = command(row.way);
  const option = row.way === "keyval-object" ? "--object" : `-${row.way}`;
  const argv = [...before, ...row.texts.flatMap((text) => [option, text.replaceAll("FILE", file)])];
  const talk = new Conversation(program, argv, `${file}.commands`);
  const first = talk.begin(likelyQuestions(row));
  if (first === null) return talk.status === 0 ? "help" : { refused: familyOf(row.way, talk.stderr) };
  const warned = talk.stderr.includes("warning: ");
  const made = sorted(row.way === "blockdev" || row.way === "drive" ? nodes(talk, file) : objects(talk, row.way));
  return { accepted: made, ...(warned ? { warned } : {}) };
}

/** A command of QMP. */
interface Question {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const ALL_NODES: Question = { execute: "query-named-block-nodes", arguments: { flat: true } };

function list(path: string): Question {
  return { execute: "qom-list", arguments: { path } };
}

function get(path: string, property: string): Question {
  return { execute: "qom-get", arguments: { path, property } };
}

/** Where the objects are that a way makes. */
function foldersOf(way: Way): readonly string[] {
  return way === "device" ? ["/machine/peripheral", "/machine/peripheral-anon"] : ["/objects"];
}

/** What will be asked of what the row makes, if that has a name and a type which are in the text. */
function likelyQuestions({ way, texts }: Row): readonly Question[] {
  if (way === "blockdev" || way === "drive") return [ALL_NODES];
  const text = texts.join(" ");
  const names = new Set([...text.matchAll(/\bid["']?[=:]["']?([^,"'} ]+)/g)].map(([, name = ""]) => name));
  const properties = Object.entries(READ_BACK).flatMap(([type, each]) => (text.includes(type) ? each : []));
  const [folder = ""] = foldersOf(way);
  return [...foldersOf(way).map(list), ...[...names].flatMap((name) => properties.map((property) => get(`${folder}/${name}`, property)))];
}

interface Node {
  readonly "node-name": string;
  readonly drv: string;
  readonly ro: boolean;
  readonly file: string;
}

function nodes(talk: Conversation, file: string): (readonly [string, Read])[] {
  const [answer] = talk.ask([ALL_NODES]) ?? [];
  return (answer as readonly Node[]).map((node, index) => [
    node["node-name"].startsWith("#") ? `#block ${index}` : node["node-name"],
    { driver: node.drv, "read-only": node.ro, filename: node.file.replace(file, "FILE") },
  ]);
}

interface Listing {
  readonly name: string;
  readonly type: string;
}

/** The type of what QEMU 11.1 makes of the monitor that it is asked through. */
const OWN_MONITOR = "monitor-qmp";

function objects(talk: Conversation, way: Way): (readonly [string, Read])[] {
  const folders = foldersOf(way);
  const lists = talk.ask(folders.map(list)) as readonly (readonly Listing[])[] | null;
  if (lists === null) throw new Error(talk.stderr);
  const found = folders.flatMap((folder, index) => (lists[index] ?? []).map(({ name, type }) => ({ folder, name, type })));
  return found
    .map((object) => ({ ...object, type: /^child<(.*)>$/.exec(object.type)?.[1] }))
    .filter((object): object is typeof object & { type: string } => object.type !== undefined && object.type !== OWN_MONITOR)
    .map(({ folder, name, type }) => {
      const properties = READ_BACK[type] ?? [];
      const values = talk.ask(properties.map((property) => get(`${folder}/${name}`, property))) ?? [];
      return [name, { type, ...sorted(properties.map((property, index) => [property, tidy(values[index])])) }];
    });
}

function tidy(value: unknown): Read {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value === "object" && value !== null) return sorted(Object.entries(value).map(([name, member]) => [name, tidy(member)]));
  return value as Read;
}

/** A line of QEMU's monitor. */
interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** The same command again and again, with questions that were not asked yet: all that are known can be written at once. */
class Conversation {
  readonly #program: string;
  readonly #argv: readonly string[];
  readonly #commands: string;
  /** By the question's text, what QEMU returned. */
  readonly #answers = new Map<string, unknown>();
  status: number | null = null;
  stderr = "";

  /** @param commands path of a file for the questions */
  constructor(program: string, argv: readonly string[], commands: string) {
    this.#commands = commands;
    this.#program = program;
    this.#argv = argv;
  }

  /** Asks what will probably be asked; what QEMU refuses of that was guessed wrong. Null when QEMU did not start. */
  begin(likely: readonly Question[]): true | null {
    const messages = this.#tell(likely);
    if (messages === null) return null;
    for (const [index, { return: answer }] of messages.entries())
      if (answer !== undefined) this.#answers.set(JSON.stringify(likely[index]), answer);
    return true;
  }

  /** The answers to some questions, or null when QEMU did not start. */
  ask(questions: readonly Question[]): readonly unknown[] | null {
    const known = questions.map((question) => this.#answers.get(JSON.stringify(question)));
    if (known.every((answer) => answer !== undefined)) return known;
    const messages = this.#tell(questions);
    const failed = messages?.find((message) => message.error !== undefined);
    if (failed !== undefined) throw new Error(`${this.#argv.join(" ")}: ${failed.error?.desc}`);
    return messages?.map((message) => message.return) ?? null;
  }

  /** QEMU's messages for each of some questions, or null when it did not start. */
  #tell(questions: readonly Question[]): readonly Message[] | null {
    const all = [{ execute: "qmp_capabilities" }, ...questions, { execute: "quit" }];
    const input = all.map((command_) => JSON.stringify(command_)).join("\n");
    const run = this.#run(input);
    this.status = run.status;
    this.stderr = run.stderr === "" ? `${this.#program} ended by ${run.signal ?? run.status}: ${run.stdout}` : run.stderr;
    const lines = run.stdout.split("\n").filter((line) => line.startsWith("{"));
    // It may have greeted before it failed, or before it printed its help.
    if (run.status !== 0 || !run.stdout.includes('"return"')) return null;
    // Integers that a double does not hold become strings of their digits.
    const exact = (line: string): string => line.replaceAll(/([:[] ?)(\d{16,})(?=[,}\]])/g, '$1"$2"');
    const messages = lines.map((line) => JSON.parse(exact(line)) as Message);
    const answers = messages.filter((message) => message.return !== undefined || message.error !== undefined);
    return answers.slice(1, 1 + questions.length);
  }

  /** A file as stdin and not a pipe: whoever ends without reading a pipe makes the writer fail. */
  #run(input: string): SpawnSyncReturns<string> {
    writeFileSync(this.#commands, input);
    const stdin = openSync(this.#commands, "r");
    try {
      const run = spawnSync(this.#program, this.#argv, { stdio: [stdin, "pipe", "pipe"], encoding: "utf8", timeout: TIMEOUT_MS });
      if (run.error !== undefined) throw run.error;
      return run;
    } finally {
      closeSync(stdin);
    }
  }
}
