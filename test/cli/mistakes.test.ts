/** What a new user of the programs is told: help, and questions whether something else was meant. */
import { expect } from "chai";
import { describeError } from "#src/base/errors.js";
import { parsePersistOptions } from "#src/cli/persist/options.js";
import { renderDemo, runDemo } from "#src/cli/demo.js";
import { RUN_OPTIONS, runHelp, takeRunWords } from "#src/cli/run-options.js";
import { terminalWidth } from "#src/cli/table.js";
import { parseHelperOptions } from "#src/helper/start/options.js";
import { refusal } from "../support/refusal.js";
import { run } from "./support/programs.js";

const told = async (action: () => unknown): Promise<string> => describeError(await refusal(async () => action()));

describe("a mistyped option", () => {
  it("of run is asked about, the program's own options included, and the list is whole", async () => {
    expect(await told(() => takeRunWords(["-trac", "x"]))).to.equal("unknown option '-trac' (did you mean '-trace'?)");
    expect(await told(() => takeRunWords(["--chek"]))).to.contain("did you mean '-check'?");
    const list = await told(() => takeRunWords(["-frobnicate"]));
    for (const { name } of RUN_OPTIONS) expect(list).to.contain(`-${name}`);
    expect(takeRunWords(["-check", "-json"])).to.include({ check: true, json: true });
  });

  it("of persist is asked about, also with one dash", async () => {
    expect(await told(() => parsePersistOptions(["--read-kys", "/dev/x"]))).to.contain("'--read-kys' (did you mean '--read-keys'?)");
    expect(await told(() => parsePersistOptions(["--nothing-like-it", "/dev/x"]))).to.contain("--help lists the options");
  });

  it("of the helper is asked about, also with one dash", async () => {
    expect(await told(() => parseHelperOptions(["--pidfil=x", "--sokcet=/x"]))).to.contain("'--sokcet' (did you mean '--socket'?)");
    expect(await told(() => parseHelperOptions(["-object", "x"]))).to.contain("did you mean '--object'?");
    expect(await told(() => parseHelperOptions(["--nothing-like-it"]))).to.contain("-h lists the options");
  });
});

describe("qom-pr run --help", () => {
  it("has a line for each option, an example that works, and says where types are listed", async () => {
    const text = runHelp();
    for (const { name } of RUN_OPTIONS) expect(text).to.match(new RegExp(`^ {2}--?${name}\\b`, "m"));
    expect(text).to.contain("'-device help' lists the types");
    for (const line of text.split("\n")) expect(line.length, line).to.be.at.most(80);
    const [, example = ""] = /^ {2}qom-pr run ((?:.*\\\n)*.*)$/m.exec(text) ?? [];
    const words = example.split(/[\s\\]+/).filter((word) => word !== "");
    expect(words).to.have.lengthOf(10);
    expect(await run(["run", "--check", ...words])).to.include({ code: 0, stderr: "" });
  });

  it("is what -h and -help give too", async () => {
    for (const word of ["--help", "-h", "-help"])
      expect(await run(["run", word])).to.deep.equal({ code: 0, stdout: runHelp(), stderr: "" });
  });
});

describe("the demo's table", () => {
  it("fits a terminal of 80 columns, and loses no word", async () => {
    const rows = await runDemo();
    const wide = renderDemo(rows, { colour: false });
    const narrow = renderDemo(rows, { colour: false, width: 80 });
    expect(Math.max(...narrow.split("\n").map((line) => line.length))).to.equal(80);
    const words = (text: string): string[] => text.split(/[\s-]+/).toSorted();
    expect(words(narrow)).to.deep.equal(words(wide));
    expect(renderDemo(rows, { colour: false, width: 500 })).to.equal(wide);
    // Colour adds nothing to what is seen.
    // oxlint-disable-next-line no-control-regex -- the sequences of a terminal are what is taken out
    expect(renderDemo(rows, { colour: true, width: 80 }).replaceAll(/\u001b\[\d+m/g, "")).to.equal(narrow);
  });

  it("has the width of the terminal, and its own elsewhere", () => {
    expect(terminalWidth({ isTTY: true, columns: 100 })).to.equal(100);
    expect(terminalWidth({ isTTY: true, columns: 0 })).to.equal(undefined);
    expect(terminalWidth({ columns: 100 })).to.equal(undefined);
  });
});
