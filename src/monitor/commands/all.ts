/** All commands of QMP. */
import * as z from "zod";
import { QomError } from "../../base/errors.js";
import { lazily } from "../../base/lazily.js";
import { printable } from "../../base/limits.js";
import { BLOCK_NODE_TYPE } from "../../block/node.js";
import { answersOf, QEMU_VERSION_DEFAULT } from "../../qemu/compat.js";
import type { QemuVersion } from "../../qemu/compat.js";
import { USER_CREATABLE } from "../../qom/interfaces.js";
import { defineCommand, noArgumentsSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";
import { qmpSchema, schemaInfo } from "../schema.js";
import type { SchemaVariants } from "../schema.js";
import { blockCommands } from "./block.js";
import { DEVICE_COMMANDS } from "./devices.js";
import { generalCommands } from "./general.js";
import { MIGRATION_COMMANDS } from "./migration.js";
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

/** Names as QAPI has them: `x-` begins what may change, `__` and a reversed domain what QEMU will never have (QEMU: docs/devel/qapi-code-gen). */
const COMMAND_NAME = /^(?:__[a-z0-9.-]+_)?[a-z][a-z0-9_-]*$/i;

/** Every message about a command has its name. */
const COMMAND_NAME_LENGTH_MAX = 127;

/** All machines without commands of their own that follow the same QEMU have the same, which keep nothing. */
const BUILT_IN: Readonly<Record<QemuVersion, () => readonly QmpCommand[]>> = {
  "7.2": lazily(() => makeCommands("7.2", [])),
  "11.1": lazily(() => makeCommands("11.1", [])),
};

/** The commands of a version, those of the embedder and the one that lists all among them. @throws QomError as {@link checkOwn} */
export function allCommands(version: QemuVersion = QEMU_VERSION_DEFAULT, own: readonly QmpCommand[] = []): readonly QmpCommand[] {
  return own.length === 0 ? BUILT_IN[version]() : makeCommands(version, own);
}

function makeCommands(version: QemuVersion, own: readonly QmpCommand[]): readonly QmpCommand[] {
  const answers = answersOf(version);
  const builtIn: readonly QmpCommand[] = [
    ...generalCommands(answers),
    ...OBJECT_COMMANDS,
    ...QOM_COMMANDS,
    ...DEVICE_COMMANDS,
    ...blockCommands(answers),
    ...SCSI_COMMANDS,
    ...MIGRATION_COMMANDS,
  ];
  const commands = builtIn.filter(({ name }) => !answers.missingCommands.includes(name));
  const queryCommands = defineCommand({
    name: "query-commands",
    arguments: noArgumentsSchema,
    result: () => z.array(z.strictObject({ name: z.string() })),
    run: () => commands.map(({ name }) => ({ name })),
  });
  const querySchema = defineCommand({
    name: "query-qmp-schema",
    arguments: noArgumentsSchema,
    result: () => z.array(schemaInfo()),
    run: (_given, { host }) => [...qmpSchema(commands, variantsOf(host))],
  });
  commands.push(queryCommands, querySchema);
  for (const command of own) {
    checkOwn(command, commands);
    commands.push(command);
  }
  return commands;
}

/** @throws QomError `invalid-value` for a name that QMP does not allow or is too long; `duplicate` for one that is taken */
function checkOwn({ name }: QmpCommand, others: readonly QmpCommand[]): void {
  const context = { option: "commands", value: printable(name) };
  if (name.length > COMMAND_NAME_LENGTH_MAX || !COMMAND_NAME.test(name)) {
    throw new QomError("invalid-value", `'${printable(name)}' cannot be the name of a QMP command`, {
      context,
      hint: `a letter, then letters, digits, '-' and '_'; at most ${COMMAND_NAME_LENGTH_MAX} characters`,
    });
  }
  if (others.some((other) => other.name === name)) {
    throw new QomError("duplicate", `there are two QMP commands named '${name}'`, { context });
  }
}
