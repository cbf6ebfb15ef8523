/** `npm run record:virtio-scsi`: drives QEMU's device through all scenarios and writes its answers down. */
import { QemuPeer } from "./support/qemu.js";
import { play, writeRecord } from "./support/record.js";
import type { Step } from "./support/record.js";
import { SCENARIOS } from "./support/scenarios.js";

const peer = await QemuPeer.start();
const steps: Step[] = [];
try {
  for (const scenario of SCENARIOS) steps.push(...(await play(peer, scenario)));
} finally {
  await peer.close();
}
writeRecord(steps);
console.log(`${steps.length} steps`);
