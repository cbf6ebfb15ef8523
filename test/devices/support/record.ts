/** The record of QEMU's answers: a line for each step of a scenario. */
import { QemuRecord } from "../../support/qemu-record.js";
import type { QemuVersion } from "#src/qemu/compat.js";
import type { Peer } from "./peer.js";
import type { Scenario } from "./scenarios.js";

/** QEMU's answers by name of the step. */
export const RECORD = new QemuRecord<string>("devices/virtio-scsi");

/** A step's answer. */
export interface Step {
  readonly name: string;
  readonly answer: string;
  readonly differs: string | undefined;
  /** The one version whose answer is another one; undefined for all. */
  readonly only: QemuVersion | undefined;
}

/** Runs a scenario with a driver that has just begun. */
export async function play(peer: Peer, scenario: Scenario): Promise<readonly Step[]> {
  const steps: Step[] = [];
  await peer.restart();
  const note = (step: string, answer: string, differs?: string, only?: QemuVersion): void => {
    steps.push({ name: `${scenario.title}: ${step}`, answer, differs, only });
  };
  await scenario.run(peer, { note });
  return steps;
}
