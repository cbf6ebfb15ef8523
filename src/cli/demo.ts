/** `qom-pr demo`: two nodes of a cluster, one shared disk, a failover. No privileges, no hardware. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { present } from "../base/assert.js";
import { Machine } from "../machine/machine.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { tracePoint } from "../base/trace.js";
import { displayName, readOptions } from "../options/getopt.js";
import { ScsiStatus } from "../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import { PersistentReserveIn } from "../scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "../scsi/persistent-reserve-out.js";
import { formatSense, parseSense } from "../scsi/sense.js";
import { Fabric } from "../target/fabric/fabric.js";
import type { Output } from "./output.js";
import { helpRows, renderTable, terminalWidth, wantsColour } from "./table.js";
import type { Column, Style, TableLayout } from "./table.js";

/** A command of the demo, before it is run. */
interface Step {
  readonly who: "a" | "b";
  readonly what: string;
  readonly command: ScsiCommand;
  /** What the answer tells a cluster; given the result. */
  readonly means: (result: ScsiResult) => string;
}

/** A command of the demo with its answer; what `--json` prints. */
export interface DemoRow {
  readonly node: string;
  readonly command: string;
  readonly route: "manager" | "device";
  readonly status: string;
  readonly statusCode: number;
  readonly meaning: string;
}

const KEY_A = 0xa1n;
const KEY_B = 0xb2n;
const WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5;
const BLOCK_SIZE_BYTES = 512;
/** Room for the two keys of the demo and a few more. */
const KEYS_ALLOCATION_LENGTH = 256;

/** The arguments of one node of the cluster. */
function demoArguments(node: string): string[] {
  const initiator = `iqn.2026-11.org.example:${node}`;
  return [
    ["-name", node],
    ["-device", "virtio-scsi"],
    ["-object", "pr-manager-memory,id=pr0"],
    [
      "-blockdev",
      `node-name=hd,driver=raw,file.driver=sim-lun,file.wwn=naa.5000000000000001,file.size=64M,file.initiator=${initiator},file.pr-manager=pr0`,
    ],
    ["-device", "scsi-block,drive=hd,id=disk0"],
  ].flat();
}

function write(marker: string): ScsiCommand {
  const cdb = Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
  return { cdb, dataOut: new Uint8Array(BLOCK_SIZE_BYTES).fill(marker.charCodeAt(0)) };
}

function read(): ScsiCommand {
  return { cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0) };
}

function keysMeaning(result: ScsiResult): string {
  const parsed = PersistentReserveIn.parse(0, result.dataIn);
  if (!("keys" in parsed)) return "";
  return `generation ${parsed.generation}, keys ${parsed.keys.map((key) => `0x${key.toString(16)}`).join(" ")}`;
}

const STEPS: readonly Step[] = [
  {
    who: "a",
    what: "REGISTER key 0xa1",
    command: PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY_A }),
    means: () => "a is known to the disk",
  },
  {
    who: "a",
    what: "RESERVE Write Exclusive - Registrants Only",
    command: PersistentReserveOut.encode({ action: "reserve", key: KEY_A, type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY }),
    means: () => "only registered nodes may write now",
  },
  { who: "a", what: "WRITE(10) LBA 0", command: write("a"), means: () => "a owns the disk" },
  { who: "b", what: "READ(10) LBA 0", command: read(), means: () => "everybody may still read" },
  { who: "b", what: "WRITE(10) LBA 0", command: write("b"), means: () => "b is not registered: the disk refuses it" },
  {
    who: "b",
    what: "REGISTER key 0xb2",
    command: PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY_B }),
    means: () => "b is known to the disk",
  },
  {
    who: "b",
    what: "PREEMPT key 0xa1",
    command: PersistentReserveOut.encode({
      action: "preempt",
      key: KEY_B,
      serviceActionKey: KEY_A,
      type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
    }),
    means: () => "b takes over, a is fenced",
  },
  { who: "b", what: "WRITE(10) LBA 0", command: write("b"), means: () => "b owns the disk" },
  { who: "a", what: "WRITE(10) LBA 0", command: write("a"), means: () => "a is refused from now on" },
  {
    who: "a",
    what: "TEST UNIT READY",
    command: { cdb: new Uint8Array(6) },
    means: () => "a learns why: somebody removed its key",
  },
  { who: "b", what: "READ KEYS", command: PersistentReserveIn.readKeys(KEYS_ALLOCATION_LENGTH), means: keysMeaning },
];

