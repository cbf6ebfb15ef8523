/** `npm run record:qemu-options`: asks QEMU about every row of the table and writes its answers down. */
import { askQemu } from "./qemu.js";
import { keyOf, withFile, writeRecord } from "./record.js";
import { ROWS } from "./rows.js";

await withFile((file) => writeRecord(ROWS.map((row) => [keyOf(row), askQemu(row, file)] as const)));
console.log(`${ROWS.length} rows`);
