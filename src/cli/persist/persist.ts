/** `qom-pr persist`: one PERSISTENT RESERVE command, with the options, output and exit statuses of sg_persist. */
import { describeError, QomError } from "../../base/errors.js";
import type { PlainValue } from "../../options/value.js";
import { printJson } from "../../options/json.js";
import { toHex } from "../../scsi/bytes.js";
import { hexAndTextLines } from "../../scsi/hex-dump.js";
import type { ScsiCommand } from "../../scsi/command.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import type { ReserveInAction } from "../../scsi/persistent-reserve.js";
import type { StandardInquiry } from "../../scsi/inquiry.js";
import type { Output } from "../output.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";
import { ExitStatus, exitStatusOfErrno, outcomeOf, type Outcome } from "./exit-status.js";
import { INQUIRY, inquiryLines, readInquiry } from "./inquiry.js";
import { dataValues, reportValues, type PersistReport } from "./json-report.js";
import { DeviceOpenError, LocalDisk } from "./local-disk.js";
import { parsePersistOptions, type PersistOptions } from "./options.js";
import { QmpDisk } from "./qmp-disk.js";
import { hexReportLines, reportLines } from "./report.js";
import { planRequest, type PersistPlan, type PersistRequest } from "./request.js";
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
}

/**
 * Runs the program with the words behind `persist`; never throws for what a user or a device does wrong.
 * @returns the exit status
 */
export async function runPersist(argv: readonly string[], environment: PersistEnvironment): Promise<number> {
  const { output } = environment;
  try {
    const invocation = parsePersistOptions(argv);
    if ("print" in invocation) {
      output.out(invocation.print);
      return ExitStatus.SUCCESS;
    }
    const plan = planRequest(invocation.run);
    for (const note of plan.notes) output.error(`qom-pr persist: ${note}\n`);
    const disk = await openDisk(invocation.run, plan, environment.variables);
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

function exitStatusOfError(error: QomError): number {
  if (error instanceof DeviceOpenError) return exitStatusOfErrno(error.errno);
  if (error.kind === "conflict") return ExitStatus.CONTRADICTION;
  return error.kind === "io" || error.kind === "connection" ? ExitStatus.FILE_ERROR : ExitStatus.SYNTAX;
}

function openDisk(options: PersistOptions, { request }: PersistPlan, variables: PersistEnvironment["variables"]): Promise<PersistDisk> {
  const { device, manager, objects, name, readOnly, qmp } = options;
  if (qmp !== undefined) {
    if (manager === undefined && objects.length === 0 && name === undefined && readOnly === 0) return QmpDisk.open(qmp, device);
    throw new QomError(
      "conflict",
      "'--qmp' asks a machine, which has its managers: '--manager', '--object', '--name', '--readonly' do not go with it",
    );
  }
  const byVariable = request.direction === "in" && variables["SG_PERSIST_IN_RDONLY"] !== undefined;
  return LocalDisk.open({ device, readOnly: readOnly === 1 || (readOnly === 0 && byVariable), manager, objects, name });
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
    const { answer, outcome } = await this.#execute(commandOf(request));
    return this.#report(request, what, { device, request, inquiry, result: answer.result, outcome });
  }

  async #execute(command: ScsiCommand): Promise<{ readonly answer: DiskAnswer; readonly outcome: Outcome }> {
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
      if (request.direction === "in" && outcome.exitStatus === ExitStatus.SUCCESS) data = readData(request.action, dataIn, hex);
    } catch (error) {
      if (!(error instanceof QomError)) throw error;
      outcome = { exitStatus: ExitStatus.MALFORMED, text: error.message };
    }
    if (json) this.#output.out(`${printJson(reportValues({ ...report, outcome }, data?.values ?? null), { indent: 2 })}\n`);
    if (outcome.exitStatus !== ExitStatus.SUCCESS) return this.#fail(what, outcome);
    if (data !== null && !json) this.#print(data.lines);
    if (data !== null && data.missingBytes > 0) this.#note([`qom-pr persist: the data lacks ${data.missingBytes} bytes at its end`]);
    if (request.direction === "out" && verbose > 0) this.#note([`${what}: successful`]);
    return ExitStatus.SUCCESS;
  }

  #fail(what: string, outcome: Outcome): number {
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
  /** How much longer it would be if it were complete. */
  readonly missingBytes: number;
}

/** @throws QomError `syntax` for data that ends too early to say anything */
function readData(action: ReserveInAction, data: Uint8Array, hex: number): ReadData {
  return {
    values: dataValues(action, data),
    lines: hex > 0 ? hexReportLines(action, data, hex) : reportLines(action, data),
    missingBytes: Math.max(0, PersistentReserveIn.completeLength(action, data) - data.length),
  };
}

function outcomeOfAnswer({ result, errno }: DiskAnswer, signal: AbortSignal): Outcome {
  if (signal.aborted) return { exitStatus: ExitStatus.TIMEOUT, text: `no answer within ${TIMEOUT_MS / 1000} s` };
  if (errno !== undefined) return { exitStatus: exitStatusOfErrno(errno), text: errnoText(errno) };
  return outcomeOf(result);
}
