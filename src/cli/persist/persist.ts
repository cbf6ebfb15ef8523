/** `qom-pr persist`: one PERSISTENT RESERVE command, with the options, output and exit statuses of sg_persist. */
import { systemClock } from "../../base/clock.js";
import type { Clock } from "../../base/clock.js";
import { describeError, QomError } from "../../base/errors.js";
import type { PlainValue } from "../../options/value.js";
import { printJson } from "../../options/json.js";
import { toHex } from "../../scsi/bytes.js";
import { hexAndTextLines } from "../../scsi/hex-dump.js";
import type { ScsiCommand } from "../../scsi/command.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import type { StandardInquiry } from "../../scsi/inquiry.js";
import type { Output } from "../output.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";
import { ExitStatus, exitStatusOfErrno, exitOutcomeOf } from "./exit-status.js";
import type { ExitOutcome } from "./exit-status.js";
import { INQUIRY, inquiryLines, readInquiry } from "./inquiry.js";
import { dataValues, headerValues, reportValues } from "./json-report.js";
import type { PersistReport } from "./json-report.js";
import { FolderBusyError } from "./folder-wait.js";
import { keyTextNotes } from "./key-text.js";
import { DeviceOpenError } from "./device-open-error.js";
import { LocalDisk } from "./local-disk.js";
import type { PathFinder } from "./local-disk.js";
import { ALLOCATION_LENGTH_MAX, parsePersistOptions, QMP_ALLOCATION_LENGTH_MAX, WAIT_SECONDS_DEFAULT } from "./options.js";
import type { PersistOptions } from "./options.js";
import { QmpDisk } from "./qmp-disk.js";
import { HEADER_LENGTH, headerLines, hexReportLines, reportLines } from "./report.js";
import { planRequest } from "./request.js";
import type { PersistPlan, PersistRequest } from "./request.js";
import { errnoText } from "../../native/errno.js";

/** Deadline of each command, as in sg_persist. */
const TIMEOUT_MS = 60_000;

/** What a service action is called in messages. */
const ACTION_NAMES: Readonly<Record<PersistRequest["action"], string>> = {
  "read-keys": "Read keys",
  "read-reservation": "Read reservation",
  "report-capabilities": "Report capabilities",
  "read-full-status": "Read full status",
  register: "Register",
  reserve: "Reserve",
  release: "Release",
  clear: "Clear",
  preempt: "Preempt",
  "preempt-and-abort": "Preempt and abort",
  "register-and-ignore-existing-key": "Register and ignore existing key",
  "register-and-move": "Register and move",
  "replace-lost-reservation": "Replace lost reservation",
};

/** What decides beside the words of the command line. */
export interface PersistEnvironment {
  readonly output: Output;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Decides how long is waited for a state folder; by default the real one. */
  readonly clock?: Clock;
  /** Tells dm-multipath devices; by default from sysfs. */
  readonly multipath?: PathFinder;
}

/**
 * Runs the program with the words behind `persist`; never throws for what a user or a device does wrong.
 * @returns the exit status
 */
export async function runPersist(argv: readonly string[], environment: PersistEnvironment): Promise<number> {
  const { output } = environment;
  try {
    const invocation = await asked(argv);
    if ("print" in invocation) {
      output.out(invocation.print);
      return ExitStatus.SUCCESS;
    }
    const plan = planRequest(invocation.run);
    for (const note of plan.notes) output.error(`qom-pr persist: ${note}\n`);
    const disk = await openDisk(invocation.run, plan, environment);
    try {
      return await new Persist(disk, invocation.run, output).run(plan.request);
    } finally {
      await disk.close();
      for (const warning of disk.warnings) output.error(`qom-pr persist: warning: ${warning}\n`);
    }
  } catch (error) {
    if (!(error instanceof QomError)) throw error;
    output.error(`qom-pr persist: ${describeError(error)}\n`);
    return exitStatusOfError(error);
  }
}

