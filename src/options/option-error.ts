/** Errors about the text of a command-line option, which say which option that is. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import type { OptionArgument } from "./arguments.js";
import { commaHint } from "./comma-hint.js";
import { located } from "./option-place.js";

/** The error with its message opened by the option that it is about, `-device scsi-block,drive=x: …`, and with the place in the text. */
export function atOption(argument: OptionArgument, text: string, error: unknown): unknown {
  return error instanceof QomError ? atText(argument, text, located(error, argument, text)) : error;
}

/** The same for an option whose text is in another language, in which places are not looked for. */
export function atText(argument: string, text: string, error: unknown): unknown {
  if (!(error instanceof QomError)) return error;
  const hint = commaHint(text) ?? error.hint;
  return new QomError(error.kind, `-${argument} ${printable(text)}: ${error.message}`, {
    context: { ...error.context, argument, text },
    qmpClass: error.qmpClass,
    ...(hint === undefined ? {} : { hint }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}
