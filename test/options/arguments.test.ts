/** Which option takes which language, where its errors are, and the caret line under them. */
import { expect } from "chai";
import fc from "fast-check";
import { QomError } from "#src/base/errors.js";
import { OPTION_TEXT_LENGTH_MAX } from "#src/base/limits.js";
import { ARGUMENT_GRAMMARS, parseOption } from "#src/options/arguments.js";
import type { OptionArgument } from "#src/options/arguments.js";
import { caretLines } from "#src/options/caret-lines.js";
import { parseJson } from "#src/options/json.js";
import { parseKeyval, printKeyval } from "#src/options/keyval.js";
import { parseQemuOpts, printQemuOpts } from "#src/options/qemu-opts.js";
import { anyText, map, refused } from "./support.js";

const ALL: readonly OptionArgument[] = ["object", "device", "drive", "blockdev"];

describe("an option's argument", () => {
  it("implies its first key", () => {
    expect(parseOption("object", "secret").values).to.deep.equal(map({ "qom-type": "secret" }));
    expect(parseOption("device", "scsi-block").values).to.deep.equal(map({ driver: "scsi-block" }));
    expect(parseOption("blockdev", "raw").values).to.deep.equal(map({ driver: "raw" }));
    expect(parseOption("drive", "raw").values).to.deep.equal(map({ raw: "on" }));
  });

  it("nests in -blockdev only", () => {
    for (const argument of ALL) {
      const nested = argument === "blockdev" ? { a: { b: "1" } } : { "a.b": "1" };
      expect(parseOption(argument, "a.b=1").values).to.deep.equal(map(nested));
    }
  });

  it("is JSON when it starts with a brace, except for -drive", () => {
    const text = '{"driver":"x","n":{"size":18446744073709551615,"l":[1,true,null]}}';
    for (const argument of ["object", "device", "blockdev"] as const) {
      const parsed = parseOption(argument, `${text} \n`);
      expect(parsed).to.deep.equal({
        form: "json",
        values: map({ driver: "x", n: { size: 2n ** 64n - 1n, l: [1, true, null] } }),
        warnings: [],
        help: false,
      });
    }
    expect(parseOption("drive", "{'file':'x'}").form).to.equal("text");
  });

  it("is no JSON behind a blank", () => {
    expect(parseOption("object", ' {"qom-type":"x"}').values).to.deep.equal(map({ "qom-type": ' {"qom-type":"x"}' }));
    expect(parseOption("device", " {'driver':'x'}").form).to.equal("text");
    expect(parseOption("blockdev", ' {"driver":"x"}').values).to.deep.equal(map({ driver: ' {"driver":"x"}' }));
  });

  it("leaves ids in JSON to whoever makes the object", () => {
    expect(parseOption("device", '{"driver":"virtio-scsi","id":"1s"}').values).to.deep.equal(map({ driver: "virtio-scsi", id: "1s" }));
  });

  for (const [name, text] of [
    ["trailing junk", '{"driver":"x"}x'],
    ["a second value", '{"driver":"x"}{}'],
    ["a duplicate name", '{"driver":"x","driver":"x"}'],
    ["an early end", '{"driver":"x"'],
  ] as const) {
    it(`refuses JSON with ${name}`, () => {
      for (const argument of ["object", "device", "blockdev"] as const)
        expect(refused(() => parseOption(argument, text)).kind).to.equal("syntax");
    });
  }

  it("asks for help where there is some", () => {
    for (const argument of ["object", "device", "blockdev"] as const) {
      expect(parseOption(argument, "help")).to.deep.include({ help: true, values: map({}) });
      expect(parseOption(argument, "x,help").help).to.equal(true);
    }
    expect(parseOption("drive", "help")).to.deep.include({ help: false, values: map({ help: "on" }) });
  });

  it("may be long, within a limit", () => {
    const text = `x=${"y".repeat(OPTION_TEXT_LENGTH_MAX - 2)}`;
    for (const argument of ALL) {
      expect(parseOption(argument, text).values.size).to.equal(1);
      const error = refused(() => parseOption(argument, `${text}y`));
      expect(error.kind).to.equal("limit");
      expect(error.context.argument).to.equal(argument);
    }
    for (const parse of [parseJson, parseKeyval, parseQemuOpts]) expect(refused(() => parse(`${text}y`)).kind).to.equal("limit");
  });

  it("is in its errors, with text and position", () => {
    const rows: readonly (readonly [OptionArgument, string, number])[] = [
      ["object", "secret,id=1a", 10],
      ["drive", "if=none,id=1a", 11],
      ["blockdev", "driver=raw,file", 15],
      ["blockdev", "driver=raw,file.1=x", 11],
      ["device", '{"driver":"x",}', 14],
    ];
    for (const [argument, text, position] of rows) {
      expect(refused(() => parseOption(argument, text)).context).to.include({ argument, text, position });
    }
  });
});

describe("an option printed by its own grammar", () => {
  for (const argument of ALL) {
    it(`is read back by -${argument}`, () => {
      const grammar = ARGUMENT_GRAMMARS[argument];
      const print = grammar.language === "keyval" ? printKeyval : printQemuOpts;
      const first = grammar.impliedKey ?? "file";
      const values = fc
        .tuple(
          anyText().filter((text) => !["help", "?"].includes(text)),
          anyText(),
        )
        .map(([one, two]) => map({ [first]: one, data: two }));
      fc.assert(
        fc.property(values, (given) => {
          expect(parseOption(argument, print(given, grammar)).values).to.deep.equal(given);
        }),
      );
    });
  }
});

describe("the caret line", () => {
  const caretOf = (argument: OptionArgument, text: string): readonly string[] => caretLines(refused(() => parseOption(argument, text)));

  it("stands under the mistake", () => {
    expect(caretOf("blockdev", "driver=raw,file,node-name=hd")).to.deep.equal([
      "-blockdev driver=raw,file,node-name=hd",
      "                         ^",
    ]);
    expect(caretOf("object", "{'a':1,}")).to.deep.equal(["-object {'a':1,}", "               ^"]);
  });

  it("stands behind the text when something is missing there", () => {
    expect(caretOf("device", "{'a':1")).to.deep.equal(["-device {'a':1", "              ^"]);
  });

  it("shows a window of a long text", () => {
    const [line = "", caret = ""] = caretOf("object", `secret,data=${"x".repeat(5000)},id=1a,more=${"y".repeat(5000)}`);
    expect(line).to.have.length.below(80);
    expect(line.slice(caret.length - 1)).to.match(/^1a,more/);
    expect(line).to.match(/^-object …x.*y…$/);
  });

  it("is one line of printable characters whatever the text", () => {
    const [line = "", caret = ""] = caretOf("object", "secret,data=\n\u001b[2J,id=1a");
    expect(line).to.match(/^[ -~]*$/);
    expect(line.slice(caret.length - 1)).to.equal("1a");
  });

  it("is not drawn for what knows no text or position", () => {
    expect(caretLines(new QomError("syntax", "x"))).to.deep.equal([]);
    expect(caretLines(new QomError("syntax", "x", { context: { text: "abc" } }))).to.deep.equal([]);
    expect(caretLines(new Error("x"))).to.deep.equal([]);
    expect(caretLines(undefined)).to.deep.equal([]);
  });
});
