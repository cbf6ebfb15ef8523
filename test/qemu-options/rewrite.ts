/** `npm run record:qemu-options`: asks the QEMU that is installed about every row of the table and writes its answers down. */
import { installedVersion } from "../support/qemu-version.js";
import { askQemu } from "./qemu.js";
import { keyOf, RECORD, withFile } from "./record.js";
import { ROWS } from "./rows.js";

const version = installedVersion();
await withFile((file) =>
  RECORD.write(
    version,
    ROWS.map((row) => [keyOf(row), askQemu(row, file)] as const),
  ),
);
console.log(`QEMU ${version}: ${ROWS.length} rows`);
