/** The virtio-scsi device against QEMU's: the record is what QEMU says, and what this library says. */
import { expect } from "chai";
import { OurPeer } from "./support/ours.js";
import { isInstalled, PACKAGE, QemuPeer } from "./support/qemu.js";
import { play, readRecord } from "./support/record.js";
import { SCENARIOS } from "./support/scenarios.js";
import { skipUnlessRequired } from "../support/requirement.js";

/** Each step takes a few round trips to QEMU, and a slow disk some 300 ms. */
const QEMU_TIMEOUT_MS = 120_000;

describe("virtio-scsi, as QEMU's device answers", () => {
  const record = readRecord();

  it("is recorded as QEMU answers", async function () {
    this.timeout(QEMU_TIMEOUT_MS);
    if (!isInstalled()) skipUnlessRequired(this, `there is no QEMU: apt-get install ${PACKAGE}`);
    const answers = new Map<string, string>();
    const peer = await QemuPeer.start();
    try {
      for (const scenario of SCENARIOS) for (const { name, answer } of await play(peer, scenario)) answers.set(name, answer);
    } finally {
      await peer.close();
    }
    expect(Object.fromEntries(answers)).to.deep.equal(Object.fromEntries(record));
  });

  for (const scenario of SCENARIOS) {
    it(scenario.title, async () => {
      const peer = await OurPeer.start();
      try {
        const steps = await play(peer, scenario);
        const same = steps.filter(({ differs }) => differs === undefined);
        expect(same.map(({ name, answer }) => [name, answer])).to.deep.equal(same.map(({ name }) => [name, record.get(name)]));
        // A difference that is none any more would be documented for nothing.
        for (const { name, answer, differs } of steps) if (differs !== undefined) expect(answer, name).not.to.equal(record.get(name));
      } finally {
        await peer.close();
      }
    });
  }
});
