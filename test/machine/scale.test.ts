/** Machines with many block nodes: others are served while they are made, asked and ended. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import type { QmpValue } from "qom-pr";
import { refusal } from "../support/refusal.js";
import { countTurns } from "../support/turns.js";

const NODES = 1000;
/** What a slice may have at most, so that there are at least so many turns. */
const TURNS = NODES / 128 - 1;

const wwn = (index: number): string => `naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`;
const many = (option: (index: number) => readonly [string, string]): readonly string[] =>
  Array.from({ length: NODES }, (_, index) => option(index)).flat();
const BLOCKDEVS = many((index) => ["-blockdev", `node-name=n${index},driver=sim-lun,wwn=${wwn(index)}`]);
const DRIVES = many((index) => ["-drive", `id=d${index},if=none,driver=sim-lun,wwn=${wwn(index)}`]);

/** The first member of each element: a node's name, a drive's id. */
const namesOf = (nodes: QmpValue): readonly unknown[] => {
  if (!Array.isArray(nodes)) throw new Error("no list");
  return nodes.map((node: unknown): unknown =>
    typeof node === "object" && node !== null ? Object.values<unknown>({ ...node })[0] : undefined,
  );
};

describe("a machine with many block nodes", () => {
  for (const [what, argv, query, names] of [
    ["of -blockdev", BLOCKDEVS, "query-named-block-nodes", (index: number) => `n${NODES - 1 - index}`],
    ["of -drive", DRIVES, "query-block", (index: number) => `d${index}`],
  ] as const) {
    it(`${what} keeps nobody waiting`, async () => {
      const turns = countTurns();
      const served = async <T>(doing: string, action: () => Promise<T>): Promise<T> => {
        const before = turns.count;
        const result = await action();
        expect(turns.count - before, doing).to.be.at.least(TURNS);
        return result;
      };
      const machine = await served("making it", () => Machine.create(argv));
      const answer = await served(query, () => machine.qmp.execute(query));
      expect(namesOf(answer)).to.deep.equal(Array.from({ length: NODES }, (_, index) => names(index)));
      await served("ending it", () => machine.close());
      turns.end();
    });
  }

  it("is asked at one moment: what changes while the answer is made is not in it", async () => {
    const machine = await Machine.create(BLOCKDEVS);
    const answer = machine.qmp.execute("query-named-block-nodes");
    await machine.qmp.execute("blockdev-del", { "node-name": "n0" });
    await machine.qmp.execute("blockdev-add", { driver: "sim-lun", "node-name": "late", wwn: wwn(NODES) });
    expect(namesOf(await answer))
      .to.have.length(NODES)
      .and.to.include("n0")
      .and.not.to.include("late");
    await machine.close();
  });

  it("is not made when its signal fires meanwhile, and nothing of it is left", async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error("stopped")));
    const error = await Machine.create(BLOCKDEVS, { signal: stop.signal }).catch((reason: unknown) => reason);
    expect(error).to.be.an("error").with.property("message", "stopped");
  });

  it("is refused for the last of its options as for the first", async () => {
    for (const wrong of [
      ["-blockdev", "driver=sim-lun,node-name=n0,wwn=naa.600000000000000a"],
      ["-blockdev", "driver=sim-lan,node-name=x"],
      ["-nonsense", "x"],
    ]) {
      const { message } = await refusal(() => Machine.create([...BLOCKDEVS, ...wrong]));
      expect(message)
        .to.contain(wrong[0])
        .and.to.contain(wrong[1] === "x" ? "unknown option" : wrong[1]);
    }
  });
});
