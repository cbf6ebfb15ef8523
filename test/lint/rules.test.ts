/** The lint rules can fail, each of them: one small file per rule, and files that a rule must leave alone. */
import { expect } from "chai";
import { PlantedTree, projectFile, TOOL_TIMEOUT_MS } from "./planted-tree.js";

const CONFIGURATION = ".oxlintrc.jsonc";

const lines = (count: number): string => "\n".repeat(count);

/** Rule, file, and a text that breaks the rule. Texts are written without doc comments unless the rule is about them. */
const VIOLATIONS: readonly (readonly [rule: string, file: string, text: string])[] = [
  ["eslint(max-lines)", "src/base/long.ts", `${lines(400)}export {};\n`],
  ["eslint(max-lines)", "test/base/long.test.ts", `${lines(400)}export {};\n`],
  ["eslint(max-lines-per-function)", "src/base/long-function.ts", `export function long(): void {${lines(70)}}\n`],
  ["typescript(ban-ts-comment)", "src/base/ban.ts", "// @ts-ignore\nexport const one: string = 1;\n"],
  ["typescript(consistent-type-imports)", "src/base/type-import.ts", 'import { Net } from "./types.js";\nexport type Other = Net;\n'],
  [
    "import(consistent-type-specifier-style)",
    "src/base/inline-type.ts",
    'import { one, type Net } from "./types.js";\nexport const two = (net: Net): Net[] => [net, one];\n',
  ],
  ["typescript(explicit-module-boundary-types)", "src/base/boundary.ts", "export function one() { return 1; }\n"],
  ["typescript(no-explicit-any)", "src/base/any.ts", "export type Any = any;\n"],
  ["typescript(no-explicit-any)", "test/base/any.test.ts", "export type Any = any;\n"],
  [
    "typescript(no-import-type-side-effects)",
    "src/base/side-effect.ts",
    'import { type Net } from "./types.js";\nexport type Other = Net;\n',
  ],
  ["typescript(no-non-null-assertion)", "src/base/non-null.ts", "export const first = (list: string[]): string => list[0]!;\n"],
  ["typescript(no-unnecessary-condition)", "src/base/condition.ts", "export const one = (text: string): string => text ?? '';\n"],
  ["typescript(no-unsafe-argument)", "src/base/argument.ts", "export const one = (): number => Math.abs(JSON.parse('1'));\n"],
  ["typescript(no-unsafe-assignment)", "src/base/assignment.ts", "const one = JSON.parse('1');\nexport { one };\n"],
  ["typescript(no-unsafe-call)", "src/base/call.ts", "JSON.parse('1')();\n"],
  ["typescript(no-unsafe-member-access)", "src/base/member.ts", "export const one: unknown = JSON.parse('1').member;\n"],
  ["typescript(no-unsafe-return)", "src/base/return.ts", "export function one(): string { return JSON.parse('1'); }\n"],
  ["typescript(strict-boolean-expressions)", "src/base/boolean.ts", "export const one = (text: string): number => (text ? 1 : 2);\n"],
  [
    "typescript(switch-exhaustiveness-check)",
    "src/base/switch.ts",
    "export function one(a: 'x' | 'y'): void { switch (a) { case 'x': break; } }\n",
  ],
  ["own(cast-has-reason)", "src/base/cast.ts", "/** Doc. */\nexport const one = {} as string;\n// after\n"],
  ["typescript(no-floating-promises)", "src/base/floating.ts", "Promise.resolve(1);\n"],
  ["typescript(no-floating-promises)", "test/base/floating.test.ts", "Promise.resolve(1);\n"],
  ["typescript(no-floating-promises)", "examples/floating.ts", "Promise.resolve(1);\n"],
  ["typescript(no-floating-promises)", "bench/floating.ts", "Promise.resolve(1);\n"],
  ["typescript(no-misused-promises)", "src/base/misused.ts", "if (Promise.resolve(true)) throw new Error('x');\n"],
  ["typescript(only-throw-error)", "src/base/throw.ts", "throw 'text';\n"],
  ["typescript(prefer-promise-reject-errors)", "src/base/reject.ts", "export const one = Promise.reject('text');\n"],
  [
    "typescript(return-await)",
    "src/base/return-await.ts",
    "export async function one(): Promise<number> { try { return Promise.resolve(1); } catch { return 2; } }\n",
  ],
  ["typescript(use-unknown-in-catch-callback-variable)", "src/base/catch.ts", "await Promise.resolve(1).catch((e: Error) => e);\n"],
  ["eslint(eqeqeq)", "src/base/equals.ts", "export const one = (a: unknown, b: unknown): boolean => a == b;\n"],
  ["eslint(no-underscore-dangle)", "src/base/underscore.ts", "export const one = (a: { _b: number }): number => a._b;\n"],
  ["eslint(no-console)", "src/base/console.ts", "console.log('x');\n"],
  [
    "eslint(no-restricted-imports)",
    "src/qom/container.ts",
    'import { container } from "tsyringe";\nexport const one: unknown = container;\n',
  ],
  ["eslint(no-restricted-imports)", "src/qom/star.ts", 'import * as di from "tsyringe";\nexport const one: unknown = di;\n'],
  [
    "eslint(no-restricted-imports)",
    "src/cli/singleton.ts",
    'import { singleton } from "tsyringe";\nexport const one: unknown = singleton;\n',
  ],
  ["eslint(no-restricted-imports)", "src/qom/exit.ts", 'import { exit } from "node:process";\nexit(1);\n'],
  ["eslint(no-restricted-properties)", "src/base/exit.ts", "process.exit(1);\n"],
  ["eslint(no-restricted-properties)", "test/base/exit.test.ts", "process.exit(1);\n"],
  ["eslint(no-unused-vars)", "src/base/unused.ts", "const one = 1;\nexport {};\n"],
  ["eslint(no-unused-vars)", "src/base/unused-argument.ts", "export const one = (a: string): number => 1;\n"],
  ["eslint(no-var)", "src/base/var.ts", "export function one(): number { var a = 1; return a; }\n"],
  ["eslint(prefer-const)", "src/base/const.ts", "export function one(): number { let a = 1; return a; }\n"],
  ["import(no-default-export)", "src/base/default.ts", "export default 1;\n"],
  ["import(no-mutable-exports)", "src/base/mutable.ts", "export let one = 1;\none = 2;\n"],
  ["import(no-unassigned-import)", "src/base/unassigned.ts", 'import "./types.js";\n'],
  ["unicorn(filename-case)", "src/base/camelCase.ts", "export {};\n"],
  ["unicorn(no-abusive-eslint-disable)", "src/base/abusive.ts", "// oxlint-disable -- why\nvar one = 1;\nexport { one };\n"],
  ["unicorn(prefer-node-protocol)", "src/target/protocol.ts", 'import net from "net";\nexport const one: unknown = net;\n'],
  ["own(directive-has-reason)", "src/base/directive.ts", "// oxlint-disable-next-line no-var\nvar one = 1;\nexport { one };\n"],
  ["own(directive-has-reason)", "test/base/directive.test.ts", "// @ts-expect-error because\nexport const one: string = 1;\n"],
  ["own(documented-export)", "src/base/undocumented.ts", "/** One. */\nexport const one = 1;\n\nexport const two = 2;\n"],
  ["own(documented-export)", "src/base/undocumented-class.ts", "// plain\n@mark()\nexport class One {}\n"],
  ["own(single-quotes-in-messages)", "src/base/quotes.ts", 'export const one = (a: string): string => `no "${a}"`;\n'],
  ["own(no-module-state)", "src/base/let.ts", "let one = 1;\nexport const next = (): number => (one += 1);\n"],
  [
    "own(no-module-state)",
    "src/base/cache.ts",
    "const cache = new Map<string, number>();\nexport const size = (): number => cache.size;\n",
  ],
  ["unused directive", "src/base/unused-directive.ts", "// oxlint-disable-next-line no-var -- there was one\nexport const one = 1;\n"],
  // One of each category that is switched on as a whole.
  ["eslint(no-control-regex)", "src/base/correctness.ts", "export const one = /\\u0001/;\n"],
  ["eslint(no-shadow)", "src/base/suspicious.ts", "export const one = (a: number): number[] => [1].map((a) => a);\n"],
];

