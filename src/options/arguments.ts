/**
 * The command-line options whose argument is an option text: which language each of them takes.
 *
 * Interface followed: QEMU 7.2 (softmmu/vl.c). Two points are ours: -blockdev takes `help` too, and every JSON text is checked for
 * duplicate names and exact integers.
 */
import { assert } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import { isOptionMap } from "./value.js";
import type { ParsedOptions } from "./value.js";
import { parseJson } from "./json.js";
import { parseKeyval } from "./keyval.js";
import type { PairSyntax } from "./pair-text.js";
import { parseQemuOpts } from "./qemu-opts.js";

/** The option without its dash. */
export type OptionArgument = "object" | "device" | "drive" | "blockdev";

/** How one option reads its argument. */
export interface ArgumentGrammar extends PairSyntax {
  /** Language of the `key=value` form. */
  readonly language: "qemu-opts" | "keyval";
  /** A text that starts with `{` is JSON. */
  readonly json: boolean;
}

/** The languages of the options. The keys of -drive come out flat: unflatten() is for the block layer, which knows the legacy ones. */
export const ARGUMENT_GRAMMARS: Readonly<Record<OptionArgument, ArgumentGrammar>> = {
  object: { language: "qemu-opts", impliedKey: "qom-type", permitHelp: true, json: true },
  device: { language: "qemu-opts", impliedKey: "driver", permitHelp: true, json: true },
  drive: { language: "qemu-opts", json: false },
  blockdev: { language: "keyval", impliedKey: "driver", permitHelp: true, json: true },
};

/**
 * Parses the argument of an option. JSON is recognised by a `{` at offset 0; after a blank it is `key=value` text like any other.
 * @throws QomError of kind `syntax`, `limit`, `bad-id` or `missing`, with argument, text and position in its context (see caretLines)
 */
export function parseOption(argument: OptionArgument, text: string): ParsedOptions {
  const grammar = ARGUMENT_GRAMMARS[argument];
  try {
    if (grammar.json && text.startsWith("{")) return parseJsonOption(text);
    return grammar.language === "keyval" ? parseKeyval(text, grammar) : parseQemuOpts(text, grammar);
  } catch (error) {
    if (error instanceof QomError) throw error.within({ argument, text });
    throw error;
  }
}

function parseJsonOption(text: string): ParsedOptions {
  const values = parseJson(text);
  assert(isOptionMap(values), "JSON that starts with '{' is an object");
  return { form: "json", values, warnings: [], help: false };
}
