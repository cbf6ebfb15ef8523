/** What `--manager help` and `--manager TYPE,help` print. */
import { managerHelp } from "../../machine/help.js";
import { typeRegistries } from "../../machine/types.js";
import { parseOption } from "../../options/arguments.js";
import { atOption } from "../../options/option-error.js";

/**
 * The types of managers, or the properties of one; null for a text that asks for neither.
 * @throws QomError `unknown-type`; `syntax` for a text that is none of an object
 */
export function helpOfManager(text: string): string | null {
  try {
    return managerHelp(parseOption("object", text), typeRegistries([]));
  } catch (error) {
    throw atOption("object", text, error);
  }
}