/** Rule, file, and a text that would break the rule elsewhere or written otherwise. */
const ALLOWED: readonly (readonly [rule: string, file: string, text: string])[] = [
  ["eslint(max-lines)", "src/base/not-long.ts", `${lines(399)}export {};\n`],
  ["eslint(max-lines-per-function)", "src/base/not-long-function.ts", `export function long(): void {${lines(69)}}\n`],
  ["eslint(max-lines-per-function)", "test/base/suite.test.ts", `export function long(): void {${lines(70)}}\n`],
  ["eslint(no-console)", "src/cli/console.ts", "console.log('x');\n"],
  ["eslint(no-console)", "src/helper/console.ts", "console.log('x');\n"],
  ["eslint(no-restricted-properties)", "src/cli/exit.ts", "process.exit(1);\n"],
  ["eslint(no-restricted-properties)", "src/helper/exit.ts", "process.exit(1);\n"],
  [
    "eslint(no-restricted-imports)",
    "src/machine/wiring.ts",
    'import { container } from "tsyringe";\nexport const one: unknown = container;\n',
  ],
  ["eslint(no-restricted-imports)", "src/qom/inject.ts", 'import { inject, type DependencyContainer } from "tsyringe";\n'],
  ["import(no-unassigned-import)", "src/qom/effect.ts", 'import "reflect-metadata";\n'],
  [
    "own(cast-has-reason)",
    "src/base/reason.ts",
    "export const one = {} as string; // why\n\nexport const two = [1] as const;\n// why\nexport const three = {} as string;\n",
  ],
  ["own(directive-has-reason)", "src/base/reasoned.ts", "// oxlint-disable-next-line no-var -- why\nvar one = 1;\nexport { one };\n"],
  [
    "own(documented-export)",
    "src/base/documented.ts",
    "/** A class. */\n@mark()\nexport class One {}\n\n/** A group. */\nexport const one = 1;\nexport const two = 2;\n",
  ],
  ["own(single-quotes-in-messages)", "src/base/single-quotes.ts", "export const one = (a: string): string => `no '${a}' in \"it\"`;\n"],
  ["own(no-module-state)", "src/base/table.ts", "const table = new Map([[1, 2]]);\nexport const size = (): number => table.size;\n"],
];

