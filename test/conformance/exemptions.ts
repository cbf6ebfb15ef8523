/**
 * Steps without a tag at which our target answers in another way than the recorded one, and why. Such a step stands here only if the text
 * of a standard is against the recorded answer, or if the command is none of ours.
 */

import type { Recording } from "./recordings.js";

/** Why a step is exempt; the row of that name in docs/conformance.md, section Exemptions, says more. */
export type ExemptionRule =
  | "transport-id-nobody-logged-in"
  | "conflict-before-unit-attention"
  | "all-are-holders"
  | "all-ports-unregister"
  | "no-set-target-port-groups";

/** One step. */
export type Exemption = readonly [recording: Recording["name"], sequence: string, step: number, rule: ExemptionRule];

/** All of them. One that does not differ any more fails the test. */
export const EXEMPTIONS: readonly Exemption[] = [
  ["one-initiator-per-port", "move/bad-rtpi", 5, "transport-id-nobody-logged-in"],
  ["one-initiator-per-port", "move/bad-tid", 4, "transport-id-nobody-logged-in"],
  ["one-initiator-per-port", "random/0138-mix", 18, "transport-id-nobody-logged-in"],
  ["one-initiator-per-port", "random/0226-allreg", 11, "transport-id-nobody-logged-in"],
  ["one-initiator-per-port", "random/0298-allreg", 20, "transport-id-nobody-logged-in"],
  ["one-initiator-per-port", "specipt/unknown-initiator", 0, "transport-id-nobody-logged-in"],
  ["shared-initiator", "move/bad-tid", 4, "transport-id-nobody-logged-in"],
  ["shared-initiator", "random/0240-mix", 15, "transport-id-nobody-logged-in"],
  ["shared-initiator", "specipt/unknown-initiator", 0, "transport-id-nobody-logged-in"],
  ["shared-initiator", "random/0170-preempt", 29, "conflict-before-unit-attention"],
  ["shared-initiator", "random/0284-preempt", 6, "conflict-before-unit-attention"],
  ["shared-initiator", "random/0342-mix", 18, "all-are-holders"],
  ["shared-initiator", "random/0250-allreg", 8, "all-ports-unregister"],
  ["one-initiator-per-port", "conflict-matrix/none-ops", 71, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/none-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/none-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/spc2-reserve6-ops", 47, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/spc2-reserve6-ops", 48, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-1-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-1-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-3-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-3-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-3-ops", 74, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-5-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-5-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-6-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-6-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-6-ops", 74, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-7-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-7-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-8-ops", 72, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-8-ops", 73, "no-set-target-port-groups"],
  ["one-initiator-per-port", "conflict-matrix/type-8-ops", 74, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/none-ops", 71, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/none-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/none-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/spc2-reserve6-ops", 47, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/spc2-reserve6-ops", 48, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-1-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-1-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-3-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-3-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-3-ops", 74, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-5-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-5-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-6-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-6-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-6-ops", 74, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-7-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-7-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-8-ops", 72, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-8-ops", 73, "no-set-target-port-groups"],
  ["shared-initiator", "conflict-matrix/type-8-ops", 74, "no-set-target-port-groups"],
];
