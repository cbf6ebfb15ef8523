/** `npm run record:qapi`: asks the QEMU that is installed for its schema, and writes down what of it concerns the commands and events here. */
import { spawnSync } from "node:child_process";
import { PROGRAM } from "../qmp-compare/qemu.js";
import { QapiSchema } from "../support/qapi-schema.js";
import type { Entity } from "../support/qapi-schema.js";
import { installedVersion } from "../support/qemu-version.js";
import { NAMES, schemaRecord } from "./support/recorded-schema.js";

/** Of these commands only the answer is recorded: test/qemu-known has the options of nodes and objects. */
const WITHOUT_ARGUMENTS = ["blockdev-add", "blockdev-reopen", "object-add"];

/** The schema has some 250,000 characters. */
const OUTPUT_MAX = 1 << 24;

function ask(): QapiSchema {
  const input = ["qmp_capabilities", "query-qmp-schema", "quit"].map((execute) => JSON.stringify({ execute })).join("\n");
  const argv = ["-M", "none", "-display", "none", "-nodefaults", "-qmp", "stdio"];
  const { stdout } = spawnSync(PROGRAM, argv, { input, encoding: "utf8", maxBuffer: OUTPUT_MAX });
  const line = stdout.split("\n").find((each) => each.includes('"meta-type"'));
  if (line === undefined) throw new Error("QEMU gives no schema");
  return new QapiSchema((JSON.parse(line) as { readonly return: readonly Entity[] }).return); // what query-qmp-schema gives
}

/** The entities of those names and all that they use. */
function reachable(schema: QapiSchema, names: readonly string[]): ReadonlyMap<string, Entity> {
  const found = new Map<string, Entity>();
  const pending = [...names];
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const entity = schema.find(name);
    if (entity === undefined || found.has(name)) continue;
    const { "arg-type": argument, ...rest } = entity;
    const kept = WITHOUT_ARGUMENTS.includes(name) || argument === undefined ? rest : entity;
    found.set(name, kept);
    pending.push(...schema.uses(kept));
  }
  return found;
}

const version = installedVersion();
const entities = reachable(ask(), NAMES);
schemaRecord.write(version, entities);
console.log(`QEMU ${version}: ${entities.size} entities`);
