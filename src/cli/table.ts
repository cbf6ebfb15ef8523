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

/** Characters in a line of a terminal; undefined if it is not a terminal: lines are then as long as they need to be. */
export function terminalWidth(stream: { readonly isTTY?: boolean; readonly columns?: number }): number | undefined {
  // A terminal that does not know its size says 0.
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0 ? stream.columns : undefined;
}

/** Blanks between two columns. */
const GAP = 2;

/** How a table is rendered. */
export interface TableLayout {
  readonly colour: boolean;
  /** Characters in a line; texts that do not fit go on in further lines of their row. Default: as many as the texts need. */
  readonly width?: number | undefined;
}

/** Lines of equal columns, without blanks at the end of a line. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], { colour, width }: TableLayout): string {
  const texts = rows.map((row) => columns.map((column) => column.text(row)));
  const titles = columns.map(({ title }) => title);
  const widths = fittingWidths([titles, ...texts], width ?? Infinity);
  const lines = (cells: readonly string[], style: (column: Column<Row>) => Style): readonly string[] => {
    const wrapped = cells.map((text, index) => wrap(text, widths[index] ?? 0));
    const height = Math.max(...wrapped.map((pieces) => pieces.length));
    return Array.from({ length: height }, (_, line) =>
      columns
        .map((column, index) => {
          const text = wrapped[index]?.[line] ?? "";
          const padding = index === columns.length - 1 ? "" : " ".repeat((widths[index] ?? 0) - text.length);
          const look = style(column);
          return (colour && look !== "none" && text !== "" ? styleText(look, text) : text) + padding;
        })
        .join(" ".repeat(GAP))
        .trimEnd(),
    );
  };
  const rule = "-".repeat(totalWidth(widths));
  const body = rows.flatMap((row, index) => lines(texts[index] ?? [], (column) => column.style?.(row) ?? "none"));
  return [...lines(titles, () => "bold"), rule, ...body, ""].join("\n");
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}

/** Widths of columns: what their texts need, or less so that a line has `width` characters; a word stays in one piece. */
function fittingWidths(rows: readonly (readonly string[])[], width: number): readonly number[] {
  const longest = (cell: (text: string) => number): number[] =>
    (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => cell(row[index] ?? ""))));
  const widths = longest((text) => text.length);
  const least = longest((text) => Math.max(...text.split(" ").map((word) => word.length)));
  while (totalWidth(widths) > width) {
    const shrinkable = widths.map((each, index) => (each > (least[index] ?? 0) ? each : 0));
    const widest = Math.max(...shrinkable);
    if (widest === 0) break;
    widths[shrinkable.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** The text in lines of at most `width` characters, divided at blanks. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Characters in a line of help. */
export const HELP_WIDTH = 80;

/**
 * Names and what they mean, in two columns of a text of help.
 * @param width of the column of names, in characters
 */
export function helpRows(rows: readonly (readonly [name: string, text: string])[], width: number): readonly string[] {
  const column = GAP + width + GAP;
  return rows.flatMap(([name, text]) =>
    wrap(text, HELP_WIDTH - column).map((line, index) => (index === 0 ? `  ${name}`.padEnd(column) : " ".repeat(column)) + line),
  );
}
