/**
 * What it takes to start: user and system time of whole processes, each measured in turn with `node -e 0`, and their memory.
 *
 * The package in the folder that QOM_PR_BASE names, such as one built before a change, is measured beside this one.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Machine } from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, ratios, spread } from "./measure.js";

const run = promisify(execFile);

const ROUNDS = 9;

/** Root of this package, seen from build/bench. */
const OWN = fileURLToPath(new URL("../../", import.meta.url));

const USAGE = fileURLToPath(new URL("./child-usage.js", import.meta.url));

/** What one process took. */
export interface Usage {
  /** User and system time together. */
  readonly cpuUs: number;
  /** The most that was in memory at once. */
  readonly rssKib: number;
}

/** One row: the arguments of node, given the package's root. */
interface Start {
  readonly what: string;
  readonly aim: number;
  readonly memoryAimMib?: number;
  readonly words: (root: string) => readonly string[];
}

function library(root: string): string {
  // The manifest of a copy of this package, whose main entry is its default.
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: { ".": { default: string } } };
  return pathToFileURL(join(root, exports["."].default)).href;
}

function starts(folder: string, state: string): readonly Start[] {
  const program = (what: string, aim: number, words: readonly string[], memoryAimMib?: number): Start => ({
    what: `qom-pr ${what}`,
    aim,
    ...(memoryAimMib === undefined ? {} : { memoryAimMib }),
    words: (root) => [join(root, "bin/qom-pr.js"), ...words],
  });
  const memory = ["--object", `scsi-fabric,id=san,state=${state}`, "--manager", "pr-manager-memory,fabric=san"];
  return [
    program("--version", 1.4, ["--version"]),
    program("--help", 1.4, ["--help"]),
    program("persist -k by SG_IO", 1.7, ["persist", "-k", "-n", "/dev/null"], 52),
    program("persist -k by helper", 1.9, [
      "persist",
      "-k",
      "-n",
      "--manager",
      `pr-manager-helper,path=${join(folder, "helper")}`,
      "/dev/null",
    ]),
    program("persist -k by --qmp", 1.9, ["persist", "-k", "-n", "--qmp", join(folder, "qmp"), "disk0"]),
    program("persist -k on a state folder", 2.2, ["persist", "-k", ...memory, join(folder, "disk")], 52),
    {
      what: 'import "qom-pr"',
      aim: 1.8,
      memoryAimMib: 53,
      words: (root) => ["--input-type=module", "-e", `import ${JSON.stringify(library(root))}`],
    },
  ];
}

async function usageOf(words: readonly string[]): Promise<Usage> {
  const { stdout } = await run(process.execPath, [USAGE, process.execPath, ...words]);
  return JSON.parse(stdout) as Usage; // what child-usage.ts prints
}

async function figuresOf(
  { what, aim, memoryAimMib, words }: Start,
  roots: readonly (readonly [string, string])[],
): Promise<readonly Figure[]> {
  const memory = roots.map((): number[] => []);
  const [bare = [], ...times] = await inTurn(ROUNDS, [
    async () => (await usageOf(["-e", "0"])).cpuUs,
    ...roots.map(([, root], index) => async (): Promise<number> => {
      const { cpuUs, rssKib } = await usageOf(words(root));
      memory[index]?.push(rssKib / 1024);
      return cpuUs;
    }),
  ]);
  return roots.flatMap(([name], index): Figure[] => {
    const own = index === 0;
    const time = { what: `${what}${name} / node -e 0`, unit: "ratio", value: spread(ratios(times[index] ?? [], bare)) };
    const rows: Figure[] = [{ ...time, aim: own ? `<= ${aim} (median)` : "" }];
    if (memoryAimMib === undefined) return rows;
    return [
      ...rows,
      { what: `${what}${name}, memory`, unit: "MiB", value: spread(memory[index] ?? []), aim: own ? `<= ${memoryAimMib}` : "" },
    ];
  });
}

/**
 * What the others are ratios of. With NODE_EXTRA_CA_CERTS, Node 20 and 22 read those certificates at every start: that may take longer than
 * all the rest of `node -e 0`, and so the ratios are smaller by half or more.
 */
async function bareNode(): Promise<Figure> {
  const [times = []] = await inTurn(ROUNDS, [async () => (await usageOf(["-e", "0"])).cpuUs / 1000]);
  const certificates = process.env["NODE_EXTRA_CA_CERTS"] === undefined ? "without" : "with";
  return { what: `node -e 0, ${certificates} NODE_EXTRA_CA_CERTS`, unit: "ms", value: spread(times), aim: "" };
}

/** A helper of this package that serves `socket`. */
async function startHelper(socket: string): Promise<() => void> {
  const helper = spawn(process.execPath, [join(OWN, "bin/qom-pr-helper.js"), "-k", socket], { stdio: "ignore" });
  const ended = new Promise<never>((_, reject) => helper.once("exit", () => reject(new Error("the helper ended"))));
  ended.catch(() => undefined);
  while (!existsSync(socket)) await Promise.race([ended, new Promise(setImmediate)]);
  return () => void helper.kill();
}

/** See the module text. */
export async function startUp(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "qom-pr-bench-"));
  const base = process.env["QOM_PR_BASE"];
  const roots = [["", OWN] as const, ...(base === undefined ? [] : [[" (base)", base] as const])];
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0", "-qmp", `unix:${join(folder, "qmp")},server=on,wait=off`],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  await writeFile(join(folder, "disk"), "");
  const stopHelper = await startHelper(join(folder, "helper"));
  try {
    const figures: Figure[] = [await bareNode()];
    for (const start of starts(folder, join(folder, "state"))) figures.push(...(await figuresOf(start, roots)));
    return figures;
  } finally {
    stopHelper();
    await machine.close();
    await rm(folder, { recursive: true });
  }
}
