/** "Did you mean": the known name nearest to a mistyped one. */

import { printable } from "../base/limits.js";

/** Candidates longer than this are not compared: no known name is longer, and the work is quadratic in it. */
const CANDIDATE_LENGTH_MAX = 64;

/** More mistakes than this in one name are another name. */
const DISTANCE_MAX = 3;

/**
 * The candidate that `name` most probably stands for: fewest insertions, deletions, replacements and swaps of neighbours, at most one
 * for every three letters and three in all. The first of equals; undefined when none is near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let found: string | undefined;
  let bound = Math.min(DISTANCE_MAX, Math.ceil(name.length / 3));
  for (const candidate of candidates) {
    if (candidate.length > CANDIDATE_LENGTH_MAX || Math.abs(candidate.length - name.length) > bound) continue;
    const distance = editDistance(name, candidate);
    // Replacing every letter makes any short name of any other.
    if (distance > bound || distance >= Math.min(name.length, candidate.length)) continue;
    found = candidate;
    bound = distance - 1;
  }
  return found;
}

/**
 * A question for the user who wrote `name`, which is not one of `candidates`; undefined when none of them is near.
 * @param show gives a candidate as it is written: with its dashes
 */
export function didYouMean(
  name: string,
  candidates: Iterable<string>,
  show: (candidate: string) => string = (candidate) => candidate,
): string | undefined {
  const near = nearest(name, candidates);
  return near === undefined ? undefined : `did you mean '${show(near)}'?`;
}

/** Names that are listed for who asks for another one: a line's worth. */
const NAMES_LISTED_MAX = 8;

/** A hint for the user who asked for `name`, which is not one of `names`: the one that was probably meant, or those that there are. */
export function thoseThere(name: string, names: readonly string[]): string {
  const question = didYouMean(name, names);
  if (question !== undefined) return question;
  if (names.length === 0) return "there is none";
  const listed = names.slice(0, NAMES_LISTED_MAX).map(printable).join(", ");
  const more = names.length - NAMES_LISTED_MAX;
  return `there ${names.length === 1 ? "is" : "are"} ${listed}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Damerau-Levenshtein distance in its restricted form: no piece of the text is edited twice. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
