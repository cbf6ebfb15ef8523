/** Commands of the human monitor that make and remove block nodes (QEMU: hmp-commands.hx, drive_add and drive_del). */
import { addDrive, removeDrive } from "../../block/drive.js";
import type { HumanCommand, HumanContext } from "./command.js";
import { OPTIONS_TEXT, withOptions } from "./options-text.js";

/** The argument of `blockdev-add`. */
const NODE_TEXT = `[driver=]driver,node-name=str${OPTIONS_TEXT}`;

/** The argument of `drive_add`, as QEMU shows it. */
const DRIVE_TEXT = "if=none,id=str[,prop=value][,...]";

async function addNode(text: string, { host }: HumanContext): Promise<readonly string[]> {
  await withOptions("blockdev", text, (parsed) => host.graph.open(parsed.values, parsed.form));
  return [];
}

const blockdevAdd: HumanCommand = {
  name: "blockdev-add",
  arguments: [{ name: NODE_TEXT, rest: true, completes: "node-options" }],
  text: "make a block node, like -blockdev on the command line",
  run: (values, context) => addNode(values.get(NODE_TEXT) ?? "", context),
};

const blockdevDel: HumanCommand = {
  name: "blockdev-del",
  arguments: [{ name: "node-name", completes: "drive" }],
  text: "remove a block node that nothing uses",
  run: async (values, { executor }) => {
    await executor.execute("blockdev-del", { "node-name": values.get("node-name") });
    return [];
  },
};

const driveAdd: HumanCommand = {
  name: "drive_add",
  arguments: [{ name: "node", flag: "-n" }, { name: "pci-addr" }, { name: DRIVE_TEXT, rest: true, completes: "node-options" }],
  text: "make a drive, like -drive on the command line (-n: a block node, like -blockdev; pci-addr is ignored)",
  run: async (values, context) => {
    const text = values.get(DRIVE_TEXT) ?? "";
    if (values.has("node")) return addNode(text, context);
    await withOptions("drive", text, (parsed) => addDrive(context.host.graph, parsed.values));
    return ["OK"];
  },
};

const driveDel: HumanCommand = {
  name: "drive_del",
  arguments: [{ name: "id", completes: "drive" }],
  text: "remove a drive that no device uses",
  run: async (values, { host }) => {
    await removeDrive(host.graph, values.get("id") ?? "");
    return [];
  },
};

/** See the file text. */
export const HUMAN_BLOCK_COMMANDS: readonly HumanCommand[] = [blockdevAdd, blockdevDel, driveAdd, driveDel];
