/** Commands about user-created objects (QEMU: qapi/qom.json, qapi/misc-target.json). */
import * as z from "zod";
import { PrManager } from "../../pr-manager/pr-manager.js";
import { addObject } from "../../qom/add-object.js";
import { defineCommand, noArgumentsSchema, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import { requireDeletable } from "../monitor-objects.js";

const objectAdd = defineCommand({
  name: "object-add",
  arguments: () => z.looseObject({ "qom-type": z.string(), id: z.string() }),
  result: nothingSchema,
  run: async (_given, { host }, raw) => {
    await addObject(host.tree, { values: raw, form: "json" });
    return {};
  },
});

const objectDel = defineCommand({
  name: "object-del",
  arguments: () => z.strictObject({ id: z.string() }),
  result: nothingSchema,
  run: async ({ id }, { host, monitor }) => {
    requireDeletable(host.tree.object(id), monitor);
    await host.tree.delete(id);
    return {};
  },
});

const queryPrManagers = defineCommand({
  name: "query-pr-managers",
  arguments: noArgumentsSchema,
  result: () => z.array(z.strictObject({ id: z.string(), connected: z.boolean() })),
  run: (_given, { host }) =>
    host.tree
      .children(host.tree.resolve("/objects"))
      .filter((object) => object instanceof PrManager)
      .map((manager) => ({ id: manager.id ?? "", connected: manager.connected })),
});

/** See the file text. */
export const OBJECT_COMMANDS: readonly QmpCommand[] = [objectAdd, objectDel, queryPrManagers];
