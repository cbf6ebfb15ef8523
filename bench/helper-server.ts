/** The helper's side: the same C client in turn on qemu-pr-helper and on qom-pr-helper, and what an idle helper costs. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { HelperProcess, OUR_PROGRAM } from "../test/helper/support/helper-process.js";
import { compileClient, residentMemory, voluntarySwitches } from "../test/faults/helper-support.js";
import { findPrHelper } from "../test/support/pr-helper.js";
import { underLoad } from "./load.js";
import type { Figure } from "./main.js";
import { inTurn, ratios, spread } from "./measure.js";

const run = promisify(execFile);
/** Many short ones: on a machine that does something else as well, a round is either disturbed or not. */
const ROUNDS = 41;
/** Answers like a disk without SG_IO, to both: a regular file is none to ours, which saves itself the call. */
const DEVICE = "/dev/null";
/** By number of clients: how many commands each of them sends in a round. */
const COUNTS: ReadonlyMap<number, number> = new Map([
  [1, 500],
  [4, 250],
  [64, 40],
]);
/** Processes that compute for each processor, and with how many clients and rounds is measured beside them: these take longer. */
const LOAD = { perProcessor: 10, clients: 64, rounds: 15 } as const;
const IDLE_MS = 5000;
/** V8 tidies up once more some 40 s after a start, and then never. */
const SETTLING_MS = 60_000;
/** Commands before the first round: the compiler takes its time. */
const WARM_UP_COUNT = 20_000;

/** See the module text. */
export async function helperServer(): Promise<readonly Figure[]> {
  const what = "helper, qom-pr-helper / qemu-pr-helper";
  const theirProgram = findPrHelper();
  const folder = await mkdtemp(join(tmpdir(), "qom-pr-bench-"));
  const client = join(folder, "client");
  const helpers: HelperProcess[] = [];
  // The helpers of the tests do not keep a process alive, not even one that waits for their end.
  const alive = setInterval(() => undefined, 1000);
  try {
    compileClient(client);
    if (theirProgram === null) throw new Error("there is no qemu-pr-helper");
    const start = async (program: string, name: string): Promise<HelperProcess> => {
      const helper = await HelperProcess.listening(program, join(folder, name), ["-q"]);
      helpers.push(helper);
      return helper;
    };
    const ours = await start(OUR_PROGRAM, "ours");
    const idle = await idleFigures(ours.pid);
    await start(theirProgram, "theirs");
    for (const name of ["ours", "theirs"]) await run(client, [join(folder, name), DEVICE, `${WARM_UP_COUNT}`]);
    const figures: Figure[] = [];
    const compare = async (crowd: string, clients: number, rounds: number, aim: string): Promise<void> => {
      const count = COUNTS.get(clients) ?? 0;
      const on = (name: string) => async (): Promise<number> =>
        Number((await run(client, [join(folder, name), DEVICE, `${count}`, `${clients}`])).stdout) / count / 1000;
      const [own = [], their = []] = await inTurn(rounds, [on("ours"), on("theirs")]);
      figures.push({ what: `qom-pr-helper, ${crowd}`, unit: "µs", value: spread(own), aim: "" });
      figures.push({ what: `qemu-pr-helper, ${crowd}`, unit: "µs", value: spread(their), aim: "" });
      figures.push({ what: `${what}, ${crowd}`, unit: "ratio", value: spread(ratios(own, their)), aim });
    };
    for (const clients of COUNTS.keys()) await compare(`${clients} client${clients === 1 ? "" : "s"}`, clients, ROUNDS, "<= 0.9 (median)");
    const loaded = `${LOAD.clients} clients at a load of ${LOAD.perProcessor} per processor`;
    await underLoad(LOAD.perProcessor, () => compare(loaded, LOAD.clients, LOAD.rounds, "<= 1.0 (median)"));
    return [...figures, ...idle];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ what, unit: "ratio", aim: `not measured (needs qemu-system-common, gcc, libc6-dev): ${reason}` }];
  } finally {
    for (const helper of helpers) await helper.stop();
    clearInterval(alive);
    await rm(folder, { recursive: true });
  }
}

/** What a helper that has nothing to do takes: memory, and how often its threads wake up. */
async function idleFigures(pid: number): Promise<readonly Figure[]> {
  await pause(SETTLING_MS);
  const before = voluntarySwitches(pid);
  await pause(IDLE_MS);
  const wakeUps = (voluntarySwitches(pid) - before) / (IDLE_MS / 1000);
  return [
    { what: "qom-pr-helper, idle: memory", unit: "MB", value: spread([(residentMemory(pid) * 1024) / 1e6]), aim: "<= 68" },
    { what: "qom-pr-helper, idle: wake-ups per second", unit: "", value: spread([wakeUps]), aim: "0" },
  ];
}
