/** Where in the text of an option a parameter is: looked up when there is an error to show, so that parsing keeps no positions. */
import type { QomError, QomErrorKind } from "../base/errors.js";
import { ARGUMENT_GRAMMARS } from "./arguments.js";
import type { OptionArgument } from "./arguments.js";
import { jsonPlace } from "./json-place.js";
import { pairPlace } from "./pair-place.js";
import type { OptionPlace } from "./pair-place.js";

/** Kinds of error that are about the name of a parameter; the others are about its value. */
const ABOUT_NAMES: ReadonlySet<QomErrorKind> = new Set<QomErrorKind>(["unknown-name", "read-only"]);

/**
 * `error`, about the argument `text` of the option `argument`, with the position of the parameter that it names, unless it has one or
 * the parameter is not in the text.
 */
export function located(error: QomError, argument: OptionArgument, text: string): QomError {
  const { option, position } = error.context;
  if (position !== undefined || option === undefined) return error;
  const place = placeOf(argument, text, option) ?? (error.kind === "missing" ? placeAround(argument, text, option) : undefined);
  if (place === undefined) return error;
  return error.within({ position: ABOUT_NAMES.has(error.kind) ? place.name : place.value });
}

/** Where the parameter `option`, dotted where it is nested, is given: the one that counts when it is repeated. */
function placeOf(argument: OptionArgument, text: string, option: string): OptionPlace | undefined {
  const { json, language, impliedKey } = ARGUMENT_GRAMMARS[argument];
  if (json && text.startsWith("{")) return jsonPlace(text, option);
  const flags = language === "qemu-opts";
  return pairPlace(text, { option, impliedKey, flags }, flags && option === "id");
}

/** Where the innermost parameter is that `option`, which is missing, is nested in. */
function placeAround(argument: OptionArgument, text: string, option: string): OptionPlace | undefined {
  const dot = option.lastIndexOf(".");
  if (dot === -1) return undefined;
  const around = option.slice(0, dot);
  return placeOf(argument, text, around) ?? placeAround(argument, text, around);
}
