/** The record of QEMU's answers: virtio-scsi.json, one line per step of a scenario. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Peer } from "./peer.js";
import type { Scenario } from "./scenarios.js";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../../test/devices/virtio-scsi.json", import.meta.url));

/** A step's answer. */
export interface Step {
  readonly name: string;
  readonly answer: string;
  readonly differs: string | undefined;
}

/** Runs a scenario with a driver that has just begun. */
export async function play(peer: Peer, scenario: Scenario): Promise<readonly Step[]> {
  const steps: Step[] = [];
  await peer.restart();
  const note = (step: string, answer: string, differs?: string): void => {
    steps.push({ name: `${scenario.title}: ${step}`, answer, differs });
  };
  await scenario.run(peer, { note });
  return steps;
}

/** QEMU's answers by name of the step. */
export function readRecord(): ReadonlyMap<string, string> {
  return new Map(Object.entries(JSON.parse(readFileSync(PATH, "utf8")) as Record<string, string>)); // written below
}

/** Writes the record anew. */
export function writeRecord(steps: readonly Step[]): void {
  const lines = steps.map(({ name, answer }) => `  ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  writeFileSync(PATH, `{\n${lines.join(",\n")}\n}\n`);
}
