/**
 * The import rules can fail, each of them: a tree with one file per room and one planted violation per rule.
 *
 * The ladder is read from docs/architecture.md, so the page and the rules cannot part.
 */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect } from "chai";
import { PlantedTree, PROJECT, projectFile, TOOL_TIMEOUT_MS } from "./planted-tree.js";

/** The table "From the lowest to the highest": each room, and the rooms that its last column takes away from the ladder. */
const TABLE = [...projectFile("docs/architecture.md").matchAll(/^\| `([a-z-]+)` +\|.*\|([^|]*)\|$/gm)].map(
  ([, room = "", remark = ""]) => ({
    room,
    forbidden: [...remark.matchAll(/`([a-z-]+)`/g)].map(([, other]) => other),
  }),
);

/** The table of folders: each room that has some, and their ladder. */
const LADDERS = [...projectFile("docs/architecture.md").matchAll(/^\| `([a-z-]+)` +\|((?: `(?:\.|[a-z-]+)`)+) *\|$/gm)].map(
  ([, room = "", names = ""]) => ({ room, folders: [...names.matchAll(/`([^`]+)`/g)].map(([, folder = ""]) => folder) }),
);

/** The table of exceptions: each folder, and the folders of another room that it may import. */
const EXCEPTIONS = [
  ...projectFile("docs/architecture.md").matchAll(/^\| `([a-z-]+)\/([a-z-]+)` +\|((?: `native\/(?:\.|[a-z-]+)`)+) *\|/gm),
].map(([, room = "", folder = "", names = ""]) => ({
  room,
  folder,
  open: [...names.matchAll(/`native\/([^`]+)`/g)].map(([, name = ""]) => name),
}));

/** The folder of a room as a path; "." has none. */
const place = (room: string, folder: string): string => (folder === "." ? `src/${room}` : `src/${room}/${folder}`);

/** How a file in `from` imports `self` of `to`. */
const specifierOf = (from: string, to: string): string => {
  const path = relative(from, `${to}/self.js`);
  return path.startsWith(".") ? path : `./${path}`;
};

const ruleOfFolder = (room: string, folder: string): string => `folder-${room}-${folder === "." ? "own" : folder}`;

/** Pairs of folders of one room: rule, importing file, specifier; `upwards` says which of the two directions. */
const folderImports = (upwards: boolean): (readonly [rule: string, file: string, specifier: string])[] =>
  LADDERS.flatMap(({ room, folders }) =>
    folders.flatMap((folder, rung) =>
      folders.flatMap((other, otherRung) =>
        otherRung === rung || otherRung > rung !== upwards
          ? []
          : [
              [
                ruleOfFolder(room, folder),
                `${place(room, folder)}/imports-${other === "." ? "own" : other}.ts`,
                specifierOf(place(room, folder), place(room, other)),
              ] as const,
            ],
      ),
    ),
  );

/** Imports of native's folders by a folder with an exception; `open` says which. */
const exceptionImports = (open: boolean): (readonly [rule: string, file: string, specifier: string])[] =>
  EXCEPTIONS.flatMap((exception) =>
    (LADDERS.find(({ room }) => room === "native")?.folders ?? [])
      .filter((other) => exception.open.includes(other) === open)
      .map((other) => [
        `room-${exception.room}-${exception.folder}`,
        `${place(exception.room, exception.folder)}/imports-native-${other === "." ? "own" : other}.ts`,
        specifierOf(place(exception.room, exception.folder), place("native", other)),
      ]),
  );

const ROOMS = TABLE.map(({ room }) => room);

const isAllowed = (from: string, to: string): boolean =>
  ROOMS.indexOf(to) < ROOMS.indexOf(from) && !TABLE.some(({ room, forbidden }) => room === from && forbidden.includes(to));

/** Imports that break a rule: the rule, the file, and what it imports. */
const VIOLATIONS: readonly (readonly [rule: string, file: string, specifier: string])[] = [
  ...ROOMS.flatMap((room) =>
    ROOMS.filter((other) => other !== room && !isAllowed(room, other)).map(
      (other) => [`room-${room}`, `src/${room}/imports-${other}.ts`, `../${other}/self.js`] as const,
    ),
  ),
  ...ROOMS.map((room) => [`room-${room}`, `src/${room}/imports-index.ts`, "../index.js"] as const),
  ...ROOMS.map((room) => [`room-${room}`, `src/${room}/imports-extend.ts`, "../extend.js"] as const),
  ...folderImports(true),
  ...LADDERS.map(({ room }) => [`folder-${room}-unknown`, `src/${room}/attic/imports-own.ts`, "../self.js"] as const),
  ...exceptionImports(false),
  ["server-calls", "src/cli/imports-server.ts", "../native/server/self.js"],
  ["room-base", "src/base/imports-attic.ts", "../attic/imports-base.js"],
  ["room-unknown", "src/attic/imports-base.ts", "../base/self.js"],
  ["index-imports-rooms", "src/index.ts", "./attic/imports-base.js"],
  ["index-imports-rooms", "src/extend.ts", "./attic/imports-base.js"],
  ["no-cycle", "src/qom/ring.ts", "./ring.js"],
  ["no-cycle", "src/base/egg.ts", "./hen.js"],
  ["src-stands-alone", "src/cli/imports-test.ts", "../../test/support.js"],
  ["src-stands-alone", "src/cli/imports-alias.ts", "#src/base/self.js"],
  ["src-stands-alone", "src/cli/imports-itself.ts", "qom-pr"],
  ["koffi-in-native", "src/target/imports-koffi.ts", "koffi"],
  ["scsi-is-pure", "src/scsi/imports-net.ts", "node:net"],
  ["base-without-packages", "src/base/imports-zod.ts", "zod"],
  ["declared-packages", "src/cli/imports-chai.ts", "chai"],
  ["resolvable", "src/cli/imports-nothing.ts", "./nothing.js"],
  ["examples-as-users", "examples/imports-src.ts", "../src/base/self.js"],
];

