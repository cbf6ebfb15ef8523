/** Tables of the project's pages, as tests read them. */

/**
 * The cells of each row of the table in `page` whose header has these titles. Fails when there is no such table, or more than one.
 * @param page text in Markdown
 */
export function tableOf(page: string, titles: readonly string[]): readonly (readonly string[])[] {
  const lines = page.split("\n");
  const heads = lines.flatMap((line, index) => (isRow(line) && cells(line).join("|") === titles.join("|") ? [index] : []));
  const [head, second] = heads;
  if (head === undefined || second !== undefined) throw new Error(`${heads.length} tables have the header ${titles.join(", ")}`);
  const body = lines.slice(head + 2);
  const end = body.findIndex((line) => !isRow(line));
  return body.slice(0, end === -1 ? body.length : end).map(cells);
}

/** What stands in backquotes. */
export function quoted(text: string): readonly string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, inside = ""]) => inside);
}

function isRow(line: string): boolean {
  return line.startsWith("|");
}

function cells(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}