const OPTIONS = [
  { long: "json", text: "print the steps as JSON" },
  { short: "h", long: "help", text: "display help for command" },
] as const;

function helpText(): string {
  const rows = OPTIONS.map((option) => [displayName(option), option.text] as const);
  return [
    "Usage: qom-pr demo [options]",
    "",
    "two nodes of a cluster, one shared disk, a failover: no privileges, no hardware",
    "",
    "Options:",
    ...helpRows(rows, Math.max(...rows.map(([name]) => name.length))),
    "",
  ].join("\n");
}

/**
 * The subcommand `demo`.
 * @param argv its arguments
 * @throws QomError for a word that it does not know
 */
export async function demo(argv: readonly string[], { out }: Output): Promise<void> {
  let json = false;
  for (const word of readOptions(argv, OPTIONS)) {
    if ("operand" in word)
      throw new QomError("invalid-value", `too many arguments: 'demo' takes none, and '${printable(word.operand)}' is given`);
    if (word.option.long === "help") return out(helpText());
    json = true;
  }
  const rows = await runDemo();
  if (json) return out(`${JSON.stringify(rows, null, 2)}\n`);
  out(renderDemo(rows, { colour: wantsColour(process.stdout, process.env), width: terminalWidth(process.stdout) }));
}

/** Runs the demo and gives its rows in order. */
export async function runDemo(): Promise<readonly DemoRow[]> {
  const fabric = new Fabric();
  const machines = new Map<string, Machine>();
  try {
    for (const node of ["a", "b"]) machines.set(node, await Machine.create(demoArguments(node), { fabric }));
    const rows: DemoRow[] = [];
    for (const step of STEPS) rows.push(await runStep(present(machines.get(step.who), "every step names a machine"), step));
    return rows;
  } finally {
    for (const machine of machines.values()) await machine.close();
    await fabric.close();
  }
}

/** The route is observed, not foretold: a command went to the manager if the manager said so. */
async function runStep(machine: Machine, step: Step): Promise<DemoRow> {
  let route: DemoRow["route"] = "device";
  const observe = (): void => {
    route = "manager";
  };
  const { name } = tracePoint("pr_manager_execute");
  subscribe(name, observe);
  try {
    const result = await machine.scsiDevice("disk0").execute(step.command);
    return {
      node: step.who,
      command: step.what,
      route,
      status: describeStatus(result),
      statusCode: result.status,
      meaning: step.means(result),
    };
  } finally {
    unsubscribe(name, observe);
  }
}

/** Status in words, with the sense if there is any. */
function describeStatus(result: ScsiResult): string {
  const name = Object.entries(ScsiStatus).find(([, code]) => code === result.status)?.[0] ?? `STATUS ${result.status.toString(16)}h`;
  const sense = parseSense(result.sense);
  return sense === null ? name.replaceAll("_", " ") : formatSense(sense);
}

const COLUMNS: readonly Column<DemoRow>[] = [
  { title: "node", text: (row) => row.node, style: () => "bold" },
  { title: "command", text: (row) => row.command },
  { title: "routed to", text: (row) => row.route, style: (row): Style => (row.route === "manager" ? "cyan" : "dim") },
  { title: "status", text: (row) => row.status, style: (row): Style => (row.statusCode === ScsiStatus.GOOD ? "green" : "red") },
  { title: "what it means", text: (row) => row.meaning },
];

/** The demo's rows as a table for people. */
export function renderDemo(rows: readonly DemoRow[], layout: TableLayout): string {
  return renderTable(COLUMNS, rows, layout);
}
