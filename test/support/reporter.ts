/**
 * What `npm test` prints: a line for each suite, then what mocha's own reporters end with (counts, and the whole story of each failure),
 * and last what was skipped, why, and how to include it.
 */

import Mocha from "mocha";
import { skipReason } from "./requirement.js";

const { EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING, EVENT_SUITE_END, EVENT_RUN_END } = Mocha.Runner.constants;

/** Tests of a suite that stands at the top of its file. */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

// mocha takes the reporter of a module from its default export
// oxlint-disable-next-line import/no-default-export -- asked for by mocha
export default class SuiteReporter extends Mocha.reporters.Base {
  readonly #count: Count = { passed: 0, failed: 0, skipped: 0 };
  /** How many tests were skipped for each reason. */
  readonly #skipped = new Map<string, number>();

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_TEST_PASS, () => (this.#count.passed += 1));
    runner.on(EVENT_TEST_FAIL, () => (this.#count.failed += 1));
    runner.on(EVENT_TEST_PENDING, (test: Mocha.Test) => this.#noteSkipped(test));
    runner.on(EVENT_SUITE_END, (suite: Mocha.Suite) => {
      if (suite.parent?.root === true) this.#endSuite(suite.title);
    });
    runner.once(EVENT_RUN_END, () => this.epilogue());
  }

  override epilogue(): void {
    super.epilogue();
    if (this.#skipped.size === 0) return;
    console.log("  Skipped, and why; with REQUIRE_SYSTEM=1 these fail instead:\n");
    for (const [reason, tests] of this.#skipped) console.log(`    ${tests} ${tests === 1 ? "test" : "tests"}: ${reason}`);
    console.log("");
  }

  #noteSkipped(test: Mocha.Test): void {
    this.#count.skipped += 1;
    const reason = skipReason(test) ?? "no reason given";
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  #endSuite(title: string): void {
    const { passed, failed, skipped } = this.#count;
    const parts = [`${passed} passed`, ...(failed === 0 ? [] : [`${failed} FAILED`]), ...(skipped === 0 ? [] : [`${skipped} skipped`])];
    console.log(`  ${failed === 0 ? Mocha.reporters.Base.symbols.ok : Mocha.reporters.Base.symbols.err} ${title}: ${parts.join(", ")}`);
    Object.assign(this.#count, { passed: 0, failed: 0, skipped: 0 });
  }
}
