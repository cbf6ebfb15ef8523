/**
 * The rooms of src/ and what each may import, as rules for dependency-cruiser.
 *
 * ROOMS is the ladder: a room imports only from rooms before it. FORBIDDEN takes something away from that, nothing adds to it.
 * docs/architecture.md draws the same ladder for readers; test/lint compares the two.
 */

/** Every folder of src/, lowest first. */
export const ROOMS = [
  "base",
  "options",
  "qom",
  "scsi",
  "native",
  "reservation",
  "target",
  "pr-manager",
  "backends",
  "block",
  "devices",
  "monitor",
  "machine",
  "helper",
  "cli",
];

/** Rooms that the ladder would allow and the design does not. @type {Readonly<Record<string, readonly string[]>>} */
export const FORBIDDEN = {
  scsi: ["options", "qom"],
  reservation: ["native"],
};

/**
 * The rooms that `room` may import, itself not included.
 * @param {string} room
 */
export function allowedRooms(room) {
  return ROOMS.slice(0, ROOMS.indexOf(room)).filter((earlier) => !FORBIDDEN[room]?.includes(earlier));
}

/** Node's own modules without input or output, which even a room of pure functions may use. */
const PURE_NODE_MODULES = ["assert", "buffer", "util"];

/** A folder pattern for any of `rooms`. @param {readonly string[]} rooms */
const inRooms = (rooms) => `^src/(?:${rooms.join("|")})/`;

/** A pattern for the package `name`, found in node_modules or not. @param {string} name */
const packageNamed = (name) => `(?:^|node_modules/)${name}(?:/|$)`;

/** @param {string} room */
function ruleOfRoom(room) {
  const allowed = allowedRooms(room);
  return {
    name: `room-${room}`,
    comment: `${room} imports ${allowed.length === 0 ? "no other room" : `only ${allowed.join(", ")}`}`,
    severity: "error",
    from: { path: inRooms([room]) },
    to: { path: "^src/", pathNot: inRooms([...allowed, room]) },
  };
}

/** All rules of the rooms, in the form of dependency-cruiser's `forbidden`. */
export const RULES = [
  ...ROOMS.map(ruleOfRoom),
  {
    name: "room-unknown",
    comment: "a folder of src/ that is no room of the ladder",
    severity: "error",
    from: { path: "^src/", pathNot: `${inRooms(ROOMS)}|^src/index\\.ts$` },
    to: {},
  },
  {
    name: "index-imports-rooms",
    comment: "index.ts re-exports from rooms of the ladder and from nowhere else, after loading reflect-metadata",
    severity: "error",
    from: { path: "^src/index\\.ts$" },
    to: { pathNot: [inRooms(ROOMS), packageNamed("reflect-metadata")] },
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
    to: { path: "^(?:bench|bin|build|dist|examples|test|tools)/|^#src/|^qom-pr$" },
  },
  {
    name: "koffi-in-native",
    comment: "only native calls libc",
    severity: "error",
    from: { path: "^src/", pathNot: inRooms(["native"]) },
    to: { path: [packageNamed("koffi"), packageNamed("@koromix")] },
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
    comment: "src imports only what package.json lists under dependencies",
    severity: "error",
    from: { path: "^src/" },
    to: { dependencyTypes: ["npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"] },
  },
  {
    name: "resolvable",
    comment: "an import that cannot be resolved escapes every other rule",
    severity: "error",
    from: {},
    // The package's own name is for the compiler to resolve: dependency-cruiser does not know such references.
    to: { couldNotResolve: true, pathNot: "^qom-pr$" },
  },
  {
    name: "examples-as-users",
    comment: "an example imports what a user can: the package by its name",
    severity: "error",
    from: { path: "^examples/" },
    to: { path: "^(?:bench|bin|build|dist|src|test|tools)/|^#src/", pathNot: "^dist/index\\.(?:js|d\\.ts)$" },
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
