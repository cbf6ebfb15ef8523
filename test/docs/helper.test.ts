/** docs/helper.md has the options that qom-pr-helper takes, and their defaults. */
import { expect } from "chai";
import { PrManagerSgio } from "#src/backends/sgio.js";
import { CONNECTIONS_PER_USER_DEFAULT } from "#src/helper/connections/admission.js";
import { CONNECTION_DESCRIPTOR_LIMIT } from "#src/helper/shared/connection-table.js";
import { STUCK_CLOSES_MAX, STUCK_CLOSES_PER_USER } from "#src/helper/workers/spent-descriptors.js";
import { WORKERS_MAX } from "#src/helper/settings/settings.js";
import type { HelperOptions } from "#src/helper/settings/settings.js";
import { DEFAULT_SOCKET, HELPER_OPTIONS, parseHelperOptions } from "#src/helper/start/options.js";
import { typeRegistries } from "#src/machine/types.js";
import { projectFile } from "../lint/planted-tree.js";
import { quoted, tableOf } from "../support/page-table.js";

/** The rows of options; what is left empty in the first column belongs to the row above. */
const PAGE = projectFile("docs/helper.md");
const ROWS = tableOf(PAGE, ["option", "meaning"]).reduce<(readonly [string, string])[]>((rows, [option = "", meaning = ""]) => {
  const last = rows.at(-1);
  return option === "" && last !== undefined ? [...rows.slice(0, -1), [last[0], `${last[1]} ${meaning}`]] : [...rows, [option, meaning]];
}, []);

/** Stalled clients are looked for twice in the time that they have (stalled-clients.ts). */
const LONGEST_IN_TIMEOUTS = 1.5;

function served(...args: readonly string[]): HelperOptions {
  const command = parseHelperOptions(args);
  if (!("serve" in command)) throw new Error("these options are to serve");
  return command.serve;
}

/** The options of a row: `-k`, `--socket=PATH` is one, `-V`, `-h` are two. */
function optionsOf(cell: string): readonly (typeof HELPER_OPTIONS)[number][] {
  const words = quoted(cell).map((word) => word.replace(/=.*/, ""));
  const found = words.map((word) => {
    const option = HELPER_OPTIONS.find(({ short, long }) => word === `--${long}` || (short !== undefined && word === `-${short}`));
    if (option === undefined) throw new Error(`there is no option ${word}`);
    return option;
  });
  return [...new Set(found)];
}

/** The default that a text tells in brackets: a word or a number. */
function bracketed(text: string): string | undefined {
  return /\(`?([\w-]+)`?\)/.exec(text)?.[1];
}

function defaults(): Readonly<Record<string, string>> {
  const { workersMax, initiatorFrom, admission, userLimits, requestTimeoutMs, objects } = served();
  expect(objects, "SG_IO on the workers").to.deep.equal([]);
  expect(admission.connectionsPerUser, "as many as the descriptors allow").to.equal(null);
  const sgio = typeRegistries([])
    .objects.list()
    .find(({ constructor }) => constructor === PrManagerSgio);
  return {
    workers: String(workersMax),
    object: String(sgio?.name),
    "initiator-from": initiatorFrom,
    "connections-per-user": String(CONNECTIONS_PER_USER_DEFAULT),
    "connections-per-process": String(admission.connectionsPerProcess),
    "units-per-user": String(userLimits.units),
    "registrations-per-user": String(userLimits.registrations),
    "bytes-per-user": String(userLimits.bytes),
    "request-timeout": String(requestTimeoutMs / 1000),
  };
}

describe("docs/helper.md", () => {
  it("has every option, and no other", () => {
    const told = ROWS.flatMap(([option]) => optionsOf(option));
    expect(told.map(({ long }) => long)).to.have.members(HELPER_OPTIONS.map(({ long }) => long));
  });

  it("has the options of qemu-pr-helper first", () => {
    const own = ROWS.flatMap(([option]) => optionsOf(option)).map((option) => option.own === true);
    expect(own).to.deep.equal(own.toSorted((a, b) => Number(a) - Number(b)));
  });

  it("has both names of each option, and an argument where the option takes one", () => {
    for (const [cell] of ROWS) {
      const [option, ...others] = optionsOf(cell);
      if (option === undefined || others.length > 0) continue; // `-V`, `-h`
      const { short, long, argument } = option;
      const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}${argument === undefined ? "" : "=…"}`];
      expect(quoted(cell).map((word) => word.replace(/=.*/, "=…"))).to.deep.equal(names);
    }
  });

  it("tells every default, as the help text does", () => {
    const told = ROWS.flatMap(([cell, meaning]) => {
      const value = bracketed(meaning);
      return value === undefined ? [] : optionsOf(cell).map(({ long }) => [long, value]);
    });
    expect(Object.fromEntries(told)).to.deep.equal(defaults());
    const helped = HELPER_OPTIONS.flatMap(({ long, help }) => {
      const value = bracketed(help);
      return value === undefined ? [] : [[long, value]];
    });
    expect(Object.fromEntries(helped)).to.deep.equal(defaults());
  });

  it("tells the paths that are there without -k and -f, and how many workers there can be", () => {
    const meaning = (long: string): string => ROWS.find(([cell]) => optionsOf(cell)[0]?.long === long)?.[1] ?? "";
    expect(meaning("socket")).to.contain(`by default \`${DEFAULT_SOCKET}\``);
    expect(meaning("pidfile")).to.contain(`with \`-d\` and without \`-f\`: \`${served("-d").pidFile}\``);
    expect(meaning("workers")).to.contain(`1 to ${WORKERS_MAX}`);
  });

  it("has a row for each source of initiators", () => {
    const told = tableOf(PAGE, ["`--initiator-from`", "name of the initiator", "so that"]).flatMap(([source = ""]) => quoted(source));
    const option = HELPER_OPTIONS.find(({ long }) => long === "initiator-from");
    expect(told.join("|")).to.equal(option?.argument);
    for (const source of told) expect(served("--initiator-from", source).initiatorFrom).to.equal(source);
  });

  it("tells the limits of clients", () => {
    const { admission, userLimits, requestTimeoutMs } = served();
    const seconds = requestTimeoutMs / 1000;
    const told = tableOf(PAGE, ["limit", "value", "reason"]).map(([limit, value]) => [limit, value]);
    expect(Object.fromEntries(told)).to.deep.include({
      "connections of one user": `${CONNECTIONS_PER_USER_DEFAULT}, of ${CONNECTION_DESCRIPTOR_LIMIT} in all`,
      "connections of one process": String(admission.connectionsPerProcess),
      "time for one request": `${seconds} s, at most ${seconds * LONGEST_IN_TIMEOUTS}`,
      "closes that take long": `${STUCK_CLOSES_PER_USER} of one user, ${STUCK_CLOSES_MAX}`,
      "disks of one user": String(userLimits.units),
      "registrations of one user": String(userLimits.registrations),
      "memory of one user": `${userLimits.bytes / 1024 ** 2} MiB`,
    });
  });
});
