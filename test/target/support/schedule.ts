/** Chance and order of a run, both from a seed: what waits goes on when the schedule says so, and nothing else decides what comes next. */
import { present } from "#src/base/assert.js";
import { randomNumbers } from "../../support/random.js";

/** Turns after which whatever has not ended never will. */
const TURNS_MAX = 5000;

/** Turns in which nothing has waited after which nothing is under way any more. */
const QUIET_TURNS = 20;

export class Schedule {
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number from 0 up to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0];
  }

  /** Settles in some turn that is still to come. */
  later(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets one of those that wait go on, and what follows from it happen. */
  async turn(): Promise<void> {
    if (this.#waiting.length > 0) {
      const [next] = this.#waiting.splice(this.below(this.#waiting.length), 1);
      present(next, "an index is below the length")();
    }
    await new Promise(setImmediate);
  }

  /** Takes turns until `promise` has settled; gives its value. */
  async until<Value>(promise: Promise<Value>, what: string): Promise<Value> {
    const seen = { isSettled: false };
    const settle = (): void => {
      seen.isSettled = true;
    };
    promise.then(settle, settle);
    for (let turns = 0; !seen.isSettled; turns += 1) {
      if (turns === TURNS_MAX) throw new Error(`${what}: no end`);
      await this.turn();
    }
    return promise;
  }

  /** Takes turns until nothing is under way. */
  async quiet(): Promise<void> {
    let [turns, quietTurns] = [0, 0];
    while (quietTurns < QUIET_TURNS) {
      if (turns === TURNS_MAX) throw new Error("no quiet");
      quietTurns = this.#waiting.length === 0 ? quietTurns + 1 : 0;
      turns += 1;
      await this.turn();
    }
  }
}
