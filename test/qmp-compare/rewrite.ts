/** `npm run record:qmp-compare`: plays every script against the QEMU that is installed and writes its answers down. */
import { installedVersion } from "../support/qemu-version.js";
import type { Transcript } from "./conversation.js";
import { askQemu, comparable } from "./qemu.js";
import { SCRIPTS } from "./scripts.js";
import { RECORD } from "./steps.js";
import { withSurroundings } from "./surroundings.js";

const version = installedVersion();
const results: (readonly [string, Transcript])[] = [];
await withSurroundings(async (words) => {
  for (const script of SCRIPTS) results.push([script.name, comparable(await askQemu(script, words), version)]);
});
RECORD.write(version, results);
console.log(`QEMU ${version}: ${results.length} scripts`);
