/** Our target beside a real one: every recorded sequence is replayed through scsi-generic devices of machines on one fabric. */

import { expect } from "chai";
import { openDurableFabric } from "./durable-fabric.js";
import { EXEMPTIONS } from "./exemptions.js";
import { QUIRKS } from "./quirks.js";
import { readRecording, RECORDINGS } from "./recordings.js";
import type { Recording, RecordedSequence } from "./recordings.js";
import { replay } from "./replay.js";
import type { Replayed } from "./replay.js";

/** Steps that were compared when the recordings came into the project: fewer, and the replay has become blind somewhere. */
const COMPARED_MIN = 16_852;
const COMPARED_BEFORE_TAGS_MIN = 10_079;

/** All take some seconds; a busy machine takes its time. */
const REPLAY_TIMEOUT_MS = 300_000;

/** A sequence, and what came of it. */
interface Result extends Replayed {
  readonly recording: Recording;
  readonly sequence: RecordedSequence;
}

/** A step of a recording as text. */
function place(recording: Recording["name"], sequence: string, step: number): string {
  return `${recording} ${sequence} ${step}`;
}

/** What stands before the slash in the name of a sequence. */
function familyOf({ name }: RecordedSequence): string {
  return name.slice(0, name.indexOf("/"));
}

/** Replays everything, each sequence on a unit of its own. */
async function replayAll(): Promise<readonly Result[]> {
  const durable = await openDurableFabric();
  const results: Result[] = [];
  for (const recording of RECORDINGS) {
    for (const sequence of readRecording(recording)) {
      const wwn = `naa.6001405${results.length.toString(16).padStart(9, "0")}`;
      results.push({ recording, sequence, ...(await replay(durable.fabric, wwn, recording, sequence)) });
    }
  }
  await durable.close();
  return results;
}

describe("beside a recorded Linux target", () => {
  const exempt = new Set(EXEMPTIONS.map(([recording, sequence, step]) => place(recording, sequence, step)));
  let results: readonly Result[] = [];

  /** The steps that differ, by place. */
  const differences = (chosen: readonly Result[]): ReadonlyMap<string, string> =>
    new Map(
      chosen.flatMap(({ recording, sequence, differences: found }) =>
        found.map(({ step, message }) => [place(recording.name, sequence.name, step), message] as const),
      ),
    );

  before(async function replayOnce() {
    this.timeout(REPLAY_TIMEOUT_MS);
    results = await replayAll();
  });

  for (const recording of RECORDINGS) {
    for (const family of new Set(readRecording(recording).map(familyOf))) {
      it(`answers alike: ${recording.name}, ${family}`, () => {
        const chosen = results.filter((result) => result.recording === recording && familyOf(result.sequence) === family);
        const unexpected = [...differences(chosen)].filter(([at]) => !exempt.has(at));
        expect(unexpected).to.deep.equal([]);
      });
    }
  }

  it("differs at every exempted step", () => {
    expect(exempt.size, "no step stands there twice").to.equal(EXEMPTIONS.length);
    const differing = differences(results);
    expect([...exempt].filter((at) => !differing.has(at))).to.deep.equal([]);
  });

  it("gives the standard's answers where the recorded target departs from them", () => {
    const others: string[] = [];
    const unseen = new Set(Object.entries(QUIRKS).flatMap(([quirk, { answers }]) => answers.map((answer) => `${quirk}: ${answer}`)));
    for (const { recording, sequence, tagged } of results) {
      for (const { step, quirks, answer } of tagged) {
        if (!quirks.some((quirk) => QUIRKS[quirk].answers.some((known) => known === answer))) {
          others.push(`${place(recording.name, sequence.name, step)}: ${quirks.join()}: ${answer}`);
        }
        for (const quirk of quirks) unseen.delete(`${quirk}: ${answer}`);
      }
    }
    expect(others).to.deep.equal([]);
    expect([...unseen], "answers nobody gives").to.deep.equal([]);
  });

  it("looks at as many steps as ever", () => {
    const sum = (count: (result: Result) => number): number => results.reduce((total, result) => total + count(result), 0);
    expect(sum(({ comparedBeforeTags }) => comparedBeforeTags)).to.be.at.least(COMPARED_BEFORE_TAGS_MIN);
    expect(sum(({ compared }) => compared)).to.be.at.least(COMPARED_MIN);
  });
});
