/** Replays recorded sequences on a simulated unit and says where its answers are others. */

import { Machine } from "qom-pr";
import type { Fabric, ScsiDevice, ScsiResult } from "qom-pr";
import { outcome } from "../support/outcome.js";
import { QUIRKS } from "./quirks.js";
import type { Quirk, QuirkRule } from "./quirks.js";
import { RECORDED_SIZE_BYTES } from "./recordings.js";
import type { RecordedSequence, RecordedStep, Recording } from "./recordings.js";
import { bytes } from "../support/hex.js";

/** A step without a tag that our target answers in another way. */
export interface Difference {
  readonly step: number;
  /** Both answers, for the reader of a failed test. */
  readonly message: string;
}

/** The answer of our target to a step with tags. */
export interface TaggedAnswer {
  readonly step: number;
  readonly quirks: readonly Quirk[];
  readonly answer: string;
}

/** What came of a sequence. */
export interface Replayed {
  readonly differences: readonly Difference[];
  readonly tagged: readonly TaggedAnswer[];
  /** Steps that were compared; those before the first tag among them. */
  readonly compared: number;
  readonly comparedBeforeTags: number;
}

const NEXUSES = [0, 1, 2] as const;

/** Operation codes of INQUIRY, MODE SENSE (6) and (10), REPORT LUNS: the data is the recorded unit's identity and features. */
const OWN_DATA: readonly number[] = [0x12, 0x1a, 0x5a, 0xa0];
const RESERVE_IN = 0x5e;
const REPORT_CAPABILITIES = 0x02;

/** The devices of three machines, each of them one nexus of the unit `wwn`. */
async function startMachines(fabric: Fabric, wwn: string, { initiators }: Recording): Promise<readonly Machine[]> {
  await fabric.attach({ wwn, sizeBytes: RECORDED_SIZE_BYTES, thinProvisioned: false });
  return Promise.all(
    NEXUSES.map((nexus) => {
      const path = `file.wwn=${wwn},file.initiator=${initiators[nexus]},file.target-port=${nexus + 1}`;
      return Machine.create(
        [
          ["-device", "virtio-scsi"],
          ["-object", "pr-manager-memory,id=pr0"],
          ["-blockdev", `node-name=hd,driver=raw,file.driver=sim-lun,${path},file.pr-manager=pr0`],
          ["-device", "scsi-generic,drive=hd,id=disk0"],
        ].flat(),
        { fabric },
      );
    }),
  );
}

/** Sends the commands of `sequence` to the new unit `wwn` as long as the state of both targets is the same. */
export async function replay(fabric: Fabric, wwn: string, recording: Recording, sequence: RecordedSequence): Promise<Replayed> {
  const machines = await startMachines(fabric, wwn, recording);
  try {
    const devices = machines.map((machine) => machine.scsiDevice("disk0"));
    return await compare(devices, sequence.steps);
  } finally {
    await Promise.all(machines.map((machine) => machine.close()));
  }
}

async function compare(devices: readonly ScsiDevice[], steps: readonly RecordedStep[]): Promise<Replayed> {
  const differences: Difference[] = [];
  const tagged: TaggedAnswer[] = [];
  let compared = 0;
  let comparedBeforeTags = 0;
  let generationLead = 0;
  for (const [index, step] of steps.entries()) {
    const ours = await send(devices, step);
    const recorded = recordedResult(step, generationLead);
    const quirks = step.quirks ?? [];
    if (quirks.length > 0) {
      tagged.push({ step: index, quirks, answer: outcome(ours) });
      if (!staysEqual(quirks, recorded, ours)) break;
      if (quirks.includes("prgen-no-unregister")) generationLead += 1;
      continue;
    }
    compared += 1;
    if (tagged.length === 0) comparedBeforeTags += 1;
    const message = difference(step, recorded, ours);
    if (message === null) continue;
    differences.push({ step: index, message });
    if (!leavesStateAlone(recorded) || !leavesStateAlone(ours)) break;
  }
  return { differences, tagged, compared, comparedBeforeTags };
}

async function send(devices: readonly ScsiDevice[], { nexus, cdb, out, inLen }: RecordedStep): Promise<ScsiResult> {
  const device = devices[nexus];
  if (device === undefined) throw new Error(`there is no nexus ${nexus}`);
  const data = out !== "" ? { dataOut: bytes(out) } : inLen > 0 ? { allocationLength: inLen } : {};
  return device.execute({ cdb: bytes(cdb), ...data });
}

/** The recorded answer; PRgeneration in it is advanced by `generationLead`. */
function recordedResult(step: RecordedStep, generationLead: number): ScsiResult {
  const dataIn = bytes(step.in);
  if (isReserveIn(step) && dataIn.length >= 4) {
    const view = new DataView(dataIn.buffer);
    view.setUint32(0, view.getUint32(0) + generationLead);
  }
  return { status: step.status, dataIn, residual: 0, sense: bytes(step.sense) };
}

function isReserveIn({ cdb }: RecordedStep): boolean {
  const [opcode, serviceAction = 0] = bytes(cdb);
  return opcode === RESERVE_IN && (serviceAction & 0x1f) !== REPORT_CAPABILITIES;
}

/** Both answers if they are not the same, else null. */
function difference(step: RecordedStep, recorded: ScsiResult, ours: ScsiResult): string | null {
  const what = `nexus ${step.nexus} sends ${step.cdb} ${step.out}`.trimEnd();
  const [theirs, mine] = [outcome(recorded), outcome(ours)];
  if (theirs !== mine) return `${what}: Linux ${theirs}, ours ${mine}`;
  if (!comparesData(step) || Buffer.compare(recorded.dataIn, ours.dataIn) === 0) return null;
  return `${what}: Linux ${Buffer.from(recorded.dataIn).toString("hex")}, ours ${Buffer.from(ours.dataIn).toString("hex")}`;
}

function comparesData(step: RecordedStep): boolean {
  const [opcode = 0, serviceAction = 0] = bytes(step.cdb);
  return !OWN_DATA.includes(opcode) && !(opcode === RESERVE_IN && (serviceAction & 0x1f) === REPORT_CAPABILITIES);
}

/** True when the steps that follow a tagged one can be compared. */
function staysEqual(quirks: readonly Quirk[], recorded: ScsiResult, ours: ScsiResult): boolean {
  const rules: readonly QuirkRule[] = quirks.map((quirk) => QUIRKS[quirk]);
  const alike = outcome(recorded) === outcome(ours);
  if (rules.every(({ changes }) => changes !== "state" && (changes !== "attention" || alike))) return true;
  return leavesStateAlone(recorded) && leavesStateAlone(ours);
}

/** True for an answer after which everything is as it was: a refusal that is no unit attention, which is cleared by being reported. */
function leavesStateAlone(result: ScsiResult): boolean {
  const answer = outcome(result);
  return answer !== "GOOD" && !answer.startsWith("06/");
}