/** Imports that break none. */
const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ...ROOMS.flatMap((room) =>
    ROOMS.filter((other) => isAllowed(room, other)).map((other) => [`src/${room}/may-import-${other}.ts`, `../${other}/self.js`] as const),
  ),
  ...folderImports(false).map(([, file, specifier]) => [file, specifier] as const),
  ...exceptionImports(true).map(([, file, specifier]) => [file, specifier] as const),
  ["src/helper/may-import-server.ts", "../native/server/self.js"],
  ["src/chardev/may-import-server.ts", "../native/server/self.js"],
  ["src/base/hen.ts", "./egg.js"], // closes the cycle, which is reported once, for the egg
  ["src/native/may-import-koffi.ts", "koffi"],
  ["src/scsi/may-import-buffer.ts", "node:buffer"],
  ["src/qom/may-import-zod.ts", "zod"],
  ["examples/may-import-zod.ts", "zod"],
  ["examples/may-import-itself.ts", "qom-pr"],
];

/** Every planted import is one of types: those count too. */
function planted(): Record<string, string> {
  const files: Record<string, string> = {
    "package.json": JSON.stringify({ type: "module", dependencies: { koffi: "*", zod: "*" }, devDependencies: { chai: "*" } }),
    "test/support.ts": "export type Self = 1;\n",
  };
  for (const room of ROOMS) files[`src/${room}/self.ts`] = "export type Self = 1;\n";
  for (const { room, folders } of LADDERS) {
    for (const folder of folders) files[`${place(room, folder)}/self.ts`] = "export type Self = 1;\n";
  }
  const imports = [...VIOLATIONS.map(([, file, specifier]) => [file, specifier] as const), ...ALLOWED];
  for (const [file, specifier] of imports) files[file] = `import type * as other from "${specifier}";\nexport type Other = typeof other;\n`;
  return files;
}

describe("import rules", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  let tree: PlantedTree;
  let output = "";

  before(() => {
    tree = new PlantedTree(planted());
    const run = tree.runScript(join(PROJECT, "tools/layers/check.js"), tree.directory);
    expect(run.status, run.output).to.equal(1);
    output = run.output;
  });

  after(() => tree.remove());

  it("know every room that src/ has", () => {
    const folders = readdirSync(join(PROJECT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(ROOMS).to.include.members(folders.map(({ name }) => name));
  });

  for (const rule of new Set(VIOLATIONS.map(([name]) => name))) {
    it(`${rule} fires`, () => {
      for (const [name, file, specifier] of VIOLATIONS) {
        if (name === rule) expect(output, `${file} imports ${specifier}`).to.match(new RegExp(`^${rule}: ${file} -> `, "m"));
      }
    });
  }

  it("let everything else pass", () => {
    for (const [file] of ALLOWED) expect(output).not.to.include(`: ${file} -> `);
  });

  it("have a planted violation each", async () => {
    const rules: unknown = await import(join(PROJECT, "tools/layers/rooms.js"));
    const names = ruleNames(rules);
    expect(names).to.have.lengthOf.above(ROOMS.length);
    expect(VIOLATIONS.map(([rule]) => rule)).to.include.members(names);
  });
});

/** Names of the rules in what tools/layers/rooms.js exports. */
function ruleNames(module: unknown): string[] {
  const { RULES } = module as { RULES: readonly { name: string }[] };
  return RULES.map(({ name }) => name);
}

describe("the reader of imports", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  it("refuses a tree in which it finds nothing to check", () => {
    const tree = new PlantedTree({ "package.json": "{}", "src/base/alone.ts": "export {};\n" });
    try {
      const run = tree.runScript(join(PROJECT, "tools/layers/check.js"), tree.directory);
      expect(run.status).to.equal(1);
      expect(run.output).to.include("read 1 modules and 0 dependencies");
    } finally {
      tree.remove();
    }
  });
});
