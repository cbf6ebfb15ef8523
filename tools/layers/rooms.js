/**
 * The rooms of src/ and what each may import, as rules for dependency-cruiser.
 *
 * ROOMS is the ladder: a room imports only from rooms before it. FORBIDDEN takes something away from that, nothing adds to it.
 * docs/architecture.md draws the same ladder for readers; test/lint compares the two.
 */

import { BUNDLED_PACKAGES } from "../bundle/packages.js";

/** Every folder of src/, lowest first. */
export const ROOMS = [
  "base",
  "options",
  "qom",
  "scsi",
  "native",
  "host",
  "reservation",
  "stores",
  "target",
  "pr-manager",
  "backends",
  "qemu",
  "block",
  "chardev",
  "devices",
  "monitor",
  "machine",
  "helper",
  "cli",
];

/** Rooms that the ladder would allow and the design does not. @type {Readonly<Record<string, readonly string[]>>} */
export const FORBIDDEN = {
  scsi: ["options", "qom"],
  reservation: ["native", "host"],
  stores: ["native", "host"],
  target: ["native", "host"],
  "pr-manager": ["native", "host", "target"],
  qemu: ["native", "host", "target"],
  devices: ["native", "host", "target"],
  helper: ["backends", "block"],
  cli: ["block"],
};

/** How a list of a room's folders names the files that are in none of them. */
export const OWN_FILES = ".";

/** Folders that may import what {@link FORBIDDEN} takes from their room: these folders of that other room. */
export const EXCEPTIONS = [
  { room: "stores", folder: "folder", other: "native", folders: [OWN_FILES, "file", "process"] },
  { room: "target", folder: "medium", other: "native", folders: [OWN_FILES, "file"] },
];

/** The folders of a room, lowest first, its own files among them. @type {Readonly<Record<string, readonly string[]>>} */
export const LADDERS = {
  native: [OWN_FILES, "file", "process", "sg-io", "socket", "server"],
  target: [OWN_FILES, "medium", "unit", "commands", "fabric"],
  devices: ["bus", OWN_FILES, "disk", "virtio-scsi", "set"],
  helper: [OWN_FILES, "trace", "shared", "connections", "workers", "managers", "settings", "serving", "start", "program"],
};

/**
 * The rooms that `room` may import, itself not included.
 * @param {string} room
 */
export function allowedRooms(room) {
  return ROOMS.slice(0, ROOMS.indexOf(room)).filter((earlier) => !FORBIDDEN[room]?.includes(earlier));
}

/** What package.json exports: outside the ladder, and imported by no room. */
const ENTRIES = "^src/(?:index|extend)\\.ts$";

/** Node's own modules without input or output, which even a room of pure functions may use. */
const PURE_NODE_MODULES = ["assert", "buffer", "util"];

/** A folder pattern for any of `rooms`. @param {readonly string[]} rooms */
const inRooms = (rooms) => `^src/(?:${rooms.join("|")})/`;

/** A pattern for the package `name`, found in node_modules or not. @param {string} name */
const packageNamed = (name) => `(?:^|node_modules/)${name}(?:/|$)`;

/** A folder pattern for the own files of `room`, or one of its folders. @param {string} room @param {string} folder */
const inFolder = (room, folder) => (folder === OWN_FILES ? `^src/${room}/[^/]+$` : `^src/${room}/${folder}/`);

/** @param {string} room */
function rulesOfFolders(room) {
  const ladder = LADDERS[room] ?? [];
  const known = ladder.map((folder) => inFolder(room, folder)).join("|");
  return [
    // The highest may import all of them, so it has no rule.
    ...ladder.slice(0, -1).map((folder, rung) => ({
      name: `folder-${room}-${folder === OWN_FILES ? "own" : folder}`,
      comment: `in ${room}, ${folder === OWN_FILES ? "the files beside the folders import" : `${folder} imports`} only what stands before it`,
      severity: "error",
      from: { path: inFolder(room, folder) },
      to: { path: inRooms([room]), pathNot: ladder.slice(0, rung + 1).map((lower) => inFolder(room, lower)) },
    })),
    {
      name: `folder-${room}-unknown`,
      comment: `a folder of ${room} that its ladder does not have`,
      severity: "error",
      from: { path: inRooms([room]), pathNot: known },
      to: {},
    },
  ];
}

