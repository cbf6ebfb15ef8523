/** The grammar of a command line beside what the programs' own tests say: operands, and habits of a program. */
import { expect } from "chai";
import { PLAIN_HABITS, readOptions } from "#src/options/getopt.js";
import type { GetoptHabits } from "#src/options/getopt.js";
import { refusal } from "../support/refusal.js";

const KNOWN = [
  { long: "all", short: "a" },
  { long: "key", short: "K", argument: "KEY" },
  { long: "read-keys", short: "k" },
  { long: "read-own", own: true },
] as const;

/** Each word as it was understood: `--name=value`, or an operand with the place that it has. */
function understood(args: readonly string[], habits?: GetoptHabits): readonly string[] {
  return [...readOptions(args, KNOWN, habits)].map((word) =>
    "operand" in word ? `${word.at}:${word.operand}` : `--${word.option.long}${word.value === "" ? "" : `=${word.value}`}`,
  );
}

describe("getopt", () => {
  it("finds operands between options, with their places", () => {
    expect(understood(["x", "-a", "-", "--key", "v", "y"])).to.deep.equal(["0:x", "--all", "2:-", "--key=v", "5:y"]);
  });

  it("takes everything behind -- for operands", () => {
    expect(understood(["-a", "--", "-a", "--", "--key"])).to.deep.equal(["--all", "2:-a", "3:--", "4:--key"]);
  });

  it("reads letters together, the last one with its argument", () => {
    expect(understood(["-akK1", "-K", "-a", "-aK=2"])).to.deep.equal(["--all", "--read-keys", "--key=1", "--key=-a", "--all", "--key==2"]);
  });

  it("takes a long name that is cut short, and one of its model before its own", () => {
    expect(understood(["--ke=1", "--al", "--read", "--read-o"])).to.deep.equal(["--key=1", "--all", "--read-keys", "--read-own"]);
  });

  it("has the habits of the program", async () => {
    const habits: GetoptHabits = { ...PLAIN_HABITS, underscores: true, repeatsValue: true, listed: "look it up" };
    expect(understood(["--read_keys"], habits)).to.deep.equal(["--read-keys"]);
    const wrong = await refusal(() => understood(["--nothing=1"], habits));
    expect([wrong.kind, wrong.message, wrong.hint]).to.deep.equal(["unknown-name", "unknown option '--nothing=1'", "look it up"]);
    expect((await refusal(() => understood(["--read_keys"]))).message).to.equal("unknown option '--read_keys'");
  });

  it("gives what stands before a mistake", async () => {
    const words = readOptions(["-a", "--nope"], KNOWN);
    expect(words.next().value).to.deep.include({ option: KNOWN[0] });
    expect((await refusal(() => words.next())).kind).to.equal("unknown-name");
  });
});
