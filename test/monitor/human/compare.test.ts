/** The human monitor beside QEMU's: the same lines, the same answers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { isErrnoError } from "#src/base/errors.js";
import { Machine } from "qom-pr";
import type { QemuVersion } from "#src/qemu/compat.js";
import { requireQemu } from "../../support/qemu-version.js";
import { skipUnlessRequired } from "../../support/requirement.js";

/** What both have: no board, no devices. */
const LINES: readonly string[] = [
  "info status",
  "info block",
  "info qom-tree /machine/peripheral",
  "info qom-tree /objects",
  "info qom-tree /nope",
  "qom-list",
  "qom-list /nope",
  "qom-get /objects type",
  "qom-get /machine/peripheral type",
  "qom-get /objects",
  "qom-get",
  "qom-set /objects type",
  "qom-get /objects nope",
  "qom-get /nope type",
  "object_del nope",
  "object_del",
  "device_del nope",
  "device_add nope",
  "object_add nope,id=a",
  "quit now",
  "info status now",
  "nope",
  "info nope",
  'qom-get "/objects" "type"',
  'qom-get "/objects',
  "help nope",
  ...[
    "device_add",
    "device_del",
    "object_add",
    "object_del",
    "qom-get",
    "qom-list",
    "qom-set",
    "quit",
    "help",
    "info status",
    "info qom-tree",
  ].map((name) => `help ${name}`),
];

/** Answers that are ours on purpose. */
const DIFFERENT: ReadonlySet<string> = new Set([
  // QEMU does not tell that the path may be left out.
  "help qom-list",
  // Flags are told on the same line.
  "help qom-set",
]);

/** Of 7.2 alone, which has no `/objects` before the first object. */
const DIFFERENT_FROM_7_2 = ["qom-get /objects type", "info qom-tree /objects"];

/** Errors are of our own wording; what a command is said to do too. */
function comparable(line: string): string {
  return line.replace(/^Error: .*/, "Error").replace(/ -- .*/, "");
}

/** What was printed for each line, by the prompts between. */
function answersOf(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll("\r", "")
    .split("(qemu) ")
    .slice(1)
    .map((answer) =>
      answer
        .split("\n")
        .filter((line) => line !== "")
        .map(comparable),
    );
}

async function oursOf(script: string, compat: QemuVersion): Promise<string> {
  const stdio = { input: new PassThrough(), output: new PassThrough() };
  let text = "";
  stdio.output.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const machine = await Machine.create(["-monitor", "stdio"], { stdio, compat });
  stdio.input.end(script);
  await machine.ended;
  stdio.output.end();
  await once(stdio.output, "end");
  return text;
}

/** What QEMU prints; null where there is none. It ends without writing all, so it is not asked to before all is there. */
async function theirsOf(lines: readonly string[]): Promise<string | null> {
  const argv = ["-M", "none", "-nodefaults", "-display", "none", "-monitor", "stdio"];
  const child = spawn("qemu-system-x86_64", argv, { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.split("(qemu) ").length - 1 === lines.length + 1) child.stdin.end("quit\n");
  });
  const ended = once(child, "close");
  child.stdin.on("error", () => undefined).write(`${lines.join("\n")}\n`);
  try {
    await ended;
    return text;
  } catch (error) {
    if (isErrnoError(error)) return null; // it cannot be started
    throw error;
  }
}

describe("the human monitor beside QEMU's", () => {
  let theirs: readonly (readonly string[])[];
  let ours: readonly (readonly string[])[];
  let version: QemuVersion;
  before(async function () {
    version = requireQemu(this, "qemu-system-x86");
    const stdout = await theirsOf(LINES);
    if (stdout === null) skipUnlessRequired(this, "there is no QEMU: apt-get install qemu-system-x86");
    // QEMU echoes each line as a terminal would edit it; the echo ends with the line.
    // oxlint-disable-next-line no-control-regex -- control sequences are what is taken out
    const plain = stdout.replaceAll(/(?<=\(qemu\) )[^\n]*\u001b\[K\r?\n/g, "");
    theirs = answersOf(plain);
    ours = answersOf(await oursOf(`${LINES.join("\n")}\nquit\n`, version));
  });

  LINES.forEach((line, index) => {
    it(line === "" ? "(nothing)" : line, () => {
      if (DIFFERENT.has(line) || (version === "7.2" && DIFFERENT_FROM_7_2.includes(line)))
        expect(ours[index]).not.to.deep.equal(theirs[index]);
      else expect(ours[index]).to.deep.equal(theirs[index]);
    });
  });
});