/** What is asked for, when what is needed to tell help from a manager is loaded. */
async function asked(argv: readonly string[]): Promise<{ readonly run: PersistOptions } | { readonly print: string }> {
  const invocation = parsePersistOptions(argv);
  if (!("managerHelp" in invocation)) return invocation;
  const { helpOfManager } = await import("./manager-help.js");
  const print = helpOfManager(invocation.managerHelp);
  return print === null ? { run: invocation.options() } : { print };
}

function exitStatusOfError(error: QomError): number {
  if (error instanceof DeviceOpenError) return exitStatusOfErrno(error.errno);
  if (error instanceof FolderBusyError) return ExitStatus.BUSY;
  if (error.kind === "conflict") return ExitStatus.CONTRADICTION;
  return error.kind === "io" || error.kind === "connection" ? ExitStatus.FILE_ERROR : ExitStatus.SYNTAX;
}

function openDisk(options: PersistOptions, { request }: PersistPlan, environment: PersistEnvironment): Promise<PersistDisk> {
  const { device, manager, objects, name, readOnly, qmp, waitSeconds } = options;
  if (qmp !== undefined) {
    if (manager === undefined && objects.length === 0 && name === undefined && waitSeconds === undefined) {
      return QmpDisk.open(qmp, device, readOnly === 1);
    }
    throw new QomError(
      "conflict",
      "'--qmp' asks a machine, which has its own managers: do not combine it with '--manager', '--object', '--name' or '--wait'",
    );
  }
  const byVariable = request.direction === "in" && environment.variables["SG_PERSIST_IN_RDONLY"] !== undefined;
  return LocalDisk.open({
    device,
    readOnly: readOnly === 1 || (readOnly === 0 && byVariable),
    manager,
    objects,
    name,
    clock: environment.clock ?? systemClock,
    ...(environment.multipath === undefined ? {} : { multipath: environment.multipath }),
    folderWaitMs: (waitSeconds ?? WAIT_SECONDS_DEFAULT) * 1000,
  });
}

/** One run of the program, from the open disk on. */
class Persist {
  readonly #disk: PersistDisk;
  readonly #options: PersistOptions;
  readonly #output: Output;

  constructor(disk: PersistDisk, options: PersistOptions, output: Output) {
    this.#disk = disk;
    this.#options = options;
    this.#output = output;
  }

  async run(request: PersistRequest): Promise<number> {
    const { json, verbose, device } = this.#options;
    let inquiry: StandardInquiry | null = null;
    if (this.#options.inquiry && this.#disk.takesInquiry) {
      this.#tell("inquiry cdb", INQUIRY.cdb);
      const { answer, outcome } = await this.#execute(INQUIRY);
      if (outcome.exitStatus !== ExitStatus.SUCCESS) return this.#fail("INQUIRY", outcome);
      inquiry = readInquiry(answer.result.dataIn);
      if (inquiry !== null && !json) this.#print(inquiryLines(inquiry));
    }
    const what = `PR ${request.direction} (${ACTION_NAMES[request.action]})`;
    this.#tell(`Persistent reservation ${request.direction} cdb`, request.cdb);
    if (request.direction === "out" && verbose > 1) this.#note(["    parameter list:", ...hexAndTextLines(request.dataOut)]);
    this.#notes(this.#disk.notesBefore(request));
    const { answer, outcome } = await this.#execute(commandOf(request));
    if (outcome.exitStatus === ExitStatus.SUCCESS) this.#notes(await this.#disk.notesAfter(request));
    return this.#report(request, what, { device, request, inquiry, result: answer.result, outcome });
  }

