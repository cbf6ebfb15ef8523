/** What a change costs that is saved, with as many registrants as no cluster has: for how long the event loop does nothing else. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fabric, PersistentReserveOut, TransportId } from "qom-pr";
import type { LogicalUnit, Nexus } from "qom-pr";
import { baseLibrary } from "./base.js";
import type { Figure } from "./main.js";
import { inTurn, ratios, spread } from "./measure.js";

const ROUNDS = 5;
const REGISTRANTS = 100_000;
const WWN = "naa.5000000000000001";
const NANOSECONDS_PER_MS = 1e6;

type ReserveOut = Parameters<typeof PersistentReserveOut.encode>[0];

/** What a build has. */
interface Build {
  readonly Fabric: Pick<typeof Fabric, "open">;
  readonly TransportId: Pick<typeof TransportId, "parse">;
}

interface Subject {
  readonly unit: LogicalUnit;
  /** The nexus of that number; a build takes only its own. */
  readonly nexusOf: (index: number) => Nexus;
  readonly close: () => Promise<void>;
}

async function send(unit: LogicalUnit, nexus: Nexus, request: ReserveOut): Promise<number> {
  return (await unit.execute(nexus, PersistentReserveOut.encode(request))).status;
}

/** A disk in a folder of its own, with that many registrants; what is saved of it comes with the first command that is measured. */
async function subject(build: Build, stateDir: string): Promise<Subject> {
  const fabric = await build.Fabric.open({ stateDir });
  const nexusOf = (index: number): Nexus => {
    const initiator = build.TransportId.parse(`naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`);
    return { initiator, targetPort: 1 };
  };
  const unit = await fabric.attach({ wwn: WWN });
  for (let index = 1; index <= REGISTRANTS; index += 1)
    await send(unit, nexusOf(index), { action: "register", serviceActionKey: BigInt(index) });
  return { unit, nexusOf, close: () => fabric.close() };
}

/** Milliseconds of the longest time between two turns of the event loop until `action` has ended. */
async function longestStallMs(action: () => Promise<unknown>): Promise<number> {
  let [longest, last, running] = [0n, process.hrtime.bigint(), true];
  const tick = (): void => {
    const now = process.hrtime.bigint();
    if (now - last > longest) longest = now - last;
    last = now;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  await action();
  running = false;
  tick();
  return Number(longest) / NANOSECONDS_PER_MS;
}

/** What is measured: commands in turn, each with the status that it ends with. */
const [HOLDER, OTHER, GUEST] = [1, 2, REGISTRANTS + 1] as const;
const [GOOD, CONFLICT, GUEST_KEY, TYPE] = [0x00, 0x18, 0xffff_ffffn, 1] as const;
type Expected = readonly [nexus: number, request: ReserveOut, status: number];
const COMMANDS: readonly (readonly [what: string, commands: readonly Expected[]])[] = [
  ["REGISTER", [[HOLDER, { action: "register", key: 1n, serviceActionKey: 1n, aptpl: true }, GOOD]]],
  [
    "RESERVE and RELEASE",
    [
      [HOLDER, { action: "reserve", key: 1n, type: TYPE }, GOOD],
      [HOLDER, { action: "release", key: 1n, type: TYPE }, GOOD],
    ],
  ],
  [
    "REGISTER of a newcomer, who then leaves",
    [
      [GUEST, { action: "register-and-ignore-existing-key", serviceActionKey: GUEST_KEY, aptpl: true }, GOOD],
      [GUEST, { action: "register", key: GUEST_KEY, serviceActionKey: 0n, aptpl: true }, GOOD],
    ],
  ],
  ["a RESERVE that is refused", [[OTHER, { action: "reserve", key: GUEST_KEY, type: TYPE }, CONFLICT]]],
];

/** The longest stall of the event loop by a PR OUT under APTPL with {@link REGISTRANTS} registrants, and how that was before. */
export async function saving(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "qom-pr-bench-"));
  const base = await baseLibrary();
  const subjects = [
    await subject({ Fabric, TransportId }, join(folder, "now")),
    ...(base === null ? [] : [await subject(base, join(folder, "base"))]),
  ];
  const figures: Figure[] = [];
  for (const [what, commands] of COMMANDS) {
    const measure =
      ({ unit, nexusOf }: Subject) =>
      (): Promise<number> =>
        longestStallMs(async () => {
          for (const [nexus, request, expected] of commands) {
            const status = await send(unit, nexusOf(nexus), request);
            if (status !== expected) throw new Error(`${what} ended with status ${status}`);
          }
        });
    const [now = [], before] = await inTurn(ROUNDS, subjects.map(measure));
    const title = `${what} under APTPL, ${REGISTRANTS} registrants: longest stall`;
    figures.push({ what: title, unit: "ms", value: spread(now), aim: "<= 50 (median)" });
    if (before === undefined) continue;
    figures.push({ what: "… the older build", unit: "ms", value: spread(before), aim: "" });
    figures.push({ what: "… this build / the older one", unit: "ratio", value: spread(ratios(now, before)), aim: "" });
  }
  for (const { close } of subjects) await close();
  rmSync(folder, { recursive: true });
  return figures;
}
