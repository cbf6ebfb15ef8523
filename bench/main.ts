/** `npm run bench`: the figures that the project promises, printed as a table. */
import { fileDisk } from "./files.js";
import { helperRoundTrip } from "./helper-round-trip.js";
import { helperServer } from "./helper-server.js";
import { helperStarts } from "./helper-start.js";
import type { Spread } from "./measure.js";
import { migrationOverhead } from "./migration.js";
import { optionTexts } from "./options.js";
import { treeSize } from "./qom.js";
import { startUp } from "./start.js";
import { reservedRead, stateMachine } from "./reservations.js";
import { saving } from "./persistence.js";
import { managerOverhead, readKeysRate } from "./routing.js";
import { machines } from "./scale.js";
import { traceOverhead } from "./trace.js";
import { queueOverhead } from "./virtio-scsi.js";

/** One line of the table. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Absent when it could not be measured here; `aim` then says why. */
  readonly value?: Spread;
  readonly aim: string;
}

const figures: Figure[] = [];
for (const measure of [
  startUp,
  helperRoundTrip,
  helperServer,
  helperStarts,
  managerOverhead,
  readKeysRate,
  queueOverhead,
  fileDisk,
  stateMachine,
  reservedRead,
  saving,
  treeSize,
  machines,
  optionTexts,
  traceOverhead,
  migrationOverhead,
])
  figures.push(...(await measure()));

const number = (value: number): string => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));
const rows = figures.map(({ what, unit, value, aim }) => [
  what,
  ...(value === undefined ? ["-", "-", "-"] : [value.min, value.median, value.max].map(number)),
  unit,
  aim,
]);
const header = ["what", "min", "median", "max", "unit", "aim"];
const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
for (const row of [header, ...rows])
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
