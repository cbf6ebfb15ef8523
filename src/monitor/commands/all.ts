/** All commands of QMP. */
import { z } from "zod";
import { defineCommand, noArguments, type QmpCommand } from "../command.js";
import { BLOCK_COMMANDS } from "./block.js";
import { DEVICE_COMMANDS } from "./devices.js";
import { GENERAL_COMMANDS } from "./general.js";
import { OBJECT_COMMANDS } from "./objects.js";
import { QOM_COMMANDS } from "./qom.js";
import { SCSI_COMMANDS } from "./scsi.js";

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
  commands.push(queryCommands);
  return commands;
}
