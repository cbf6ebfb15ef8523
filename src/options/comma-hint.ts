/** A comma that is missing between two parameters, which makes one word of them: what people write who know other programs. */
import { printable } from "../base/limits.js";
import { findKeyEnd, readValue } from "./pair-text.js";

/** Texts are looked through this far: what is wrong in a longer one is no slip of somebody who typed it. */
const TEXT_LENGTH_MAX = 4096;

/** A blank where a name begins, or between a word and the name after it. */
const BLANK_IN_NAME = /^(\S*)\s+(\S+)$/;

/** A word, a blank, and a name with its value. */
const NAME_IN_VALUE = /^(\S+)\s+([A-Za-z][\w.-]*)=/;

/** What a parameter is called: a text that is not, and has no value, is the end of a value whose comma was not doubled. */
const PARAMETER_NAME = /^[A-Za-z][\w.-]*$/;

/**
 * A hint for the option text `text`, in which something is wrong, when a blank stands where a comma does, or a blank after a comma,
 * or a value has a comma that is not doubled and others that are; undefined when none of them is there.
 */
export function commaHint(text: string): string | undefined {
  if (text.length > TEXT_LENGTH_MAX || text.startsWith("{")) return undefined;
  let at = 0;
  while (at < text.length) {
    const nameEnd = findKeyEnd(text, at);
    const name = text.slice(at, nameEnd);
    const inName = BLANK_IN_NAME.exec(name);
    if (inName !== null) return hint(name, inName[1] ?? "", inName[2] ?? "");
    if (text[nameEnd] !== "=") {
      if (at > 0 && name !== "" && !PARAMETER_NAME.test(name)) {
        return `double every comma in a value: the one before '${printable(name)}' is not`;
      }
      at = nameEnd + 1;
      continue;
    }
    const { value, end } = readValue(text, nameEnd + 1);
    const inValue = NAME_IN_VALUE.exec(value);
    if (inValue !== null) return hint(`${inValue[1] ?? ""} ${inValue[2] ?? ""}`, inValue[1] ?? "", inValue[2] ?? "");
    at = end + 1;
  }
  return undefined;
}

function hint(found: string, before: string, after: string): string {
  if (before === "") return `'${printable(found)}' begins with a blank: do not put a blank after a comma`;
  return `'${printable(found)}' is not one parameter: a comma stands between '${printable(before)}' and '${printable(after)}'`;
}
