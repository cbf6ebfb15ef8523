/** What listeners of a manager's connection are told, whatever its subclass says. */
import "reflect-metadata";
import { expect } from "chai";
import { PrManager, qomType } from "qom-pr";

@qomType({ name: "pr-manager-flapping", description: "says that it is connected as often as it likes" })
class Flapping extends PrManager {
  say(connected: boolean, cause?: Error): void {
    this.connectionChanged(connected, cause);
  }

  protected override run(): Promise<never> {
    throw new Error("nobody asks it");
  }
}

describe("connection events of a PR manager", () => {
  it("tell each state once, with its reason", () => {
    const manager = new Flapping();
    const told: unknown[] = [];
    manager.onConnectionChange((connected, cause) => told.push([connected, cause?.message]));
    for (const connected of [true, true, false, false, true]) manager.say(connected, connected ? undefined : new Error("gone"));
    expect(told).to.deep.equal([
      [true, undefined],
      [false, "gone"],
      [true, undefined],
    ]);
  });

  it("begin with the present state for whoever asks for it, unless there is none", () => {
    const manager = new Flapping();
    const told: boolean[] = [];
    const listen = (): (() => void) => manager.onConnectionChange((connected) => told.push(connected), { current: true });
    listen()();
    expect(told).to.deep.equal([]);
    manager.say(false);
    listen()();
    expect(told).to.deep.equal([false]);
    const forget = listen();
    manager.say(true);
    forget();
    manager.say(false);
    expect(told).to.deep.equal([false, false, true]);
  });

  it("reach the same listener as often as it was added, and stop one by one", () => {
    const manager = new Flapping();
    let calls = 0;
    const listener = (): void => void (calls += 1);
    const [first] = [manager.onConnectionChange(listener), manager.onConnectionChange(listener)];
    manager.say(true);
    expect(calls).to.equal(2);
    first();
    manager.say(false);
    expect(calls).to.equal(3);
  });

  it("reach the other listeners when one throws, whose error is not lost", async () => {
    const manager = new Flapping();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
    const told: boolean[] = [];
    manager.onConnectionChange(() => {
      throw new Error("a listener's mistake");
    });
    manager.onConnectionChange((connected) => told.push(connected));
    manager.say(true);
    expect(told).to.deep.equal([true]);
    expect(await uncaught).to.have.property("message", "a listener's mistake");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
});
