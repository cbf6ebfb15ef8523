/** Lines of the human monitor: how they are taken apart. */
import { expect } from "chai";
import fc from "fast-check";
import { parseLine, splitWords, usage } from "#src/monitor/human/command.js";
import { HUMAN_COMMANDS } from "#src/monitor/human/commands.js";

/** The command and its values, or what is printed instead. */
function understood(line: string): unknown {
  const parsed = parseLine(line, HUMAN_COMMANDS);
  if (parsed.kind === "command") return [parsed.command.name, Object.fromEntries(parsed.values)];
  return parsed.kind === "problem" ? parsed.lines : null;
}

describe("a line of the human monitor", () => {
  it("has a command and its arguments", () => {
    expect(understood("qom-get /objects/pr0 type")).to.deep.equal(["qom-get", { path: "/objects/pr0", property: "type" }]);
    expect(understood("  q ")).to.deep.equal(["quit", {}]);
    expect(understood("? scsi")).to.deep.equal(["help", { cmd: "scsi" }]);
    expect(understood("info block")).to.deep.equal(["info block", {}]);
    expect(understood("info block -n hd")).to.deep.equal(["info block", { nodes: "-n", device: "hd" }]);
    expect(understood("info")).to.deep.equal(["info", {}]);
    expect(understood("")).to.equal(null);
  });

  it("has words in quotes, and a last argument that is taken as it is", () => {
    expect(understood(String.raw`qom-get "/a b\"c\\" x`)).to.deep.equal([
      "qom-get",
      { path: String.raw`/a b"c\ `.trimEnd(), property: "x" },
    ]);
    expect(understood('qom-set -j /a b {"x":  1} ')).to.deep.equal([
      "qom-set",
      { json: "-j", path: "/a", property: "b", value: '{"x":  1}' },
    ]);
    expect(understood('qom-set -j /a b "c"')).to.deep.include.members([{ json: "-j", path: "/a", property: "b", value: '"c"' }]);
    expect(understood("object_add x,id=a,path=/a b")).to.deep.equal([
      "object_add",
      { "[qom-type=]type,id=str[,prop=value][,...]": "x,id=a,path=/a b" },
    ]);
  });

  it("is told what is wrong with it, in QEMU's words", () => {
    expect(understood("nope x")).to.deep.equal(["unknown command: 'nope'"]);
    expect(understood("info nope")).to.deep.equal(["unknown command: 'info nope'"]);
    expect(understood("qom-get /a")).to.deep.equal(["qom-get: string expected", 'Try "help qom-get" for more information']);
    expect(understood("quit now")).to.deep.equal([
      "quit|q: extraneous characters at the end of line",
      'Try "help quit" for more information',
    ]);
    expect(understood('scsi "disk0 00')).to.deep.equal([
      "unterminated string",
      "scsi: string expected",
      'Try "help scsi" for more information',
    ]);
  });

  it("is taken apart whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", " ", '"', "\\", "-", "\t", "é") }), (line) => {
        for (const { at, text } of splitWords(line)) expect([at < line.length, text === "" || line.length > 0]).to.deep.equal([true, true]);
        parseLine(`qom-set ${line}`, HUMAN_COMMANDS);
      }),
    );
  });

  it("has help for each command", () => {
    const names = HUMAN_COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const command of HUMAN_COMMANDS) {
      expect(command.text, command.name).to.match(/^[a-z][^\n]*[^.\n]$/);
      expect(usage(command).startsWith(command.name)).to.equal(true);
      for (const [index, { rest }] of command.arguments.entries()) {
        expect(rest === true && index < command.arguments.length - 1, `${command.name}: only the last argument is the rest`).to.equal(
          false,
        );
      }
    }
  });
});
