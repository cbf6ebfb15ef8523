/**
 * Commands, task management, resets, plugging and unplugging in any order and all at once: every request is answered or given back, nothing
 * is refused for another reason than it should be, and nothing of what is gone is kept.
 */
import { expect } from "chai";
import fc from "fast-check";
import { Machine, PersistentReserveOut, QomError } from "qom-pr";
import type { VirtioScsi } from "qom-pr";
import { commandRequest } from "./support/peer.js";

const STEPS = process.env["SOAK"] === "1" ? 300_000 : 6000;
const RESPONSE = 108;
const NODES = [0, 1, 2, 3];
const ACTIONS = ["register-and-ignore-existing-key", "reserve", "release", "clear", "preempt-and-abort"] as const;

/** Why a command of the monitor may be refused here; anything else is a fault. */
const EXPECTED = new Set(["in-use", "duplicate", "not-found"]);

const WORK = [
  ...["read", "read", "write", "reserve", "ask", "management"],
  ...["plug", "unplug", "delete", "query", "hold", "event", "reset"],
] as const;

interface Step {
  readonly work: (typeof WORK)[number];
  readonly target: number;
  readonly lun: number;
  readonly pick: number;
}

function wwn(node: number): string {
  return `naa.500000000000000${node % 2}`;
}

/** An adapter, and what is done to it at once. */
class Turmoil {
  readonly waiting = new Set<Promise<unknown>>();
  readonly faults: unknown[] = [];

  constructor(
    readonly machine: Machine,
    readonly hba: VirtioScsi,
  ) {}

  async step({ work, target, lun, pick }: Step): Promise<void> {
    const address = [target, lun] as const;
    const block = pick.toString(16).padStart(2, "0");
    if (work === "read") this.#send(address, `28000000${block}0000000800`, 0, 4096);
    if (work === "write") this.#send(address, `2a000000${block}0000000800`, 4096, 0);
    if (work === "ask") this.#send(address, `5e0${pick % 4}0000000000010000`, 0, 256);
    if (work === "reserve") {
      const action = ACTIONS[pick % ACTIONS.length] ?? "clear";
      const { cdb, dataOut } = PersistentReserveOut.encode({ action, key: BigInt(pick % 3), serviceActionKey: BigInt(lun), type: 5 });
      this.#send(address, Buffer.from(cdb).toString("hex"), dataOut.length, 0);
    }
    if (work === "management") {
      const request = Uint8Array.of(0, 0, 0, 0, pick % 8, 0, 0, 0, 1, target, 0x40, lun, ...new Uint8Array(12));
      this.#wait(this.hba.submit(0, { readable: [request], writable: [new Uint8Array(1)] }));
    }
    const node = pick % NODES.length;
    const driver = pick % 3 === 0 ? "scsi-generic" : "scsi-block";
    if (work === "plug") this.#run("device_add", { driver, id: `d${node}`, drive: `n${target % 4}`, "share-rw": true });
    if (work === "unplug") this.#run("device_del", { id: `d${node}` });
    if (work === "delete") this.#run("object-del", { id: "pr0" });
    if (work === "query") for (const query of ["query-block", "query-named-block-nodes", "x-query-reservations"]) this.#run(query);
    if (work === "hold" && pick % 16 === 0) {
      const held = this.machine.fabric.unit(wwn(node)).hold();
      this.#wait(new Promise<void>((resolve) => setImmediate(resolve)).then(() => held.release()));
    }
    if (work === "event") void this.hba.submit(1, { readable: [], writable: [new Uint8Array(16)] });
    if (work === "reset" && pick % 32 === 0) {
      await this.hba.reset();
      this.hba.start(this.hba.features);
    }
  }

  #send(address: readonly [number, number], cdb: string, outBytes: number, inBytes: number): void {
    const readable = [commandRequest(address, cdb), new Uint8Array(outBytes)];
    this.#wait(this.hba.submit(2 + (address[0] % 4), { readable, writable: [new Uint8Array(RESPONSE), new Uint8Array(inBytes)] }));
  }

  #run(command: string, args = {}): void {
    const running = this.machine.qmp.execute(command, args).catch((error: unknown) => {
      if (!(error instanceof QomError) || !EXPECTED.has(error.kind)) this.faults.push(error);
    });
    this.#wait(running);
  }

  #wait(promise: Promise<unknown>): void {
    const ended: Promise<unknown> = promise.finally(() => this.waiting.delete(ended));
    this.waiting.add(ended);
  }
}

describe("virtio-scsi in a turmoil", () => {
  it("answers everything, and keeps nothing", async function () {
    this.timeout(1_800_000);
    const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
    console.log(`    seed ${seed}`);
    const nodes = NODES.flatMap((node) => ["-blockdev", `node-name=n${node},driver=sim-lun,wwn=${wwn(node)},pr-manager=pr0`]);
    const machine = await Machine.create(["-device", "virtio-scsi,id=s0,num_queues=4", "-object", "pr-manager-memory,id=pr0", ...nodes]);
    const turmoil = new Turmoil(machine, machine.hba("s0"));
    turmoil.hba.start(turmoil.hba.features);
    const warned = (warning: Error): void => void turmoil.faults.push(warning);
    process.on("warning", warned);
    const step = fc.record({
      work: fc.constantFrom(...WORK),
      target: fc.nat({ max: 4 }),
      lun: fc.nat({ max: 1 }),
      pick: fc.nat({ max: 255 }),
    });
    const steps = fc.sample(step, { seed, numRuns: 6000 });
    try {
      for (let count = 0; count < STEPS; count += 1) {
        const next = steps[count % steps.length];
        if (next !== undefined) await turmoil.step(next);
        if (count % 20 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      }
      while (turmoil.waiting.size > 0) await Promise.all(turmoil.waiting);
      await machine.close();
      expect(turmoil.hba.needsReset).to.equal(null);
      // Warnings, of listeners that are never taken off among others, come in the next turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(turmoil.faults).to.deep.equal([]);
    } finally {
      process.off("warning", warned);
      await machine.close();
    }
  });
});
