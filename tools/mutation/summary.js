/** Prints the table of docs/mutation.md from the report of the last run. */
import { readFileSync } from "node:fs";

/** @type {{ files: Record<string, { mutants: { status: string }[] }> }} */
const { files } = JSON.parse(readFileSync(new URL("../../.mutation/report.json", import.meta.url), "utf8"));
const rows = Object.entries(files)
  .toSorted(([one], [other]) => (one < other ? -1 : 1))
  .map(([path, { mutants }]) => [`\`${path}\``, ...figures(mutants)]);
const header = ["file", "mutants", "killed", "survived", "score, %"];
for (const row of [header, header.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]) console.log(`| ${row.join(" | ")} |`);
console.log(`| all | ${figures(Object.values(files).flatMap(({ mutants }) => mutants)).join(" | ")} |`);

/**
 * How many mutants there are, how many of them a test finds, and how many none does. One that leaves the tests unable to load, or
 * running for ever, is found.
 * @param {readonly { status: string }[]} mutants
 */
function figures(mutants) {
  const count = (/** @type {string[]} */ ...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = count("Killed", "Timeout", "RuntimeError");
  const survived = count("Survived", "NoCoverage");
  const all = killed + survived;
  return [all, killed, survived, all === 0 ? "no code" : ((100 * killed) / all).toFixed(1)].map(String);
}
