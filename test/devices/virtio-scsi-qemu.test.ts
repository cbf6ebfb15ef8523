/** The virtio-scsi device against QEMU's: the records are what QEMU says, and what this library says. */
import { expect } from "chai";
import { QEMU_VERSIONS } from "#src/qemu/compat.js";
import { OurPeer } from "./support/ours.js";
import { PACKAGE, QemuPeer } from "./support/qemu.js";
import { play, RECORD } from "./support/record.js";
import type { Step } from "./support/record.js";
import { SCENARIOS } from "./support/scenarios.js";
import { requireQemu } from "../support/qemu-version.js";

/** Each step takes a few round trips to QEMU, and a slow disk some 300 ms. */
const QEMU_TIMEOUT_MS = 120_000;

describe("virtio-scsi, as QEMU's device answers", () => {
  const records = QEMU_VERSIONS.map((version) => [version, RECORD.read(version)] as const);

  it("is recorded as the installed QEMU answers", async function () {
    this.timeout(QEMU_TIMEOUT_MS);
    const version = requireQemu(this, PACKAGE);
    const answers = new Map<string, string>();
    const peer = await QemuPeer.start();
    try {
      for (const scenario of SCENARIOS) for (const { name, answer } of await play(peer, scenario)) answers.set(name, answer);
    } finally {
      await peer.close();
    }
    expect(Object.fromEntries(answers)).to.deep.equal(Object.fromEntries(RECORD.read(version)));
  });

  for (const scenario of SCENARIOS) {
    it(scenario.title, async () => {
      const peer = await OurPeer.start();
      try {
        const steps = await play(peer, scenario);
        for (const [version, record] of records) {
          const differs = ({ differs: reason, only = version }: Step): boolean => reason !== undefined && only === version;
          const same = steps.filter((step) => !differs(step));
          expect(same.map(({ name, answer }) => [name, answer])).to.deep.equal(same.map(({ name }) => [name, record.get(name)]));
          // A difference that is none any more would be documented for nothing.
          for (const step of steps) if (differs(step)) expect(step.answer, step.name).not.to.equal(record.get(step.name));
        }
      } finally {
        await peer.close();
      }
    });
  }
});
