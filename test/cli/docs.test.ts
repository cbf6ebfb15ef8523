/** docs/cli.md says what the code does: its tables are made from the code's. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { traceNames } from "#src/machine/trace-points.js";
import { ExitStatus } from "#src/cli/persist/exit-status.js";
import { usage } from "#src/monitor/human/command.js";
import { HUMAN_COMMANDS } from "#src/monitor/human/commands.js";
import { optionFlags, PERSIST_OPTIONS } from "#src/cli/persist/option-table.js";
import { RUN_OPTIONS, runOptionUsage } from "#src/cli/run-options.js";
import { VERSION_DIFFERENCES } from "./support/sg-persist.js";

const PAGE = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));

/** A table in prettier's format. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const TABLES: Readonly<Record<string, () => string>> = {
  "run options": () =>
    table(
      ["option", "meaning"],
      RUN_OPTIONS.map((option) => [`\`${runOptionUsage(option)}\``, option.text]),
    ),
  "monitor commands": () =>
    table(
      ["command", "meaning"],
      HUMAN_COMMANDS.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((command) => [
        `\`${usage(command)
          .trim()
          .replaceAll("|", String.raw`\|`)}\``,
        command.text,
      ]),
    ),
  "sg_persist versions": () =>
    table(
      ["the disk's answer", "exit status up to 1.46", "from 1.47 on, and qom-pr persist"],
      VERSION_DIFFERENCES.map(({ answer, before, since }) => [answer, String(before), String(since)]),
    ),
  "trace points": () =>
    traceNames()
      .map((name) => `\`${name}\``)
      .join(", "),
  "persist options": () => {
    const groups = [...new Set(PERSIST_OPTIONS.map(({ group }) => group))];
    const tables = groups.map((group) => {
      const rows = PERSIST_OPTIONS.filter((row) => row.group === group);
      return table(
        [group, "meaning"],
        rows.map((row) => [`\`${optionFlags(row, (value) => value)}\``, row.text]),
      );
    });
    return tables.join("\n\n");
  },
};

describe("docs/cli.md", () => {
  for (const [name, make] of Object.entries(TABLES)) {
    it(`has the table of ${name}`, () => {
      const page = readFileSync(PAGE, "utf8");
      const [before, after] = [`<!-- table: ${name} -->\n`, "\n<!-- end -->"];
      const start = page.indexOf(before) + before.length;
      const end = page.indexOf(after, start - 1);
      // prettier may break lines of prose
      const same = (found: string): boolean => found.replaceAll(/\s+/g, " ").trim() === make().replaceAll(/\s+/g, " ");
      expect(page.slice(start, end), "UPDATE_DOCS=1 writes it").to.satisfy((found: string) => {
        if (same(found) || process.env["UPDATE_DOCS"] !== "1") return same(found);
        writeFileSync(PAGE, `${page.slice(0, start)}\n${make()}\n${page.slice(end)}`);
        return true;
      });
    });
  }

  it("tells every exit status of persist, and no other", () => {
    const section = /### Exit status\n([^]*?)\n##/.exec(readFileSync(PAGE, "utf8"))?.[1] ?? "";
    const told = [...section.matchAll(/^\| (\d+)/gm)].map(([, status]) => Number(status));
    expect(told).to.deep.equal(Object.values(ExitStatus));
  });
});
