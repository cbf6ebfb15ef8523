/** Options as text in the human monitor, in the languages of the command line. */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { parseOption } from "../../options/arguments.js";
import type { OptionArgument } from "../../options/arguments.js";
import { commaHint } from "../../options/comma-hint.js";
import type { ParsedOptions } from "../../options/value.js";

/** How they are written in the help. */
export const OPTIONS_TEXT = "[,prop=value][,...]";

/**
 * Parses the text of a command that stands for `-argument`, and does with it what `use` does.
 * @throws QomError also `syntax` for a request for help, which `help` gives
 */
export async function withOptions(argument: OptionArgument, text: string, use: (parsed: ParsedOptions) => Promise<unknown>): Promise<void> {
  const hint = commaHint(text);
  try {
    const parsed = parseOption(argument, text);
    if (parsed.help) {
      throw new QomError("syntax", `'${printable(text)}' asks for help: press Tab after the comma for the names of properties`);
    }
    await use(parsed);
  } catch (error) {
    if (hint === undefined || !(error instanceof QomError)) throw error;
    throw new QomError(error.kind, error.message, { hint, context: error.context, cause: error.cause, qmpClass: error.qmpClass });
  }
}
