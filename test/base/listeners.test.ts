/** Telling listeners, of whom some throw. */
import { expect } from "chai";
import { tellAll } from "#src/base/listeners.js";

describe("listeners", () => {
  it("hear in order, also behind one that throws and one that leaves", async () => {
    const told: unknown[] = [];
    const listeners = new Set<(word: string, count: number) => void>();
    const leaving = (): void => void listeners.delete(leaving);
    listeners.add(() => {
      throw new Error("a mistake of this listener");
    });
    listeners.add(leaving);
    listeners.add((...words) => told.push(words));
    const uncaught = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const thrown = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
    try {
      tellAll(listeners, "x", 1);
      expect(told).to.deep.equal([["x", 1]]);
      expect((await thrown).message).to.equal("a mistake of this listener");
    } finally {
      for (const each of uncaught) process.on("uncaughtException", each);
    }
    expect(listeners.size).to.equal(2);
  });
});
