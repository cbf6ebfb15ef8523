/** `npm run record:virtio-scsi`: drives the device of the QEMU that is installed through all scenarios and writes its answers down. */
import { installedVersion } from "../support/qemu-version.js";
import { QemuPeer } from "./support/qemu.js";
import { play, RECORD } from "./support/record.js";
import type { Step } from "./support/record.js";
import { SCENARIOS } from "./support/scenarios.js";

const version = installedVersion();
const peer = await QemuPeer.start();
const steps: Step[] = [];
try {
  for (const scenario of SCENARIOS) steps.push(...(await play(peer, scenario)));
} finally {
  await peer.close();
}
RECORD.write(
  version,
  steps.map(({ name, answer }) => [name, answer] as const),
);
console.log(`QEMU ${version}: ${steps.length} steps`);
