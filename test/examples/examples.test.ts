/** Every example runs and prints what it promises. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);

/** Name of the example, and what its output must contain. */
const EXAMPLES: readonly (readonly [name: string, output: RegExp])[] = [
  ["seed-command-line", /^READ KEYS went to the manager: status 0\n$/],
  [
    "embed-in-emulator",
    /^TEST UNIT READY status 2: [^\n]+\nWRITE\(10\) status 0, READ\(10\) status 0, first byte 5ah\nPERSISTENT RESERVE OUT status 0, 1 registrant\n$/,
  ],
  ["custom-manager", /^naa\.5000000000000001: 5fh, status 0, took less than \d+ ms\n$/],
  ["own-store", /^b writes: status 0\na has fenced b, which writes: status 24 \(24 is RESERVATION CONFLICT\)\n$/],
  ["own-block-driver", /^made before the machine was\nbyte 511 is now 5ah\n$/],
  [
    "migrate",
    /^(?:(?:one network|two networks): the destination takes the reservation, and its guest writes: status 0\n[^\n]+ source takes the reservation back, and its guest writes: status 0\n[^\n]+: the other node was refused (\d+) times of \1\n){2}$/,
  ],
  ["own-command", /^\{"holder":"naa\.5000000000000a01","registrants":1\}\n$/],
];

describe("examples", () => {
  for (const [name, output] of EXAMPLES) {
    it(`${name}.ts runs`, async () => {
      const program = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
      const { stdout, stderr } = await run(process.execPath, [program]);
      expect(stderr).to.equal("");
      expect(stdout).to.match(output);
    });
  }
});
