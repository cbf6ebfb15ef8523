/** Where a parameter is found again in the text that gave it. */
import { expect } from "chai";
import fc from "fast-check";
import { QomError } from "#src/base/errors.js";
import type { QomErrorKind } from "#src/base/errors.js";
import { ARGUMENT_GRAMMARS } from "#src/options/arguments.js";
import type { OptionArgument } from "#src/options/arguments.js";
import { printJson } from "#src/options/json.js";
import { printKeyval } from "#src/options/keyval.js";
import { located } from "#src/options/option-place.js";
import { printQemuOpts } from "#src/options/qemu-opts.js";
import type { OptionMap } from "#src/options/value.js";

/** Where an error of that kind about `option` is shown in the text; what stands there, or undefined. */
function shown(argument: OptionArgument, text: string, option: string, kind: QomErrorKind): string | undefined {
  const { position } = located(new QomError(kind, "wrong", { context: { option } }), argument, text).context;
  return position === undefined ? undefined : text.slice(position);
}

const NAMES = ["a", "b", "noa", "driver", "x1"] as const;
const members = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 5 })), {
  selector: ([name]) => name,
  minLength: 1,
});

describe("the place of a parameter", () => {
  const rows: readonly (readonly [OptionArgument, string, string, QomErrorKind, string | undefined])[] = [
    ["object", "x,a=1,,b=2,b=3", "b", "invalid-value", "3"],
    ["object", "x,a=1,b=2,b=3", "b", "unknown-name", "b=3"],
    ["object", "x,id=a,id=b", "id", "duplicate", "a,id=b"],
    ["object", "x,id=a", "qom-type", "unknown-type", "x,id=a"],
    ["object", "qom-type=x,id=a", "qom-type", "unknown-type", "x,id=a"],
    ["object", "x,nob,id=a", "b", "invalid-value", "nob,id=a"],
    ["object", "x,help=1,a", "a", "unknown-name", "a"],
    ["object", "x", "b", "unknown-name", undefined],
    ["blockdev", "raw,file.a=1,file.b=2", "file", "invalid-value", "1,file.b=2"],
    ["blockdev", "raw,file.a=1,file.b=2", "file.c", "missing", "1,file.b=2"],
    ["blockdev", "raw,filex.a=1,file=2", "file", "unknown-name", "file=2"],
    ["drive", "file=/a,file.b=1", "file", "io", "/a,file.b=1"],
    ["device", '{"driver":"x","a":[{"b":[1,2]}]}', "a.0.b.1", "invalid-value", "2]}]}"],
    ["device", '{"driver":"x","a":[{"b":{}},{"b" : 5}]}', "a.1.b", "unknown-name", '"b" : 5}]}'],
    ["device", '{"driver":"x","a":[{}]}', "a.0.b", "missing", "{}]}"],
    ["device", '{"a.b":{"c":1},"a":{"b.c":2}}', "a.b.c", "invalid-value", '1},"a":{"b.c":2}}'],
    ["device", '{"a":"b"}', "b", "invalid-value", undefined],
  ];
  for (const [argument, text, option, kind, expected] of rows) {
    it(`-${argument} ${text}: ${option} (${kind})`, () => {
      expect(shown(argument, text, option, kind)).to.equal(expected);
    });
  }

  it("is that of every printed one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<OptionArgument>("object", "device", "drive", "blockdev"),
        members,
        fc.boolean(),
        (argument, given, json) => {
          const grammar = ARGUMENT_GRAMMARS[argument];
          const values: OptionMap = new Map(given);
          const print = json && grammar.json ? printJson : grammar.language === "keyval" ? printKeyval : printQemuOpts;
          const text = print(values);
          for (const [name, value] of given) {
            expect(shown(argument, text, name, "unknown-name")?.replace(/^"/, "")).to.satisfy((rest: string) => rest.startsWith(name));
            const written = print === printJson ? printJson(value) : value.replaceAll(",", ",,");
            expect(shown(argument, text, name, "invalid-value")).to.satisfy((rest: string) => rest.startsWith(written));
          }
        },
      ),
    );
  });
});
