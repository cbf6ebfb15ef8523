/** THE table of the human monitor. Every command that changes something is one of QMP, or does what that one does with options as text. */
import { parseJson, printJson } from "../../options/json.js";
import { addObject } from "../../qom/add-object.js";
import { fromHex } from "../../scsi/bytes.js";
import { ScsiStatus } from "../../scsi/command.js";
import { hexAndTextLines } from "../../scsi/hex-dump.js";
import { formatSense, parseSense } from "../../scsi/sense.js";
import { toPlain } from "../values.js";
import { HUMAN_BLOCK_COMMANDS } from "./block-commands.js";
import { helpLine, unknownCommand, usage } from "./command.js";
import type { HumanCommand, HumanContext } from "./command.js";
import { commandDigits } from "./hex-words.js";
import { INFO_COMMANDS } from "./info.js";
import { OPTIONS_TEXT, withOptions } from "./options-text.js";
import { recordOf, recordsOf, textOf } from "./values.js";

const objectAdd: HumanCommand = {
  name: "object_add",
  arguments: [{ name: `[qom-type=]type,id=str${OPTIONS_TEXT}`, rest: true, completes: "object-type" }],
  text: "make an object, like -object on the command line",
  run: async (values, { host }) => {
    const [text = ""] = values.values();
    await withOptions("object", text, (parsed) => addObject(host.tree, parsed));
    return [];
  },
};

const deviceAdd: HumanCommand = {
  name: "device_add",
  arguments: [{ name: `driver${OPTIONS_TEXT}`, rest: true, completes: "device-type" }],
  text: "make a device, like -device on the command line",
  run: async (values, { host }) => {
    const [text = ""] = values.values();
    await withOptions("device", text, (parsed) => host.devices.create(parsed.values, parsed.form));
    return [];
  },
};

const objectDel: HumanCommand = {
  name: "object_del",
  arguments: [{ name: "id", completes: "object-id" }],
  text: "delete an object",
  run: async (values, { executor }) => {
    await executor.execute("object-del", { id: values.get("id") });
    return [];
  },
};

const deviceDel: HumanCommand = {
  name: "device_del",
  arguments: [{ name: "device", completes: "device-id" }],
  text: "unplug a device",
  run: async (values, { executor }) => {
    await executor.execute("device_del", { id: values.get("device") });
    return [];
  },
};

const qomList: HumanCommand = {
  name: "qom-list",
  arguments: [{ name: "path", optional: true, completes: "path" }],
  text: "list the properties and children of an object",
  run: async (values, { executor }) => {
    const path = values.get("path");
    if (path === undefined) return ["/"];
    const entries = recordsOf(await executor.execute("qom-list", { path }));
    return entries.map((entry) => `${textOf(entry, "name")} (${textOf(entry, "type")})`);
  },
};

const qomGet: HumanCommand = {
  name: "qom-get",
  arguments: [
    { name: "path", completes: "path" },
    { name: "property", completes: "property" },
  ],
  text: "print a property",
  run: async (values, { executor }) => {
    const value = await executor.execute("qom-get", { path: values.get("path"), property: values.get("property") });
    return printJson(toPlain(value), { indent: 4 }).split("\n");
  },
};

const qomSet: HumanCommand = {
  name: "qom-set",
  arguments: [
    { name: "json", flag: "-j" },
    { name: "path", completes: "path" },
    { name: "property", completes: "property" },
    { name: "value", rest: true },
  ],
  text: "set a property (-j: the value is JSON)",
  run: async (values, { executor, host }) => {
    const [path = "", property = "", value = ""] = ["path", "property", "value"].map((name) => values.get(name));
    if (values.has("json"))
      await executor.run(
        "qom-set",
        new Map([
          ["path", path],
          ["property", property],
          ["value", parseJson(value)],
        ]),
      );
    else host.tree.set(path, property, value, "text");
    return [];
  },
};

const scsi: HumanCommand = {
  name: "scsi",
  arguments: [
    { name: "device", completes: "device-id" },
    { name: "cdb [data]", rest: true },
  ],
  text: "send a SCSI command: CDB and data for the device in hexadecimal",
  run: async (values, { executor }) => {
    const { cdb, data } = commandDigits(values.get("cdb [data]") ?? "");
    const answer = recordOf(
      await executor.execute("x-scsi-execute", {
        device: values.get("device"),
        cdb,
        "data-out": data,
      }),
    );
    const status = Number(textOf(answer, "status"));
    const sense = parseSense(bytesOf(textOf(answer, "sense")));
    const dataIn = bytesOf(textOf(answer, "data-in"));
    return [
      `status: ${statusName(status)} (${status.toString(16).padStart(2, "0")}h)`,
      ...(sense === null ? [] : [`sense: ${formatSense(sense)}`]),
      ...(dataIn.length === 0 ? [] : [`data: ${dataIn.length} bytes`, ...hexAndTextLines(dataIn)]),
    ];
  },
};

function bytesOf(digits: string): Uint8Array {
  return fromHex(digits) ?? new Uint8Array();
}

function statusName(status: number): string {
  const name = Object.entries(ScsiStatus).find(([, code]) => code === status)?.[0];
  return name?.replaceAll("_", " ") ?? "unknown";
}

const help: HumanCommand = {
  name: "help",
  alias: "?",
  arguments: [{ name: "cmd", optional: true, rest: true, completes: "command" }],
  text: "show the help",
  run: (values, context) => {
    const wanted = values.get("cmd");
    if (wanted === undefined) return helpLines(context, ({ name }) => !name.startsWith("info "));
    const lines = helpLines(context, ({ name, alias }) => name === wanted || alias === wanted);
    return lines.length > 0 ? lines : unknownCommand(wanted, context.commands);
  },
};

const info: HumanCommand = {
  name: "info",
  arguments: [{ name: "subcommand", optional: true }],
  text: "show various information about the machine",
  run: (_values, context) => helpLines(context, ({ name }) => name.startsWith("info ")),
};

function helpLines({ commands }: HumanContext, shown: (command: HumanCommand) => boolean): readonly string[] {
  return commands
    .filter(shown)
    .toSorted((a, b) => (usage(a) < usage(b) ? -1 : 1))
    .map(helpLine);
}

/** A command that is QMP's of the same name, without arguments or an answer. */
function same(name: string, alias: string, text: string): HumanCommand {
  return {
    ...{ name, alias, arguments: [], text },
    run: async (_values, { executor }) => {
      await executor.execute(name);
      return [];
    },
  };
}

const stop = same("stop", "s", "stop the machine: commands of the guest wait");

const cont = same("cont", "c", "let the machine run");

const quit: HumanCommand = { ...same("quit", "q", "end the machine"), last: true };

/** All rows. */
export const HUMAN_COMMANDS: readonly HumanCommand[] = [
  cont,
  deviceAdd,
  deviceDel,
  help,
  info,
  objectAdd,
  objectDel,
  qomGet,
  qomList,
  qomSet,
  quit,
  scsi,
  stop,
  ...HUMAN_BLOCK_COMMANDS,
  ...INFO_COMMANDS,
];
