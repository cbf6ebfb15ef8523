/** Our client and a real helper, theirs or ours, that is killed: between any two bytes, and at any moment under load. */
import { expect } from "chai";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import { openDescriptors } from "../support/descriptors.js";
import { refusal } from "../support/refusal.js";
import { ClientBench, ended, HELPERS, soakCount } from "./support/client-bench.js";
import { skipWithoutPrHelper } from "../support/pr-helper.js";

const READ_KEYS = { ...PersistentReserveIn.readKeys(8), timeoutMs: 60_000 };
const REGISTER = { ...PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }), timeoutMs: 60_000 };

/** What a helper answers for a disk that is a file: ENOTTY as sense. */
const ANSWER = "0B/00/06";
const COMMUNICATION_FAILURE = "0B/08/00";

const GREETING = 4;
const REQUEST = 16 + 24;
const RESPONSE = 104;

for (const [name, program] of Object.entries(HELPERS)) {
  describe(`faults of our client with ${name}: kill -9`, function () {
    this.timeout(1_800_000);
    const bench = new ClientBench();
    let shim = "";
    before(function () {
      if (program === null) skipWithoutPrHelper(this);
      shim = bench.compile("break-shim.c", ["-shared", "-fPIC"]);
    });

    /** A command to a helper that breaks off, and one to its successor. */
    const breakOff = async (variable: string, bytes: number): Promise<string> => {
      const broken = bench.helper(program ?? "", { LD_PRELOAD: shim, [variable]: String(bytes) });
      const creation = bench.manager();
      if (variable === "BREAK_SENT" && bytes < GREETING) {
        const error = await refusal(() => creation);
        await ended(broken);
        return error.message.replace(/^.*' closed/, "closed");
      }
      const manager = await creation;
      const running = bench.run(manager, REGISTER);
      await ended(broken);
      const word = await running;
      bench.helper(program ?? "");
      await bench.listening();
      const next = await bench.run(manager, READ_KEYS);
      expect(next, `the command after ${variable}=${bytes}`).to.equal(ANSWER);
      return word;
    };

    /** Offsets into a stream from `first` on: all of them in a soak run, else every so many; ours takes long to start. */
    const offsets = (first: number, end: number): number[] => {
      const stride = name === "qom-pr-helper" ? soakCount(8, 60) : soakCount(1, 9);
      return Array.from({ length: Math.ceil((end - first) / stride) }, (_, index) => first + index * stride);
    };

    it("while it greets: the creation fails and says how far it came", async () => {
      for (const bytes of [1, 3]) {
        expect(await breakOff("BREAK_SENT", bytes)).to.equal(`closed the connection after ${bytes} of 4 bytes of its greeting`);
      }
    });

    it("between any two bytes of its answer: LUN COMMUNICATION FAILURE, and the next command is answered by its successor", async () => {
      for (const bytes of offsets(GREETING + 1, GREETING + RESPONSE)) {
        expect(await breakOff("BREAK_SENT", bytes), `after ${bytes} bytes`).to.equal(COMMUNICATION_FAILURE);
      }
    });

    it("behind its answer: the command has been answered", async () => {
      expect(await breakOff("BREAK_SENT", GREETING + RESPONSE)).to.equal(ANSWER);
    });

    it("between any two bytes of the request: it is never sent a second time once it was sent", async () => {
      for (const bytes of offsets(GREETING + 1, GREETING + REQUEST)) {
        expect(await breakOff("BREAK_RECEIVED", bytes), `after ${bytes} bytes`).to.equal(COMMUNICATION_FAILURE);
      }
    });

    it("before it has our feature word: the command is lost or goes to its successor", async () => {
      for (const bytes of [2]) {
        expect(await breakOff("BREAK_RECEIVED", bytes), `after ${bytes} bytes`).to.be.oneOf([COMMUNICATION_FAILURE, ANSWER]);
      }
    });

    it("at any moment under load: every command ends, no descriptor is lost, and it goes on", async () => {
      let helper = bench.helper(program ?? "");
      const manager = await bench.manager(",connections=3");
      await bench.run(manager, READ_KEYS);
      const before = openDescriptors();
      const changes: boolean[] = [];
      manager.onConnectionChange((connected) => changes.push(connected));
      const words = new Map<string, number>();
      let going = true;
      const client = async (): Promise<void> => {
        while (going) {
          const word = await bench.run(manager, Math.random() < 0.5 ? READ_KEYS : REGISTER);
          words.set(word, (words.get(word) ?? 0) + 1);
        }
      };
      const clients = Array.from({ length: 8 }, client);
      for (let kills = soakCount(100, 2); kills > 0; kills -= 1) {
        const answeredBefore = words.get(ANSWER) ?? 0;
        while ((words.get(ANSWER) ?? 0) < answeredBefore + Math.random() * 500) await new Promise(setImmediate);
        await bench.kill(helper);
        helper = bench.helper(program ?? "");
      }
      await bench.listening();
      going = false;
      await Promise.all(clients);
      expect(words.get(ANSWER)).to.be.above(0);
      for (const word of words.keys()) expect(word).to.be.oneOf([ANSWER, COMMUNICATION_FAILURE]);
      expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
      expect(
        changes.every((connected, index) => connected === (index % 2 === 1)),
        "each change once",
      ).to.equal(true);
      expect(manager.busyWith()).to.equal(null);
      // Three connections where there was one.
      const more = openDescriptors().filter((target) => target.startsWith("socket:")).length;
      expect(more - before.filter((target) => target.startsWith("socket:")).length).to.be.within(0, 2);
      expect(openDescriptors().length - before.length).to.be.within(0, 2);
    });
  });
}
