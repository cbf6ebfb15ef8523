/** Subcommands of `qom-pr`: which there are, and what is said of words that are none. */
import { expect } from "chai";
import { SUBCOMMANDS } from "#src/cli/commands.js";
import { run } from "./support/programs.js";

describe("the subcommands of qom-pr", () => {
  it("are all in the help, which is printed as an error where no word is given", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).to.deep.equal([0, ""]);
    for (const { name, usage } of SUBCOMMANDS) expect(stdout).to.contain(`  ${name} ${usage}`);
    for (const line of stdout.split("\n")) expect(line.length, line).to.be.at.most(80);
    for (const words of [["-h"], ["help"], ["help", "help"], ["--hel"]]) {
      expect(await run(words), words.join(" ")).to.deep.equal({ code: 0, stdout, stderr: "" });
    }
    expect(await run([])).to.deep.equal({ code: 1, stdout: "", stderr: stdout });
  });

  it("each have a help of their own", async () => {
    for (const { name } of SUBCOMMANDS) {
      const own = await run([name, "--help"]);
      expect(own, name).to.include({ code: 0, stderr: "" });
      expect(own.stdout, name).to.match(new RegExp(`^Usage: qom-pr ${name} `));
      expect(await run(["help", name]), name).to.deep.equal(own);
    }
  });

  it("that do not exist are asked about, and end the program with 2", async () => {
    const wrong: [string[], string][] = [
      [["demoo"], "unknown command 'demoo' (did you mean 'demo'?)"],
      [["help", "persis"], "unknown command 'persis' (did you mean 'persist'?)"],
      [[""], "unknown command '' (--help lists the commands)"],
      [["--", "--help"], "unknown command '--help' (--help lists the commands)"],
    ];
    for (const [words, message] of wrong) {
      expect(await run(words), words.join(" ")).to.deep.equal({ code: 2, stdout: "", stderr: `qom-pr: ${message}\n` });
    }
  });

  it("take the options behind them, and the program those before them", async () => {
    const wrong: [string[], RegExp][] = [
      [["--json", "demo"], /unknown option '--json'/],
      [["demo", "--jsno"], /unknown option '--jsno' \(did you mean '--json'\?\)/],
      [["demo", "--json=1"], /'--json' takes no argument/],
      [["demo", "x"], /too many arguments: 'demo' takes none, and 'x' is given/],
    ];
    for (const [words, message] of wrong) {
      const { code, stdout, stderr } = await run(words);
      expect([code, stdout], words.join(" ")).to.deep.equal([1, ""]);
      expect(stderr).to.match(message);
    }
    expect((await run(["--version", "nope"])).code).to.equal(0);
  });
});
