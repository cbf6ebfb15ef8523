/** A table for a terminal. */
import { styleText } from "node:util";

/** How a cell looks on a terminal with colour. */
export type Style = "bold" | "dim" | "red" | "green" | "cyan" | "none";

/** One column: its title, and what a row shows in it. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
}

/** What decides about colour: a terminal, and NO_COLOR (set to anything) against it. */
export function wantsColour(stream: { readonly isTTY?: boolean }, environment: Readonly<Record<string, string | undefined>>): boolean {
  const refused = environment["NO_COLOR"];
  return stream.isTTY === true && (refused === undefined || refused === "");
}

/** Lines of equal columns, two blanks apart, without blanks at the end of a line. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], colour: boolean): string {
  const widths = columns.map((column) => Math.max(column.title.length, ...rows.map((row) => column.text(row).length)));
  const line = (cell: (column: Column<Row>) => { text: string; style: Style }): string =>
    columns
      .map((column, index) => {
        const { text, style } = cell(column);
        const last = index === columns.length - 1;
        const padding = last ? "" : " ".repeat((widths[index] ?? 0) - text.length);
        return (colour && style !== "none" ? styleText(style, text) : text) + padding;
      })
      .join("  ")
      .trimEnd();
  const header = line((column) => ({ text: column.title, style: "bold" }));
  const rule = "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const body = rows.map((row) => line((column) => ({ text: column.text(row), style: column.style?.(row) ?? "none" })));
  return [header, rule, ...body, ""].join("\n");
}