describe("lint rules", function () {
  this.timeout(TOOL_TIMEOUT_MS);

  let tree: PlantedTree;
  /** `FILE RULE` of everything that was reported. */
  let found = new Set<string>();

  before(() => {
    const planted = [...VIOLATIONS, ...ALLOWED].map(([, file, text]) => [file, text] as const);
    const copied = [
      CONFIGURATION,
      "tools/own-rules.js",
      "package.json",
      "tsconfig.base.json",
      "tsconfig.json",
      "bench/tsconfig.json",
      "examples/tsconfig.json",
      "test/tsconfig.json",
    ];
    tree = new PlantedTree(
      { "src/base/types.ts": "export type Net = 1;\nexport const one = 1;\n", ...Object.fromEntries(planted) },
      copied,
    );
    const run = tree.run("oxlint", "--format=json", "bench", "examples", "src", "test");
    expect(run.status, run.output).to.equal(1);
    found = new Set(diagnostics(run.stdout).map(({ code, filename }) => `${filename} ${code ?? "unused directive"}`));
  });

  after(() => tree.remove());

  for (const rule of new Set(VIOLATIONS.map(([name]) => name))) {
    it(`${rule} fires`, () => {
      for (const [name, file] of VIOLATIONS) if (name === rule) expect(found).to.include(`${file} ${rule}`);
    });
  }

  it("leave alone what they should", () => {
    for (const [rule, file] of ALLOWED) expect(found).not.to.include(`${file} ${rule}`);
  });

  it("have a planted violation each", () => {
    const named = [...projectFile(CONFIGURATION).matchAll(/^    "([a-z]+)\/([a-z-]+)": (?:"error"|\[)/gm)].map(
      ([, plugin, rule]) => `${plugin}(${rule})`,
    );
    expect(named).to.have.lengthOf.above(30);
    expect(VIOLATIONS.map(([rule]) => rule)).to.include.members(named);
  });
});

/** What the report says of each finding, as far as it matters here. */
function diagnostics(report: string): readonly { code?: string; filename: string }[] {
  return (JSON.parse(report) as { diagnostics: { code?: string; filename: string }[] }).diagnostics;
}
