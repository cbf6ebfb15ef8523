/** `npm run record:qmp-compare`: plays every script against QEMU and writes its answers down. */
import type { Transcript } from "./conversation.js";
import { askQemu } from "./qemu.js";
import { writeRecord } from "./record.js";
import { SCRIPTS } from "./scripts.js";
import { withSurroundings } from "./surroundings.js";

const results: (readonly [string, Transcript])[] = [];
await withSurroundings(async (words) => {
  for (const script of SCRIPTS) results.push([script.name, await askQemu(script, words)]);
});
writeRecord(results);
console.log(`${results.length} scripts`);
