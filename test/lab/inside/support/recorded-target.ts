/** The target that was recorded, live behind our devices: every step of every sequence has the recorded answer. */

import { expect } from "chai";
import { present } from "#src/base/assert.js";
import { Machine } from "qom-pr";
import type { ScsiDevice, ScsiResult } from "qom-pr";
import { readRecording, RECORDINGS } from "../../../conformance/recordings.js";
import type { RecordedSequence, RecordedStep, Recording } from "../../../conformance/recordings.js";
import { reachInitialState } from "./initial-state.js";
import { LinuxTarget } from "./linux-target.js";
import { bytes, hex } from "../../../support/hex.js";

const RESERVE_IN = 0x5e;
const REPORT_CAPABILITIES = 0x02;

/** How many steps the recordings have. */
const STEPS: Readonly<Record<Recording["name"], number>> = { "one-initiator-per-port": 11_332, "shared-initiator": 11_484 };

/** The longest family: some thousand steps. */
const FAMILY_TIMEOUT_MS = 300_000;

/** Arguments of a machine with a scsi-generic device on each of `nodes`. */
function machineArguments(nodes: readonly string[]): string[] {
  return [
    ["-device", "virtio-scsi"],
    ["-object", "pr-manager-sgio,id=pr0"],
    ...nodes.flatMap((node, index) => [
      ["-blockdev", `node-name=hd${index},driver=host_device,filename=${node},pr-manager=pr0`],
      ["-device", `scsi-generic,drive=hd${index},id=disk${index}`],
    ]),
  ].flat();
}

async function send(devices: readonly ScsiDevice[], { nexus, cdb, out, inLen }: RecordedStep): Promise<ScsiResult> {
  const device = devices[nexus];
  if (device === undefined) throw new Error(`there is no nexus ${nexus}`);
  const data = out !== "" ? { dataOut: bytes(out) } : inLen > 0 ? { allocationLength: inLen } : {};
  return device.execute({ cdb: bytes(cdb), ...data });
}

/** Data-in as it was recorded: with PRgeneration counted from the start of the sequence. */
function relativeData(step: RecordedStep, { dataIn }: ScsiResult, generation: number): string {
  const [opcode, serviceAction = 0] = bytes(step.cdb);
  if (opcode !== RESERVE_IN || (serviceAction & 0x1f) === REPORT_CAPABILITIES || dataIn.length < 4) return hex(dataIn);
  const data = Uint8Array.from(dataIn);
  const view = new DataView(data.buffer);
  view.setUint32(0, view.getUint32(0) - generation);
  return hex(data);
}

/** Sends a sequence; the differences as text. */
async function replay(devices: readonly ScsiDevice[], sequence: RecordedSequence): Promise<readonly string[]> {
  const generation = await reachInitialState(devices);
  const differences: string[] = [];
  for (const [index, step] of sequence.steps.entries()) {
    const result = await send(devices, step);
    const now = [result.status, hex(result.sense), result.status === 0 ? relativeData(step, result, generation) : ""].join(" ");
    const then = [step.status, step.sense, step.in].join(" ");
    if (now !== then)
      differences.push(`${sequence.name} ${index}: nexus ${step.nexus} sends ${step.cdb} ${step.out}: then ${then}, now ${now}`);
  }
  return differences;
}

/** What stands before the slash in the name of a sequence. */
function familyOf({ name }: RecordedSequence): string {
  return name.slice(0, name.indexOf("/"));
}

/** The suite for one recording. The target stays, since taking it down may not end (docs/lab.md). */
export function describeRecordedTarget(name: Recording["name"]): void {
  describe(`the recorded target: ${name}`, () => {
    const recording = present(
      RECORDINGS.find((one) => one.name === name),
      `there is a recording ${name}`,
    );
    const sequences = readRecording(recording);
    let machine: Machine;
    let devices: readonly ScsiDevice[] = [];
    let steps = 0;

    before(async () => {
      const target = await LinuxTarget.create(recording.initiators, name === "shared-initiator");
      machine = await Machine.create(machineArguments(target.paths.map(({ generic }) => generic)));
      devices = machine.scsiDevices;
    });

    after(async () => {
      await machine.close();
    });

    for (const family of new Set(sequences.map(familyOf))) {
      it(`answers as it did: ${family}`, async () => {
        const differences: string[] = [];
        for (const sequence of sequences.filter((one) => familyOf(one) === family)) {
          differences.push(...(await replay(devices, sequence)));
          steps += sequence.steps.length;
        }
        expect(differences).to.deep.equal([]);
      }).timeout(FAMILY_TIMEOUT_MS);
    }

    it("was asked every recorded step", () => {
      expect(steps).to.equal(STEPS[name]);
      console.log(`      ${steps} steps`);
    });
  });
}
