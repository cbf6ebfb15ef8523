/** The words of a command line as it stands in a log, on a page or in a terminal. */

/**
 * What a shell makes of a text: words between blanks, quotes of both kinds, backslashes, and lines that a backslash continues. Nothing is
 * substituted.
 */
export function shellWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^\n]|[^\s'"\\]|\\\n(?=\S))+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g, (_, single?: string, double?: string, escaped?: string) => {
      if (single !== undefined) return single;
      if (double !== undefined) return double.replaceAll(/\\(["\\$`\n])/g, (__, sign: string) => (sign === "\n" ? "" : sign));
      return escaped === "\n" ? "" : (escaped ?? "");
    }),
  );
}

/** The words of a template. */
export const shell = (text: TemplateStringsArray): readonly string[] => shellWords(text.raw.join(""));
