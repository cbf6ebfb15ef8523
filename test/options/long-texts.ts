/** Texts of any length, to see what parsers make of them. */

/** Items, separated by commas, that are together about `length` characters. */
export function commaSeparated(length: number, item: (index: number) => string): string {
  const items: string[] = [];
  for (let size = 0, index = 0; size < length; index += 1) {
    const text = item(index);
    items.push(text);
    size += text.length + 1;
  }
  return items.join(",");
}
