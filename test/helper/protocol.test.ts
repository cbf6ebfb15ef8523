/** The wire protocol: every good and bad conversation, with our program and with qemu-pr-helper. */

import { expect } from "chai";
import fc from "fast-check";
import { accessSync, constants, writeFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { parseSense } from "#src/scsi/sense.js";
import { prHelperVersion, usePrHelper } from "../support/pr-helper.js";
import { Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { descriptorsAtRest, hasClosed } from "./support/process-status.js";
import { cdb, CLEAN_UP_SCENARIOS, converse, OPENINGS, SCENARIOS } from "./support/scenarios.js";
import type { Descriptor, Message, Scenario, Transcript } from "./support/scenarios.js";

const RANDOM_CONVERSATIONS = 200;
const RANDOM_TIMEOUT_MS = 60_000;

/** Sense of each answer, as a scenario states it. None of these conversations has an answer with data. */
function answersIn({ bytes }: Transcript): string[] {
  const answers: string[] = [];
  for (let at = 0; at < bytes.length; at += RESPONSE_HEADER_SIZE) {
    const sense = parseSense(bytes.subarray(at + 8, at + RESPONSE_HEADER_SIZE));
    const codes = [sense?.key, sense?.asc, sense?.ascq].map((code) => code?.toString(16).padStart(2, "0"));
    const [status, size] = [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)];
    if (size !== 0) answers.push("data");
    else answers.push(status === 2 ? codes.join("/") : status.toString(16).padStart(2, "0"));
  }
  return answers;
}

/**
 * Answers of qemu-pr-helper with zeros behind the sense data: it sends whatever its stack holds there (pointers, among others).
 * Only for answers without data.
 */
function withoutRubbish({ bytes, end }: Transcript): Transcript {
  const clean = Buffer.from(bytes);
  for (let at = 0; at < clean.length; at += RESPONSE_HEADER_SIZE) {
    const senseLength = 8 + (clean[at + 8 + 7] ?? 0);
    clean.fill(0, at + 8 + senseLength, at + RESPONSE_HEADER_SIZE);
  }
  return { bytes: clean, end };
}

function canOpenLoop(): boolean {
  try {
    accessSync(OPENINGS.loop.path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const usable = SCENARIOS.filter(({ messages }) => canOpenLoop() || !messages.some((message) => (message.with ?? []).includes("loop")));

const anyDescriptor = fc.constantFrom(...(Object.keys(OPENINGS) as Descriptor[]).filter((name) => name !== "loop" || canOpenLoop()));

/** FFh is a request to our helper alone, wherever a request that is cut short lets the next one begin. */
const withoutFF = (value: number): boolean => (value & 0xff) !== 0xff && value >> 8 !== 0xff;

/** A request that is more often right than wrong. */
const anyRequest: fc.Arbitrary<readonly Message[]> = fc
  .record({
    operationCode: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(0x5e, 0x5f) }, { weight: 1, arbitrary: fc.nat(254) }),
    serviceAction: fc.nat(254),
    length: fc
      .oneof({ weight: 20, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.integer({ min: 8000, max: 65535 }) })
      .filter(withoutFF),
    descriptors: fc.oneof(
      { weight: 20, arbitrary: fc.tuple(anyDescriptor) },
      { weight: 1, arbitrary: fc.array(anyDescriptor, { maxLength: 4 }) },
    ),
    split: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(15) }),
    missing: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9) }),
    apart: fc.boolean(),
  })
  .map(({ operationCode, serviceAction, length, descriptors, split, missing, apart }) => {
    const bytes = cdb(operationCode, serviceAction, length);
    const parameters = Buffer.alloc(operationCode === 0x5f ? Math.max(Math.min(length, 9000) - missing, 0) : 0, 7);
    const messages = [
      { bytes: bytes.subarray(0, split) },
      { bytes: bytes.subarray(split), with: descriptors, apart },
      { bytes: parameters, apart },
    ];
    return messages.filter((message) => message.bytes.length > 0);
  });

describe("wire protocol of qom-pr-helper", () => {
  const workshop = new Workshop();
  let helper: HelperProcess;
  let path: string;
  let file: string;
  let atRest: readonly string[];
  before(async () => {
    path = workshop.path("ours");
    file = workshop.path("disk");
    writeFileSync(file, Buffer.alloc(512));
    helper = await workshop.start("ours", ["--workers", "3"]);
    atRest = await descriptorsAtRest(helper, path);
  });

  describe("answers and closes as it should", () => {
    for (const scenario of [...usable, ...CLEAN_UP_SCENARIOS]) {
      it(scenario.name, async () => {
        const transcript = await converse(path, scenario, file);
        const listens = scenario.then === "listens";
        expect(answersIn(transcript)).to.deep.equal(listens ? [...scenario.answers, "0b/00/06"] : scenario.answers);
        expect(transcript.end).to.equal(listens ? "eof" : scenario.then);
      });
    }

    it("closes every descriptor, however a conversation ends", async () => {
      for (const scenario of [...usable, ...CLEAN_UP_SCENARIOS]) await converse(path, scenario, file);
      await hasClosed(helper, atRest);
    });
  });

  describe("is the same as that of qemu-pr-helper", () => {
    const original = usePrHelper();
    /** What qemu-pr-helper 11.1 hangs up on, and 7.2 answers as ours does: a descriptor that was opened for its path only. */
    let hungUpOn: Descriptor | null = null;
    before(() => {
      if (prHelperVersion()?.startsWith("11.") === true) hungUpOn = "null, path only";
    });

    const isHungUpOn = (messages: readonly Message[]): boolean =>
      messages.some((message) => hungUpOn !== null && message.with?.includes(hungUpOn) === true);

    async function same(scenario: Scenario): Promise<{ ours: Transcript; theirs: Transcript }> {
      const theirs = await converse(original.path, scenario, file);
      return { ours: await converse(path, scenario, file), theirs: withoutRubbish(theirs) };
    }

    for (const scenario of usable) {
      it(scenario.name, async () => {
        const { ours, theirs } = await same(scenario);
        if (isHungUpOn(scenario.messages)) expect(theirs.bytes).to.have.lengthOf(0);
        else expect(ours).to.deep.equal(theirs);
      });
    }

    it(`in ${RANDOM_CONVERSATIONS} random conversations`, async function () {
      this.timeout(RANDOM_TIMEOUT_MS);
      const property = fc.asyncProperty(fc.array(anyRequest, { minLength: 1, maxLength: 8 }), async (requests) => {
        fc.pre(!isHungUpOn(requests.flat()));
        const { ours, theirs } = await same({ name: "random", messages: requests.flat(), answers: [], then: "eof", finish: true });
        // Whether the end is a reset depends on how much had arrived by then.
        expect(ours.bytes.toString("hex")).to.equal(theirs.bytes.toString("hex"));
      });
      await fc.assert(property, { numRuns: RANDOM_CONVERSATIONS });
    });
  });
});
