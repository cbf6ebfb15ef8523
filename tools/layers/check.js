/**
 * Checks the import rules of rooms.js on this project, or on the tree in the folder given as argument: prints every violation, and fails
 * if there is one.
 */
import { fileURLToPath } from "node:url";
import { cruise } from "./cruise.js";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

const { modules, dependencies, violations } = cruise(process.argv[2] ?? PROJECT, ["src", "examples"]);
for (const { rule, from, to, comment, cycle } of violations) {
  console.error(`${rule}: ${from} -> ${cycle.length > 0 ? cycle.join(" -> ") : to} (${comment})`);
}
console.log(`${modules} modules, ${dependencies} imports, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
