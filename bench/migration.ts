/** What it costs that the reservations of scsi-block follow its guest, when none moves: beside an older build that lacks that. */
import { rmSync } from "node:fs";
import { baseFolder, NO_BASE } from "./base.js";
import { compareCopies, copyOf, MEASURED, PACKAGE, valueOf } from "./copies.js";
import type { Figure } from "./main.js";

const AIMS = ["<= 1.02 (median)", ""] as const;

/** For each command a line beside the older build, and one of that build beside itself. */
export function migrationOverhead(): readonly Figure[] {
  const base = baseFolder();
  if (base === null) return [{ what: `${MEASURED[0]} by scsi-block, migrate-pr=on / an older build`, unit: "ratio", aim: NO_BASE }];
  const [ours, older, other] = [copyOf(PACKAGE), copyOf(base), copyOf(base)];
  try {
    const [costs, noise] = [compareCopies(ours, older), compareCopies(other, older)];
    return MEASURED.flatMap((what, index): Figure[] => [
      { what: `${what} by scsi-block, migrate-pr=on / an older build`, unit: "ratio", ...valueOf(costs[index]), aim: AIMS[index] ?? "" },
      { what: "the same, older build / older build", unit: "ratio", ...valueOf(noise[index]), aim: "1.00: the error of the line above" },
    ]);
  } finally {
    for (const copy of [ours, older, other]) rmSync(copy, { recursive: true, force: true });
  }
}
