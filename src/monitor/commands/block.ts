/** Commands about block nodes (QEMU: qapi/block-core.json). */
import { z } from "zod";
import { defineCommand, nothing, type QmpCommand } from "../command.js";

const blockdevAdd = defineCommand({
  name: "blockdev-add",
  arguments: z.looseObject({ driver: z.string(), "node-name": z.string().optional() }),
  result: nothing,
  run: async (_given, { host }, raw) => {
    await host.graph.open(raw, "json");
    return {};
  },
});

const blockdevDel = defineCommand({
  name: "blockdev-del",
  arguments: z.strictObject({ "node-name": z.string() }),
  result: nothing,
  run: async (given, { host }) => {
    await host.graph.close(given["node-name"]);
    return {};
  },
});

/** See the file text. */
export const BLOCK_COMMANDS: readonly QmpCommand[] = [blockdevAdd, blockdevDel];
