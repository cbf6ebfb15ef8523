/** All commands of QMP. */
import * as z from "zod";
import { BLOCK_NODE_TYPE } from "../../block/node.js";
import { USER_CREATABLE } from "../../qom/interfaces.js";
import { defineCommand, noArguments, type QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { qmpSchema, SCHEMA_INFO, type SchemaVariants } from "../schema.js";
import { BLOCK_COMMANDS } from "./block.js";
import { DEVICE_COMMANDS } from "./devices.js";
import { GENERAL_COMMANDS } from "./general.js";
import { OBJECT_COMMANDS } from "./objects.js";
import { QOM_COMMANDS } from "./qom.js";
import { SCSI_COMMANDS } from "./scsi.js";

/** Commands whose arguments depend on a type, and the types there are. */
function variantsOf({ objectTypes, drivers }: MonitorHost): ReadonlyMap<string, SchemaVariants> {
  return new Map([
    ["object-add", { tag: "qom-type", types: objectTypes.list({ implements: USER_CREATABLE.name }) }],
    ["blockdev-add", { tag: "driver", types: drivers.list({ implements: BLOCK_NODE_TYPE }) }],
  ]);
}

/** The commands, among them the one that lists them. */
export function allCommands(): readonly QmpCommand[] {
  const commands: QmpCommand[] = [
    ...GENERAL_COMMANDS,
    ...OBJECT_COMMANDS,
    ...QOM_COMMANDS,
    ...DEVICE_COMMANDS,
    ...BLOCK_COMMANDS,
    ...SCSI_COMMANDS,
  ];
  const queryCommands = defineCommand({
    name: "query-commands",
    arguments: noArguments,
    result: z.array(z.strictObject({ name: z.string() })),
    run: () => commands.map(({ name }) => ({ name })),
  });
  const querySchema = defineCommand({
    name: "query-qmp-schema",
    arguments: noArguments,
    result: z.array(SCHEMA_INFO),
    run: (_given, { host }) => [...qmpSchema(commands, variantsOf(host))],
  });
  commands.push(queryCommands, querySchema);
  return commands;
}
