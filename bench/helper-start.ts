/**
 * What starting a helper costs: processor time of all its threads until it says that it listens, and until it greets a client, against
 * `node -e 0`. The same of another build, in turn, when the environment variable BASE names its folder.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OUR_PROGRAM, until } from "../test/helper/support/helper-process.js";
import { greets } from "../test/support/pr-helper.js";
import type { Figure } from "./main.js";
import { inTurn, ratios, spread } from "./measure.js";

const ROUNDS = 15;

/** Places in /proc/PID/stat behind the name, where the state is 0: time of the process, and of its children that have ended, in ticks. */
const OWN = [11, 12] as const;
const OF_CHILDREN = [13, 14] as const;

/** With these, setpriv(1) starts it as the unit for systemd does: there is nothing to shed. For root. */
const AS_UNIT = [
  ...["--clear-groups", "--no-new-privs", "--inh-caps", "-all,+sys_rawio", "--ambient-caps", "-all,+sys_rawio"],
  ...["--bounding-set", "-all,+sys_rawio", "--reuid", "nobody", "--regid", "nogroup"],
];

function ticks(pid: number | "self", places: readonly number[]): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return places.reduce((sum, place) => sum + Number(fields[place]), 0);
}

function bareNode(): Promise<number> {
  const before = ticks("self", OF_CHILDREN);
  spawnSync(process.execPath, ["-e", "0"]);
  return Promise.resolve(ticks("self", OF_CHILDREN) - before);
}

/** Starts the helper, and gives what it took until `when`. */
async function helperStart(program: string, privileges: readonly string[], when: "listens" | "greets"): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "qom-pr-bench-"));
  const socket = join(folder, "socket");
  // As another user it makes no file there: the unit's socket is systemd's, which is not what is measured.
  spawnSync("chmod", ["777", folder]);
  const words = [...privileges, process.execPath, program, "-k", socket];
  const child = spawn("setpriv", words, { stdio: ["ignore", "ignore", "pipe"] });
  try {
    await once(child.stderr, "data");
    if (when === "greets") await until(() => greets(socket));
    return ticks(child.pid ?? 0, OWN);
  } finally {
    const ended = once(child, "close");
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  }
}

/** See the module text. */
export async function helperStarts(): Promise<readonly Figure[]> {
  const base = process.env["QOM_PR_BASE"];
  const builds = [
    { name: "", program: OUR_PROGRAM },
    ...(base === undefined ? [] : [{ name: " of QOM_PR_BASE", program: join(base, "bin/qom-pr-helper.js") }]),
  ];
  const ways = [
    { name: "", privileges: [], aim: "<= 4.0" },
    ...(process.getuid?.() === 0 ? [{ name: ", as the unit for systemd", privileges: AS_UNIT, aim: "<= 2.5" }] : []),
  ];
  const rows = ways.flatMap(({ name: way, privileges, aim }) =>
    (["listens", "greets"] as const).flatMap((when) =>
      builds.map(({ name, program }) => ({
        what: `qom-pr-helper${name} until it ${when}${way} / node -e 0`,
        aim: when === "listens" && name === "" ? aim : "",
        run: () => helperStart(program, privileges, when),
      })),
    ),
  );
  const [bare = [], ...taken] = await inTurn(ROUNDS, [bareNode, ...rows.map(({ run }) => run)]);
  return rows.map(({ what, aim }, index) => ({ what, unit: "ratio", value: spread(ratios(taken[index] ?? [], bare)), aim }));
}
