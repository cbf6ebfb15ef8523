/** What a change costs that is saved, with as many registrants as no cluster has: for how long the event loop does nothing else. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fabric, PersistentReserveOut, TransportId } from "qom-pr";
import type { LogicalUnit, Nexus } from "qom-pr";
import { baseLibrary } from "./base.js";
import type { Figure } from "./main.js";
import { inTurn, longestStallMs, ratios, spread } from "./measure.js";

const ROUNDS = 5;
/** Where everybody registers anew for each of them, which takes far longer than what is measured. */
const ROUNDS_ANEW = 3;
const REGISTRANTS = 100_000;
const WWN = "naa.5000000000000001";

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
  const made = { unit: await fabric.attach({ wwn: WWN }), nexusOf, close: () => fabric.close() };
  await registerAll(made);
  return made;
}

/** What is measured: commands in turn, each with the status that it ends with. */
const [HOLDER, OTHER, GUEST] = [1, 2, REGISTRANTS + 1] as const;
const [GOOD, CONFLICT, GUEST_KEY, TYPE, ALL_REGISTRANTS] = [0x00, 0x18, 0xffff_ffffn, 1, 7] as const;
type Expected = readonly [nexus: number, request: ReserveOut, status: number];
interface Measured {
  readonly what: string;
  readonly commands: readonly Expected[];
  /** Everybody registers anew before each round, and then these are sent. */
  readonly before?: readonly Expected[];
}

const PERSISTENT: Expected = [HOLDER, { action: "register", key: 1n, serviceActionKey: 1n, aptpl: true }, GOOD];
const COMMANDS: readonly Measured[] = [
  { what: "REGISTER", commands: [PERSISTENT] },
  {
    what: "RESERVE and RELEASE",
    commands: [
      [HOLDER, { action: "reserve", key: 1n, type: TYPE }, GOOD],
      [HOLDER, { action: "release", key: 1n, type: TYPE }, GOOD],
    ],
  },
  {
    what: "REGISTER of a newcomer, who then leaves",
    commands: [
      [GUEST, { action: "register-and-ignore-existing-key", serviceActionKey: GUEST_KEY, aptpl: true }, GOOD],
      [GUEST, { action: "register", key: GUEST_KEY, serviceActionKey: 0n, aptpl: true }, GOOD],
    ],
  },
  { what: "a RESERVE that is refused", commands: [[OTHER, { action: "reserve", key: GUEST_KEY, type: TYPE }, CONFLICT]] },
  {
    what: "PREEMPT AND ABORT of all",
    before: [[HOLDER, { action: "reserve", key: 1n, type: ALL_REGISTRANTS }, GOOD], PERSISTENT],
    commands: [[HOLDER, { action: "preempt-and-abort", key: 1n, serviceActionKey: 0n, type: ALL_REGISTRANTS }, GOOD]],
  },
  { what: "CLEAR of all", before: [PERSISTENT], commands: [[HOLDER, { action: "clear", key: 1n }, GOOD]] },
];

async function sendAll({ unit, nexusOf }: Subject, commands: readonly Expected[]): Promise<void> {
  for (const [nexus, request, expected] of commands) {
    const status = await send(unit, nexusOf(nexus), request);
    if (status !== expected) throw new Error(`${request.action} ended with status ${status}`);
  }
}

/** Everybody registers, and hears of what was before; nothing of that is saved. */
async function registerAll({ unit, nexusOf }: Subject): Promise<void> {
  for (let index = 1; index <= REGISTRANTS; index += 1) {
    const request = { action: "register-and-ignore-existing-key", serviceActionKey: BigInt(index) } as const;
    const status = await send(unit, nexusOf(index), request);
    // a unit attention is told once
    if (status !== GOOD) await send(unit, nexusOf(index), request);
  }
}

/** The longest stall of the event loop by a PR OUT under APTPL with {@link REGISTRANTS} registrants, and how that was before. */
export async function saving(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "qom-pr-bench-"));
  const base = await baseLibrary();
  const subjects = [
    await subject({ Fabric, TransportId }, join(folder, "now")),
    ...(base === null ? [] : [await subject(base, join(folder, "base"))]),
  ];
  const figures: Figure[] = [];
  for (const { what, commands, before: preparation } of COMMANDS) {
    const measure = (on: Subject) => async (): Promise<number> => {
      if (preparation !== undefined) {
        await registerAll(on);
        await sendAll(on, preparation);
      }
      return longestStallMs(() => sendAll(on, commands));
    };
    const [now = [], before] = await inTurn(preparation === undefined ? ROUNDS : ROUNDS_ANEW, subjects.map(measure));
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
