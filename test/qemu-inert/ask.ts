/** Asks a QEMU, all rows in one process, and a machine here. */
import { spawnSync } from "node:child_process";
import { Machine, QomError } from "qom-pr";
import { WWN } from "../support/machine.js";
import { givenOf, keyOf } from "./rows.js";
import type { Row } from "./rows.js";

/** What became of the rows: their answers by name; null for one that was accepted. */
export type Answers = ReadonlyMap<string, string | null>;

const PROGRAM = "qemu-system-x86_64";

/** The package of Debian and Ubuntu that has it. */
export const PACKAGE = "qemu-system-x86";

/** A board whose buses take devices while it runs, with what the rows refer to. */
const MACHINE = [
  ...["-M", "pc,accel=tcg", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"],
  ...["-device", "virtio-scsi-pci,id=hba", "-blockdev", "null-co,node-name=n"],
];

/** More than the answers are by far. */
const OUTPUT_MAX_BYTES = 1 << 26;

/** Longer than all rows take by far. */
const TIMEOUT_MS = 120_000;

const COMMANDS: Readonly<Record<Row["way"], string>> = {
  object: "object_add",
  "object-json": "object-add",
  device: "device_add",
  "device-json": "device_add",
  "blockdev-json": "blockdev-add",
};

interface Answer {
  readonly id?: string;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** The major version of the QEMU that PATH has; null where there is none. */
export function qemuVersion(): number | null {
  const { status, stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  return status === 0 ? Number(/version (\d+)/.exec(stdout)?.[1]) : null;
}

/** What QEMU makes of the rows. */
export function askQemu(rows: readonly Row[]): Answers {
  const commands = rows.map((row, index) => {
    const [given, command] = [givenOf(row, `r${index}`), COMMANDS[row.way]];
    if (row.way.endsWith("-json")) return `{"execute":"${command}","arguments":${given},"id":"${index}"}`;
    return JSON.stringify({ execute: "human-monitor-command", arguments: { "command-line": `${command} ${given}` }, id: String(index) });
  });
  const input = ['{"execute":"qmp_capabilities"}', ...commands, '{"execute":"quit"}'].join("\n");
  const run = spawnSync(PROGRAM, MACHINE, { input, encoding: "utf8", timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAX_BYTES });
  if (run.error !== undefined) throw run.error;
  const answers = run.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Answer) // messages of QMP
    .filter(({ id }) => id !== undefined);
  if (answers.length !== rows.length) throw new Error(`QEMU answered ${answers.length} of ${rows.length} rows: ${run.stderr}`);
  return new Map(
    rows.map((row, index) => {
      const { error, return: returned } = answers[index] ?? {};
      const text = error?.desc ?? (typeof returned === "string" ? returned.trim() : "");
      return [keyOf(row), text === "" ? null : text];
    }),
  );
}

/** What a machine here says of a row; null when it accepts it. */
export async function askOurselves(row: Row): Promise<string | null> {
  const option = row.way.replace("-json", "");
  try {
    const before = ["-device", "virtio-scsi-pci,id=hba", "-blockdev", `sim-lun,node-name=n,wwn=${WWN}`];
    const machine = await Machine.create([...before, `-${option}`, givenOf(row, "r")]);
    await machine.close();
    return null;
  } catch (error) {
    if (error instanceof QomError) return reasonOf(error, row);
    throw error;
  }
}

/** The message without the option that it begins with, which has every name in it, and with the option that the error is about. */
function reasonOf({ message, context, hint = "" }: QomError, row: Row): string {
  const said = message.slice(0, message.indexOf(": "));
  const rest = said.startsWith(`-${row.way.replace("-json", "")} `) ? message.slice(said.length) : message;
  return `${rest} ${context["option"] ?? ""} ${hint}`;
}
