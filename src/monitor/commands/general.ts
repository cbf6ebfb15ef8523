/** Commands about the monitor and the machine as a whole (QEMU: qapi/control.json, qapi/run-state.json, qapi/misc.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import { QomError } from "../../base/errors.js";
import type { QemuAnswers } from "../../qemu/compat.js";
import { RUN_STATUSES } from "../../devices/run-state.js";
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

/** Commands of the guest wait while the machine does not run. */
function queryStatus({ singlestep }: QemuAnswers): QmpCommand {
  return defineCommand({
    name: "query-status",
    arguments: noArgumentsSchema,
    result: () =>
      z.strictObject({ running: z.boolean(), ...(singlestep ? { singlestep: z.boolean() } : {}), status: z.enum(RUN_STATUSES) }),
    run: (_given, { host: { runState } }) => ({
      running: !runState.stopped,
      ...(singlestep ? { singlestep: false } : {}),
      status: runState.status,
    }),
  });
}

const stop = defineCommand({
  name: "stop",
  arguments: noArgumentsSchema,
  result: nothingSchema,
  run: async (_given, { host }) => {
    await host.stop();
    return {};
  },
});

const cont = defineCommand({
  name: "cont",
  arguments: noArgumentsSchema,
  result: nothingSchema,
  run: (_given, { host }) => {
    host.cont();
    return {};
  },
});

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
  return [capabilities, queryVersion, queryName, queryStatus(answers), stop, cont, quit];
}
