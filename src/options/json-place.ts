/** Where in a JSON text a member is. */
import { JsonLexer } from "./json-lexer.js";
import type { JsonPunctuation, JsonScalar, JsonTokenSink } from "./json-lexer.js";
import type { OptionPlace } from "./pair-place.js";

/** An object or list that has begun: its path, and of a list the index of the next element. */
interface Open {
  readonly path: string;
  index: number | undefined;
}

/** Follows the tokens of a text that is known to be well formed. */
class PlaceFinder implements JsonTokenSink {
  found: OptionPlace | undefined;
  readonly #wanted: string;
  readonly #open: Open[] = [];
  #name: { readonly path: string; readonly at: number } | undefined;

  constructor(wanted: string) {
    this.#wanted = wanted;
  }

  scalar(value: JsonScalar, start: number): void {
    const open = this.#open.at(-1);
    if (open !== undefined && open.index === undefined && this.#name === undefined) {
      this.#name = { path: pathIn(open, String(value)), at: start };
    } else {
      this.#value(start);
    }
  }

  punctuation(mark: JsonPunctuation, start: number): void {
    if (mark === "{" || mark === "[") this.#open.push({ path: this.#value(start), index: mark === "[" ? 0 : undefined });
    else if (mark === "}" || mark === "]") this.#open.pop();
  }

  flawed(): void {
    // a text with a flaw has said so already
  }

  lexicalError(): void {
    // likewise
  }

  lineFeed(): void {
    // means nothing within a value
  }

  /** A value starts here; its path. */
  #value(start: number): string {
    const open = this.#open.at(-1);
    const name = this.#name ?? { path: pathIn(open, String(open?.index ?? "")), at: start };
    if (open?.index !== undefined) open.index += 1;
    this.#name = undefined;
    if (name.path === this.#wanted) this.found ??= { name: name.at, value: start };
    return name.path;
  }
}

function pathIn(open: Open | undefined, name: string): string {
  return open === undefined || open.path === "" ? name : `${open.path}.${name}`;
}

/** Where the member at the dotted path `option` is in `text`, whose value was read before; undefined when there is none. */
export function jsonPlace(text: string, option: string): OptionPlace | undefined {
  const finder = new PlaceFinder(option);
  new JsonLexer(finder).feed(text);
  return finder.found;
}
