/** `info SOMETHING`: what there is, in words (QEMU: hmp-commands-info.hx; the layout of info block, qom-tree and status is QEMU's). */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { packageVersion } from "../../base/package-version.js";
import { formatKey, isReservationType, ReservationTypeName } from "../../scsi/persistent-reserve.js";
import type { HumanCommand, HumanContext } from "./command.js";
import { isRecord, recordOf, recordsOf, textOf } from "./values.js";
import type { QmpRecord } from "./values.js";

const pr: HumanCommand = {
  name: "info pr",
  arguments: [],
  text: "show the PR managers and whether they reach what they need",
  run: async (_values, { executor }) => {
    const managers = recordsOf(await executor.execute("query-pr-managers"));
    return Promise.all(
      managers.map(async (manager) => {
        const type = await typeOf(executor, `/objects/${textOf(manager, "id")}`);
        return `${textOf(manager, "id")}: ${type}, ${manager["connected"] === true ? "connected" : "not connected"}`;
      }),
    );
  },
};

async function typeOf(executor: HumanContext["executor"], path: string): Promise<string> {
  return textOf({ type: await executor.execute("qom-get", { path, property: "type" }) }, "type");
}

const block: HumanCommand = {
  name: "info block",
  arguments: [
    { name: "nodes", flag: "-n" },
    { name: "device", optional: true, completes: "drive" },
  ],
  text: "show the disks, or one of them (-n: all block nodes)",
  run: async (values, { executor }) => {
    const nodes = values.has("nodes");
    const all = recordsOf(await executor.execute(nodes ? "query-named-block-nodes" : "query-block"));
    const device = values.get("device");
    const shown = all.filter((entry) => device === undefined || [textOf(entry, "device"), nodeNameOf(entry)].includes(device));
    return shown.flatMap((entry, index) => [...(index === 0 ? [] : [""]), ...blockLines(entry)]);
  },
};

function nodeNameOf(entry: QmpRecord): string {
  const { inserted } = entry;
  return textOf(isRecord(inserted) ? inserted : entry, "node-name");
}

function blockLines(entry: QmpRecord): readonly string[] {
  const { inserted } = entry;
  const node = isRecord(inserted) ? inserted : entry;
  const device = textOf(entry, "device");
  const nodeName = nodeNameOf(entry);
  const name = device === "" || device === nodeName ? nodeName : `${device} (${nodeName})`;
  const attached = textOf(entry, "qdev");
  return [
    `${name}: ${textOf(node, "file")} (${textOf(node, "drv")}${node["ro"] === true ? ", read-only" : ""})`,
    ...(attached === "" ? [] : [`    Attached to:      ${attached}`]),
    `    Cache mode:       ${cacheMode(node)}`,
    ...(textOf(node, "detect_zeroes") === "off" ? [] : [`    Detect zeroes:    ${textOf(node, "detect_zeroes")}`]),
  ];
}

function cacheMode({ cache }: QmpRecord): string {
  const { direct, "no-flush": noFlush }: QmpRecord = isRecord(cache) ? cache : {};
  return ["writeback", ...(direct === true ? ["direct"] : []), ...(noFlush === true ? ["ignore flushes"] : [])].join(", ");
}

const qomTree: HumanCommand = {
  name: "info qom-tree",
  arguments: [{ name: "path", optional: true, completes: "path" }],
  text: "show the composition tree, from a path on",
  run: async (values, { executor }) => {
    const path = values.get("path") ?? "/machine";
    try {
      return await treeLines(executor, path, path.split("/").at(-1) ?? "", 0);
    } catch (error) {
      if (!(error instanceof QomError) || error.kind !== "not-found") throw error;
      return [`Path '${printable(path)}' could not be resolved.`];
    }
  },
};

/** Deepest tree that is shown: what is deeper can only be a mistake. */
const DEPTH_MAX = 64;

async function treeLines(executor: HumanContext["executor"], path: string, name: string, depth: number): Promise<readonly string[]> {
  if (depth > DEPTH_MAX) return [];
  const entries = recordsOf(await executor.execute("qom-list", { path }));
  const type = await typeOf(executor, path);
  const children = entries
    .filter((entry) => textOf(entry, "type").startsWith("child<"))
    .map((entry) => textOf(entry, "name"))
    .toSorted();
  const below: (readonly string[])[] = [];
  for (const child of children) below.push(await treeLines(executor, `${path === "/" ? "" : path}/${child}`, child, depth + 1));
  return [`${" ".repeat(2 * depth)}/${name} (${type})`, ...below.flat()];
}

const reservations: HumanCommand = {
  name: "info reservations",
  arguments: [{ name: "unit", optional: true, completes: "unit" }],
  text: "show who is registered with the simulated units, and who holds a reservation",
  run: async (values, { executor }) => {
    const unit = values.get("unit");
    const units = recordsOf(await executor.execute("x-query-reservations", unit === undefined ? {} : { unit }));
    return units.flatMap(unitLines);
  },
};

function unitLines(unit: QmpRecord): readonly string[] {
  const registrants = recordsOf(unit["registrants"]);
  const count = registrants.length === 1 ? "1 registrant" : `${registrants.length} registrants`;
  const fabric = textOf(unit, "fabric");
  const where = fabric === "" ? textOf(unit, "unit") : `${textOf(unit, "unit")} (${fabric})`;
  return [
    `${where}: generation ${textOf(unit, "generation")}, ${count}, ${reservationText(unit["reservation"])}`,
    ...registrants.map(
      (registrant) =>
        `    ${formatKey(BigInt(textOf(registrant, "key")))}  ${textOf(registrant, "initiator")}, target port ${textOf(registrant, "target-port")}` +
        (registrant["holder"] === true ? "  << reservation holder >>" : ""),
    ),
  ];
}

function reservationText(reservation: QmpRecord[string]): string {
  if (!isRecord(reservation)) return "no reservation";
  const type = Number(textOf(reservation, "type"));
  return isReservationType(type) ? ReservationTypeName[type] : `reservation of type ${type}`;
}

const status: HumanCommand = {
  name: "info status",
  arguments: [],
  text: "show whether the machine runs",
  run: async (_values, { executor }) => {
    const answer = textOf(recordOf(await executor.execute("query-status")), "status");
    return [`VM status: ${answer === "running" ? answer : `paused${answer === "paused" ? "" : ` (${answer})`}`}`];
  },
};

const version: HumanCommand = {
  name: "info version",
  arguments: [],
  text: "show the version of qom-pr",
  run: () => [packageVersion()],
};

const history: HumanCommand = {
  name: "info history",
  arguments: [],
  text: "show the lines typed so far",
  run: (_values, context) => context.history.map((line, index) => `${index}: '${line}'`),
};

/** See the file text. */
export const INFO_COMMANDS: readonly HumanCommand[] = [block, history, pr, qomTree, reservations, status, version];
