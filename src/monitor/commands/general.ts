/** Commands about the monitor and the machine as a whole (QEMU: qapi/control.json, qapi/run-state.json, qapi/misc.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import { QomError } from "../../base/errors.js";
import type { QemuAnswers } from "../../qemu/compat.js";
import { defineCommand, noArgumentsSchema, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import { qmpVersion, versionSchema } from "../version.js";

/** Arguments of qmp_capabilities, which sessions handle themselves. */
export const capabilitiesArguments = lazily(() => z.strictObject({ enable: z.array(z.enum(["oob"])).optional() }));

/** Ends the machine: first the reply, then the end, announced by the event SHUTDOWN. */
const quit = defineCommand({
  name: "quit",
  arguments: noArgumentsSchema,
  result: nothingSchema,
  run: (_given, { host, afterReply }) => {
    afterReply(() => host.quit());
    return {};
  },
});

const queryVersion = defineCommand({
  name: "query-version",
  arguments: noArgumentsSchema,
  result: versionSchema,
  run: (_given, { host }) => qmpVersion(host.answers),
});

const queryName = defineCommand({
  name: "query-name",
  arguments: noArgumentsSchema,
  result: () => z.strictObject({ name: z.string().optional() }),
  run: (_given, { host }) => ({ name: host.name }),
});

/** Without a guest that could be stopped, a machine runs from the moment it is made. */
function queryStatus({ singlestep }: QemuAnswers): QmpCommand {
  return defineCommand({
    name: "query-status",
    arguments: noArgumentsSchema,
    result: () => z.strictObject({ running: z.boolean(), ...(singlestep ? { singlestep: z.boolean() } : {}), status: z.enum(["running"]) }),
    run: () => ({ running: true, ...(singlestep ? { singlestep: false } : {}), status: "running" as const }),
  });
}

/** Negotiation happens once per connection, before any other command: here it has happened. */
const capabilities = defineCommand({
  name: "qmp_capabilities",
  arguments: capabilitiesArguments,
  result: nothingSchema,
  run: () => {
    throw new QomError("unknown-name", "capabilities negotiation is already complete, command ignored", {
      qmpClass: "CommandNotFound",
    });
  },
});

/** See the file text. */
export function generalCommands(answers: QemuAnswers): readonly QmpCommand[] {
  return [capabilities, queryVersion, queryName, queryStatus(answers), quit];
}