  async #execute(command: ScsiCommand): Promise<{ readonly answer: DiskAnswer; readonly outcome: ExitOutcome }> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await this.#disk.execute({ ...command, timeoutMs: TIMEOUT_MS, signal });
    return { answer, outcome: outcomeOfAnswer(answer, signal) };
  }

  #report(request: PersistRequest, what: string, report: PersistReport): number {
    const { json, hex, verbose } = this.#options;
    const { dataIn } = report.result;
    let { outcome } = report;
    let data: ReadData | null = null;
    try {
      if (request.direction === "in" && outcome.exitStatus === ExitStatus.SUCCESS) data = readData(request, dataIn, hex);
    } catch (error) {
      if (!(error instanceof QomError)) throw error;
      outcome = { exitStatus: ExitStatus.MALFORMED, text: error.message };
    }
    if (json) this.#output.out(`${printJson(reportValues({ ...report, outcome }, data?.values ?? null), { indent: 2 })}\n`);
    if (outcome.exitStatus !== ExitStatus.SUCCESS) return this.#fail(what, outcome);
    if (data !== null && !json) this.#print(data.lines);
    if (data !== null && !json) this.#notes(data.keyTexts);
    if (data?.problem !== undefined) this.#notes([data.problem]);
    if (request.direction === "out" && verbose > 0) this.#note([`${what}: successful`]);
    return ExitStatus.SUCCESS;
  }

  #fail(what: string, outcome: ExitOutcome): number {
    this.#note([`qom-pr persist: ${what}: ${outcome.text}`]);
    return outcome.exitStatus;
  }

  /** Tells of a CDB before it is sent. */
  #tell(what: string, cdb: Uint8Array): void {
    if (this.#options.verbose > 0) this.#note([`    ${what}: [${toHex(cdb).replaceAll(/..(?=.)/g, "$& ")}]`]);
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.#output.out(`${lines.join("\n")}\n`);
  }

  #notes(texts: readonly string[]): void {
    for (const text of texts) this.#note([`qom-pr persist: ${text}`]);
  }

  #note(lines: readonly string[]): void {
    this.#output.error(`${lines.join("\n")}\n`);
  }
}

function commandOf(request: PersistRequest): ScsiCommand {
  return request.direction === "in"
    ? { cdb: request.cdb, allocationLength: request.allocationLength }
    : { cdb: request.cdb, dataOut: request.dataOut };
}

/** The answer of PERSISTENT RESERVE IN, understood. */
interface ReadData {
  readonly values: PlainValue;
  readonly lines: readonly string[];
  /** How an allocation length has cut it, if it has. */
  readonly problem: string | undefined;
  /** What its keys are as text. */
  readonly keyTexts: readonly string[];
}

/** @throws QomError `syntax` for data that ends too early to say anything, although more was asked for */
function readData({ action, allocationLength }: PersistRequest & { direction: "in" }, data: Uint8Array, hex: number): ReadData {
  if (allocationLength < HEADER_LENGTH && data.length <= allocationLength) {
    const problem = `an allocation length of ${allocationLength} cuts the answer before anything it lists: ask for ${HEADER_LENGTH} bytes or more`;
    return { values: headerValues(action, data), lines: headerLines(action, data, hex), problem, keyTexts: [] };
  }
  const completeLength = PersistentReserveIn.completeLength(action, data);
  return {
    values: dataValues(action, data),
    lines: hex > 0 ? hexReportLines(action, data, hex) : reportLines(action, data),
    keyTexts: keyTextNotes(action, data),
    problem: completeLength > data.length ? cutText(completeLength, data.length) : undefined,
  };
}

function cutText(completeLength: number, received: number): string {
  const hint =
    completeLength > ALLOCATION_LENGTH_MAX
      ? ` (with --qmp, '--maxlen=${Math.min(completeLength, QMP_ALLOCATION_LENGTH_MAX)}' asks for more)`
      : "";
  return `the data lacks ${completeLength - received} bytes at its end${hint}`;
}

function outcomeOfAnswer({ result, errno }: DiskAnswer, signal: AbortSignal): ExitOutcome {
  if (signal.aborted) return { exitStatus: ExitStatus.TIMEOUT, text: `no answer within ${TIMEOUT_MS / 1000} s` };
  if (errno !== undefined) return { exitStatus: exitStatusOfErrno(errno), text: errnoText(errno) };
  return exitOutcomeOf(result);
}