/** @param {string} room */
function rulesOfRoom(room) {
  const allowed = allowedRooms(room);
  const exceptions = EXCEPTIONS.filter((exception) => exception.room === room);
  return [
    {
      name: `room-${room}`,
      comment: `${room} imports ${allowed.length === 0 ? "no other room" : `only ${allowed.join(", ")}`}`,
      severity: "error",
      from: { path: inRooms([room]), pathNot: exceptions.map(({ folder }) => inFolder(room, folder)) },
      to: { path: "^src/", pathNot: inRooms([...allowed, room]) },
    },
    ...exceptions.map(({ folder, other, folders }) => ({
      name: `room-${room}-${folder}`,
      comment: `${room}/${folder} imports what ${room} may, and of ${other} only ${folders.join(", ")}`,
      severity: "error",
      from: { path: inFolder(room, folder) },
      to: { path: "^src/", pathNot: [inRooms([...allowed, room]), ...folders.map((open) => inFolder(other, open))] },
    })),
  ];
}

/** All rules of the rooms, in the form of dependency-cruiser's `forbidden`. */
export const RULES = [
  ...ROOMS.flatMap(rulesOfRoom),
  ...Object.keys(LADDERS).flatMap(rulesOfFolders),
  {
    name: "room-unknown",
    comment: "a folder of src/ that is no room of the ladder",
    severity: "error",
    from: { path: "^src/", pathNot: `${inRooms(ROOMS)}|${ENTRIES}` },
    to: {},
  },
  {
    name: "index-imports-rooms",
    comment: "an entry of the package re-exports from rooms of the ladder and from nowhere else",
    severity: "error",
    from: { path: ENTRIES },
    to: { pathNot: inRooms(ROOMS) },
  },
  {
    name: "no-cycle",
    comment: "no import cycle, of types neither",
    severity: "error",
    from: {},
    to: { circular: true },
  },
  {
    name: "src-stands-alone",
    comment: "src imports nothing of the folders beside it, and itself by relative paths only",
    severity: "error",
    from: { path: "^src/" },
    to: { path: "^(?:bench|bin|build|dist|examples|test|tools)/|^#src/|^qom-pr(?:/extend)?$" },
  },
  {
    name: "koffi-in-native",
    comment: "only native calls libc",
    severity: "error",
    from: { path: "^src/", pathNot: inRooms(["native"]) },
    to: { path: [packageNamed("koffi"), packageNamed("@koromix")] },
  },
  {
    name: "server-calls",
    comment: "what only a server needs of libc is for helper and chardev",
    severity: "error",
    from: { path: "^src/", pathNot: inRooms(["native", "helper", "chardev"]) },
    to: { path: inFolder("native", "server") },
  },
  {
    name: "scsi-is-pure",
    comment: "scsi turns bytes into values: no input, no output, no clock",
    severity: "error",
    from: { path: inRooms(["scsi"]) },
    to: { dependencyTypes: ["core"], pathNot: `^(?:node:)?(?:${PURE_NODE_MODULES.join("|")})$` },
  },
  {
    name: "base-without-packages",
    comment: "base knows nobody, packages included",
    severity: "error",
    from: { path: inRooms(["base"]) },
    to: { dependencyTypes: ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"] },
  },
  {
    name: "declared-packages",
    comment: "src imports only what package.json lists under dependencies, and what is bundled",
    severity: "error",
    from: { path: "^src/" },
    to: {
      dependencyTypes: ["npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"],
      pathNot: BUNDLED_PACKAGES.map(packageNamed),
    },
  },
  {
    name: "resolvable",
    comment: "an import that cannot be resolved escapes every other rule",
    severity: "error",
    from: {},
    // The package's own name is for the compiler to resolve: dependency-cruiser does not know such references.
    to: { couldNotResolve: true, pathNot: "^qom-pr(?:/extend)?$" },
  },
  {
    name: "examples-as-users",
    comment: "an example imports what a user can: the package by its name",
    severity: "error",
    from: { path: "^examples/" },
    to: { path: "^(?:bench|bin|build|dist|src|test|tools)/|^#src/", pathNot: "^dist/(?:index|extend)\\.(?:js|d\\.ts)$" },
  },
];

/** What dependency-cruiser loads. */
export default {
  forbidden: RULES,
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "^(?:node_modules|dist)/" },
  },
};
