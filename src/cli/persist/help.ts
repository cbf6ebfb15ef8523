/** The text of `qom-pr persist --help`. */
import { HELP_WIDTH, helpRows, wrap } from "../table.js";
import { optionFlags, PERSIST_OPTIONS } from "./option-table.js";
import type { OptionGroup } from "./option-table.js";

/** What is said of TransportIDs below the table of options. */
const TRANSPORT_IDS_TEXT = `
TIDS is one TransportID, or '-' or 'file=NAME' for one on each line of a file:
  sas,5000c50005b32001  fcp,10000000c9f3a571  iqn.2026-11.org.example:a[,i,0x123456789abc]
  srp,<32 digits>  sbp,<16 digits>  spi,<address>,<port>  sop,<routing id>  or its bytes in hexadecimal: 6,0,0,0,50,0,…
`;

/** How what stands for a value is written. */
export function angled(value: string): string {
  return `<${value}>`;
}

/** See the module text. */
export function persistHelp(): string {
  const groups = [...new Set(PERSIST_OPTIONS.map(({ group }) => group))];
  const options = (group: OptionGroup): readonly (readonly [string, string])[] =>
    PERSIST_OPTIONS.filter((option) => option.group === group).map((option) => [optionFlags(option, angled), option.text]);
  const sections: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    ["Arguments", [["DEVICE", "device node or file; with --qmp a device of the machine"]]],
    [
      "Options",
      [
        ["-V, --version", "print the version"],
        ["-h, --help", "print this text"],
      ],
    ],
    ...groups.map((group) => [group, options(group)] as const),
  ];
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length)));
  return [
    "Usage: qom-pr persist [OPTIONS] DEVICE",
    "",
    ...wrap(
      "Sends one PERSISTENT RESERVE IN or OUT command and prints the answer. Options and exit statuses are those of sg_persist.",
      HELP_WIDTH,
    ),
    ...sections.flatMap(([title, rows]) => ["", `${title}:`, ...helpRows(rows, width)]),
    TRANSPORT_IDS_TEXT,
  ].join("\n");
}
