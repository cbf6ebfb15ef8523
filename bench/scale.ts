/** Machines: what an empty one and one with a disk cost, and how long those with many nodes keep everything else from running. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "qom-pr";
import { baseLibrary, NO_BASE } from "./base.js";
import type { Figure } from "./main.js";
import { cpuNanosecondsEach, inTurn, longestStallMs, ratios, spread } from "./measure.js";

type Makes = { readonly Machine: Pick<typeof Machine, "create"> };

const ROUNDS = 21;
const COUNT = 40;
const WITH_A_DISK: readonly string[] = [
  ...["-device", "virtio-scsi", "-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001"],
  ...["-device", "scsi-block,drive=hd"],
];

function createAndClose(library: Makes, argv: readonly string[]): () => Promise<number> {
  return () => cpuNanosecondsEach(COUNT, async () => (await library.Machine.create(argv)).close());
}

async function creation(base: Makes | null): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [what, argv] of [
    ["Machine.create and close", []],
    ["the same with a host adapter and a disk", WITH_A_DISK],
  ] as const) {
    const contenders = [createAndClose({ Machine }, argv), ...(base === null ? [] : [createAndClose(base, argv)])];
    const [now = [], before] = await inTurn(ROUNDS, contenders);
    figures.push({ what, unit: "ns", value: spread(now), aim: "" });
    if (before === undefined) figures.push({ what: "the same / in QOM_PR_BASE", unit: "ratio", aim: NO_BASE });
    else figures.push({ what: "the same / in QOM_PR_BASE", unit: "ratio", value: spread(ratios(now, before)), aim: "<= 0.6 (median)" });
  }
  return figures;
}

const NODES = 10_000;
const STALL_ROUNDS = 3;
const STALL_AIM = "<= 50";

function manyNodes(option: (index: number, wwn: string) => readonly [string, string]): readonly string[] {
  return Array.from({ length: NODES }, (_, index) => option(index, `naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`)).flat();
}

const BLOCKDEVS = manyNodes((index, wwn) => ["-blockdev", `node-name=n${index},driver=sim-lun,wwn=${wwn}`]);
const DRIVES = manyNodes((index, wwn) => ["-drive", `id=d${index},if=none,driver=sim-lun,wwn=${wwn}`]);

/** Asks over a QMP socket, and reads the whole answer. */
async function ask(path: string, command: string): Promise<void> {
  const socket = connect(path).setEncoding("utf8");
  let lines = 0;
  socket.on("data", (text: string) => (lines += text.split("\r\n").length - 1));
  socket.write(`{"execute":"qmp_capabilities"}{"execute":"${command}"}`);
  // The greeting, and two answers.
  while (lines < 3) await once(socket, "data");
  socket.destroy();
}

/** Stalls of one library: making the machine, the two queries, ending it. */
async function stallsOf(library: Makes, socket: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const measure = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    let result: T | undefined;
    found.set(what, await longestStallMs(async () => void (result = await action())));
    return result as T; // the action has ended
  };
  for (const [argv, option, query] of [
    [BLOCKDEVS, "-blockdev", "query-named-block-nodes"],
    [DRIVES, "-drive", "query-block"],
  ] as const) {
    const machine = await measure(`making a machine of ${NODES} ${option}`, () =>
      library.Machine.create([...argv, "-qmp", `unix:${socket},server=on,wait=off`]),
    );
    await measure(`${query} of ${NODES} nodes`, () => ask(socket, query));
    await measure(`${query} of ${NODES} nodes, by Machine.qmp`, () => machine.qmp.execute(query));
    await measure(`closing a machine of ${NODES} ${option}`, () => machine.close());
  }
  return found;
}

async function stalls(base: Makes | null): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "qom-pr-bench-"));
  const found = new Map<string, number[]>();
  try {
    for (let round = 0; round < STALL_ROUNDS; round += 1) {
      for (const [suffix, library] of [
        ["", { Machine }],
        [", in QOM_PR_BASE", base],
      ] as const) {
        if (library === null) continue;
        for (const [what, stall] of await stallsOf(library, join(folder, "qmp"))) {
          found.set(what + suffix, [...(found.get(what + suffix) ?? []), stall]);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return [...found].map(([what, values]) => ({
    what: `longest stall: ${what}`,
    unit: "ms",
    value: spread(values),
    aim: what.endsWith("QOM_PR_BASE") ? "" : STALL_AIM,
  }));
}

/** See the file text. */
export async function machines(): Promise<readonly Figure[]> {
  const base = await baseLibrary();
  return [...(await creation(base)), ...(await stalls(base))];
}
