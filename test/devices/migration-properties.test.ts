/** Whatever a guest and its cluster's other node did before: what is saved is true of the guest's own commands, and a move changes nothing else. */
import { expect } from "chai";
import fc from "fast-check";
import type { ReserveOutRequest } from "qom-pr";
import { WWN } from "../support/machine.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";

const SEED = 1;
const RUNS = { seed: SEED, numRuns: 200 };

// Often the right one: commands that conflict change nothing.
const key = fc.constantFrom(0n, KEY, KEY, KEY, KEY + 2n);
const anyKey = fc.constantFrom(0n, KEY, KEY + 2n, OTHER_KEY);
const type = fc.constantFrom(1, 3, 5, 6, 7, 8);

/** Commands of the guest: its own keys, and that of the other node to be preempted. */
const guestCommand: fc.Arbitrary<ReserveOutRequest> = fc.oneof(
  fc.record({ action: fc.constantFrom("register" as const, "register-and-ignore-existing-key" as const), key, serviceActionKey: key }),
  fc.record({ action: fc.constantFrom("reserve" as const, "release" as const), key, type }),
  fc.record({ action: fc.constant("clear" as const), key }),
  fc.record({ action: fc.constantFrom("preempt" as const, "preempt-and-abort" as const), key, serviceActionKey: anyKey, type }),
);

/** Of the other node, which has one key. */
const otherCommand: fc.Arbitrary<ReserveOutRequest> = fc.oneof(
  fc.record({ action: fc.constant("register-and-ignore-existing-key" as const), serviceActionKey: fc.constantFrom(0n, OTHER_KEY) }),
  fc.record({ action: fc.constantFrom("reserve" as const, "release" as const), key: fc.constant(OTHER_KEY), type }),
  fc.record({ action: fc.constant("preempt" as const), key: fc.constant(OTHER_KEY), serviceActionKey: anyKey, type }),
);

interface Held {
  readonly key: bigint;
  /** Of the reservation that it holds alone, or with all registrants; 0 without one. */
  readonly type: number;
  readonly shared: boolean;
}

describe("a guest's reservations", () => {
  const cluster = Cluster.ofTests();
  let nodes: readonly [Node, Node, Node];
  beforeEach(async () => {
    nodes = [await cluster.node("a"), await cluster.node("b"), await cluster.node("c")];
  });

  /** What the disk has of a node. */
  function held(name: string): Held {
    const { registrants, reservation } = cluster.fabric.unit(WWN).reservations;
    const own = registrants.find(({ initiator }) => initiator.endsWith(`${name}0`));
    if (own === undefined) return { key: 0n, type: 0, shared: false };
    return { key: own.key, type: own.holder ? (reservation?.type ?? 0) : 0, shared: reservation?.holder === null };
  }

  function savedBy(node: Node): { readonly key: bigint; readonly type: number } {
    const saved = node.disk().migration.save();
    if (saved === null) return { key: 0n, type: 0 };
    return { key: new DataView(saved.buffer).getBigUint64(4), type: saved[12] ?? 0 };
  }

  /** Nothing is registered, and nobody has anything to be told. */
  async function begin(): Promise<void> {
    await cluster.fabric.powerCycle();
    for (const node of nodes) {
      node.disk().migration.forget();
      while ((await node.testUnitReady()) !== "GOOD");
    }
  }

  it(`are followed as they are, while only the guest acts (seed ${SEED})`, async () => {
    const [a, b] = nodes;
    const start = fc.constantFrom(0, 1, 5);
    await fc.assert(
      fc.asyncProperty(start, fc.array(guestCommand, { maxLength: 14 }), async (reserved, commands) => {
        await begin();
        await b.out({ action: "register", serviceActionKey: OTHER_KEY });
        if (reserved !== 0) await b.out({ action: "reserve", key: OTHER_KEY, type: reserved });
        for (const command of commands) {
          await a.out(command);
          const [followed, real] = [savedBy(a), held("a")];
          expect(followed.key).to.equal(real.key);
          // A share that came without a command of the guest's is not followed.
          expect(followed.type).to.be.oneOf(real.shared ? [real.type, 0] : [real.type]);
        }
      }),
      RUNS,
    );
  });

  it(`move as they are, and those of others stay (seed ${SEED})`, async () => {
    const [a, b, c] = nodes;
    const commands = fc.array(
      fc.oneof(
        guestCommand.map((guest) => ({ guest })),
        otherCommand.map((other) => ({ other })),
      ),
      { maxLength: 12 },
    );
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(commands, async (history) => {
        await begin();
        for (const step of history) await ("guest" in step ? a.out(step.guest) : b.out(step.other));
        const [before, other, followed] = [held("a"), held("b"), savedBy(a)];
        const state = a.disk().migration.save();
        const { taken } = state === null ? { taken: "nothing" } : await c.disk().migration.restore(state);
        seen.add(`${taken}${before.shared ? ", shared" : ""}`);
        if (before.key === 0n || followed.key !== before.key) {
          expect([taken, held("a"), held("b")]).to.deep.equal(["nothing", before, other]);
          return;
        }
        expect(taken).to.equal(followed.type === 0 || before.type === 0 ? "registration" : "reservation");
        expect([held("a").key, held("c"), held("b")]).to.deep.equal([0n, before, other]);
      }),
      RUNS,
    );
    expect([...seen]).to.include.members(["nothing", "registration", "reservation", "registration, shared", "reservation, shared"]);
  });
});
