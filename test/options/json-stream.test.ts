/** JSON from a stream: chunks, resynchronisation as in QEMU's monitor tests, limits. */
import { expect } from "chai";
import fc from "fast-check";
import { JsonStream, printJson } from "#src/options/json.js";
import type { JsonItem } from "#src/options/json.js";
import { NESTING_MAX } from "#src/options/value.js";
import { memoryInUse } from "../support/memory.js";
import { anyValue } from "./support.js";

const open = (lengthMax = 1_000_000): JsonStream => new JsonStream({ lengthMax });

/** Values as JSON text, errors as `!kind@position`. */
const brief = (items: readonly JsonItem[]): readonly string[] =>
  items.map((item) => (item.kind === "value" ? printJson(item.value) : `!${item.error.kind}@${item.error.context.position}`));

/** Everything that comes out of `chunks`, end included. */
function read(chunks: readonly (string | Uint8Array)[], lengthMax?: number): readonly string[] {
  const stream = open(lengthMax);
  return [...chunks.flatMap((chunk) => brief(stream.push(chunk))), ...brief(stream.end())];
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("a JSON stream", () => {
  it("hands over a value as soon as it is complete", () => {
    const stream = open();
    expect(brief(stream.push('{"a":1'))).to.deep.equal([]);
    expect(brief(stream.push('}{"b"'))).to.deep.equal(['{"a": 1}']);
    expect(brief(stream.push(":2}"))).to.deep.equal(['{"b": 2}']);
    expect(brief(stream.push("[]'x'"))).to.deep.equal(["[]", '"x"']);
    expect(brief(stream.end())).to.deep.equal([]);
  });

  it("takes values with blanks, line feeds or nothing between", () => {
    expect(read(['{}{} []\r\n[]1 2\n"a""b"true null-1'])).to.deep.equal([
      "{}",
      "{}",
      "[]",
      "[]",
      "1",
      "2",
      '"a"',
      '"b"',
      "true",
      "null",
      "-1",
    ]);
  });

  it("completes a number or literal by what follows or by the end", () => {
    const stream = open();
    expect(brief(stream.push("12"))).to.deep.equal([]);
    expect(brief(stream.push("3"))).to.deep.equal([]);
    expect(brief(stream.push(" tr"))).to.deep.equal(["123"]);
    expect(brief(stream.push("ue"))).to.deep.equal([]);
    expect(brief(stream.end())).to.deep.equal(["true"]);
  });

  it("does not depend on how the text is cut, as characters or as bytes", () => {
    const pieces = fc.array(
      fc.oneof(
        anyValue().map((value) => printJson(value)),
        fc.constantFrom(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          '"',
          "'",
          "\\",
          "\\u00e4",
          "\n",
          " ",
          "@",
          "nul",
          "01",
          "-",
          "1.5e3",
          '"ä\u{1f600}"',
          "{'a':1}",
        ),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(7), { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (parts, sizes, lengthMax) => {
        const text = parts.join("");
        const whole = read([text], lengthMax).filter((line) => !line.startsWith("!limit"));
        const cut = (length: number, slice: (from: number, to: number) => string | Uint8Array): (string | Uint8Array)[] => {
          const chunks: (string | Uint8Array)[] = [];
          for (let at = 0, index = 0; at < length; index += 1) {
            const to = Math.min(length, at + 1 + (sizes[index % sizes.length] ?? 0));
            chunks.push(slice(at, to));
            at = to;
          }
          return chunks;
        };
        const encoded = Buffer.from(text);
        const values = (lines: readonly string[]): readonly string[] => lines.filter((line) => !line.startsWith("!limit"));
        expect(
          values(
            read(
              cut(text.length, (from, to) => text.slice(from, to)),
              lengthMax,
            ),
          ),
        ).to.deep.equal(whole);
        expect(
          values(
            read(
              cut(encoded.length, (from, to) => encoded.subarray(from, to)),
              lengthMax,
            ),
          ),
        ).to.deep.equal(whole);
      }),
      { numRuns: 1000 },
    );
  });

  describe("finds its feet after", () => {
    const GOOD = '{"execute":"x"}';
    const PRINTED = '{"execute": "x"}';
    const rows: readonly (readonly [string, string | Uint8Array, readonly string[]])[] = [
      ["a wrong bracket", "{]\n", ["!syntax@1"]],
      ["an impossible byte outside a string", bytes("{\xff"), ["!syntax@1"]],
      ["a control character outside a string", "{\u0001", ["!syntax@1"]],
      ["an impossible byte in a string", bytes("{'bad \xff"), ["!syntax@6"]],
      ["a line feed in a string", "{'execute': 'nonexistent', 'id':'\n", ["!syntax@33"]],
      ["an impossible byte behind a backslash", bytes("{'bad \\\xff"), ["!syntax@7"]],
      ["an interpolation", "%%p", ["!syntax@0"]],
      ["a stray character", "@ ", ["!syntax@0"]],
      ["a stray character in an object", '{"execute": @"x"}\n', ["!syntax@12"]],
      ["a stray character before more members", '{"execute": @ , "arguments": {"a":1}}\n', ["!syntax@12", '{"a": 1}']],
      ["an unknown literal", '{"execute": nul}', ["!syntax@12"]],
      ["a missing colon", '{"a" "b"}', ["!syntax@5"]],
      ["a missing colon, far from the end", '{"a" "b", "c": [{"d": 1}, "}"]}', ["!syntax@5"]],
      ["a comma too many", '{"a":1,}', ["!syntax@7"]],
      ["a duplicate member", '{"a":1,"a":2}', ["!syntax@7"]],
      ["a stray bracket", "}", ["!syntax@0"]],
      ["stray brackets", "}}]]\n", ["!syntax@0"]],
      ["a bracket that closes the wrong thing", '{"a":[}\n', ["!syntax@6"]],
      ["the same, with more behind it", '{"a":[}, "b": [1]}\n', ["!syntax@6", "[1]"]],
      ["a stray character, with the line", "@ 1 true\n5\n", ["!syntax@0", "5"]],
      ["a leading zero", "01\n", ["!syntax@1"]],
      ["words", "hello world 1 2 3\n", ["!syntax@0"]],
      ["an HTTP request", "GET / HTTP/1.1\r\n", ["!syntax@0"]],
      ["a string that is not UTF-8", bytes('{"id":"\xc0\x80"}'), ["!syntax@6"]],
      ["an overlong sequence", bytes('{"id":"\xe0\x80\x80"}'), ["!syntax@6"]],
      ["a longer overlong sequence", bytes('{"id":"\xf0\x8f\xbf\xbf"}'), ["!syntax@6"]],
      ["a surrogate in UTF-8", bytes('{"id":"\xed\xa0\x80"}'), ["!syntax@6"]],
      ["a sequence beyond Unicode", bytes('{"id":"\xf4\x90\x80\x80"}'), ["!syntax@6"]],
      ["half a sequence", bytes('{"id":"\xe4\xb8"}'), ["!syntax@6"]],
      ["a mistake in a value that is skipped already", '{"a" "b" [ @ 1\n', ["!syntax@5"]],
      ["bytes that are not UTF-8 outside a string", bytes("\x80\x81 "), ["!syntax@0"]],
      ["a byte order mark", bytes("\xef\xbb\xbf"), ["!syntax@0"]],
      ["an integer out of range", '{"id":18446744073709551616}', ["!limit@6"]],
      ["too deep nesting", `{"id":${"[".repeat(NESTING_MAX)}${"]".repeat(NESTING_MAX)}}`, [`!limit@${6 + NESTING_MAX - 1}`]],
    ];
    for (const [name, bad, expected] of rows) {
      it(name, () => {
        expect(read([bad, GOOD])).to.deep.equal([...expected, PRINTED]);
        const single = Array.from(typeof bad === "string" ? Buffer.from(bad) : bad, (byte) => Uint8Array.of(byte));
        expect(read([GOOD, ...single, GOOD])).to.deep.equal([PRINTED, ...expected, PRINTED]);
      });
    }
  });

  it("reports a mistake when it is found, not when the value ends", () => {
    const stream = open();
    expect(brief(stream.push('{"a" "b"'))).to.deep.equal(["!syntax@5"]);
    expect(brief(stream.push(', "c": 1}'))).to.deep.equal([]);
    expect(brief(stream.push("1 "))).to.deep.equal(["1"]);
  });

  it("reports what was cut off at the end", () => {
    expect(read(['{"a":'])).to.deep.equal(["!syntax@5"]);
    expect(read(['"abc'])).to.deep.equal(["!syntax@4"]);
    expect(read(["-"])).to.deep.equal(["!syntax@1"]);
    expect(read([bytes("{'a\xe4")])).to.deep.equal(["!syntax@4"]);
    expect(read(["{}", " \n"])).to.deep.equal(["{}"]);
  });

  it("joins characters that were cut between chunks", () => {
    const text = '"ä\u{1f600}€"';
    expect(read(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).to.deep.equal([printJson("ä\u{1f600}€")]);
    expect(read([bytes('"a\xe4'), '"'])).to.deep.equal(["!syntax@0"]);
    expect(read(['"\ud83d', '\ude00"'])).to.deep.equal([printJson("\u{1f600}")]);
  });

  describe("of limited values", () => {
    it("takes one of exactly the limit, and refuses one longer by a character", () => {
      for (const value of ['"abcdefgh"', "[1,2,3,44]", '{"a":1234}', "1234567890", "[       1]"]) {
        expect(read([value, "\n", value], 10), value)
          .to.have.lengthOf(2)
          .and.to.satisfy((lines: string[]) => lines[0]?.[0] !== "!");
        expect(read([value, "\n1 "], 9), value).to.deep.equal(["!limit@10", "1"]);
      }
    });

    it("refuses at once, without waiting for the end", () => {
      for (const start of ['"', "[", '{"a":[', '[{"b":"']) {
        const stream = open(100);
        expect(brief(stream.push(start)), start).to.deep.equal([]);
        expect(brief(stream.push((start.endsWith('"') ? "x" : " ").repeat(101))), start).to.have.lengthOf(1);
      }
    });

    it("says so once, however much follows, and goes on behind", () => {
      const stream = open(100);
      const items = [...stream.push('{"a":"')];
      for (let chunk = 0; chunk < 1000; chunk += 1) items.push(...stream.push("x".repeat(50)));
      items.push(...stream.push('","b":[{},"]}"]} {"c":3}'));
      expect(brief(items)).to.deep.equal(["!limit@106", '{"c": 3}']);
      const top = open(100);
      const more = [...top.push('"')];
      for (let chunk = 0; chunk < 1000; chunk += 1) more.push(...top.push("x".repeat(50)));
      more.push(...top.push('"\n{"c":3}'));
      expect(brief(more)).to.deep.equal(["!limit@101", '{"c": 3}']);
    });

    it("keeps nothing of what it refused", () => {
      const stream = open(1000);
      const chunk = Buffer.alloc(1 << 16, "x");
      stream.push('{"a":"');
      stream.push(chunk);
      const before = memoryInUse();
      for (let count = 0; count < 500; count += 1) stream.push(chunk);
      expect(memoryInUse() - before, "of 31 MiB that went by").to.be.below(8 << 20);
      expect(brief(stream.push('"}[]'))).to.deep.equal(["[]"]);
    });

    it("says nothing of the pieces of a broken value, and keeps none", () => {
      const stream = open(100);
      const items = [...stream.push('{@,"')];
      for (let chunk = 0; chunk < 10; chunk += 1) items.push(...stream.push("x".repeat(50)));
      expect(brief([...items, ...stream.push('"\n5 ')])).to.deep.equal(["!syntax@1", "5"]);
    });

    it("counts each value for itself", () => {
      const stream = open(20);
      for (let count = 0; count < 100; count += 1)
        expect(brief(stream.push(`\n   ${" ".repeat(30)}{"a":[1,2]}`))).to.deep.equal(['{"a": [1, 2]}']);
    });
  });
});
