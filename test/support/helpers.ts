/** The helpers that a manager is tested against: the real qemu-pr-helper, and this project's own. */
import { OUR_PROGRAM } from "../helper/support/helper-process.js";
import { findPrHelper, PrHelper, skipWithoutPrHelper } from "./pr-helper.js";

/** A running helper. */
export interface HelperUnderTest {
  readonly socket: string;
  /** What it has written. */
  readonly output: string;
  stop(): Promise<void>;
}

/**
 * Starts a helper for the suite of `context`. Without the real program the suite is skipped with a line that says what to install,
 * and fails with REQUIRE_SYSTEM=1.
 * @param options besides the one that names the socket
 */
export async function helperUnderTest(
  context: Mocha.Context,
  which: "qemu-pr-helper" | "qom-pr-helper",
  options: readonly string[] = [],
): Promise<HelperUnderTest> {
  const helper = new PrHelper(...programOf(context, which, options));
  await helper.start();
  return {
    socket: helper.path,
    get output() {
      return helper.output;
    },
    stop: () => helper.dispose(),
  };
}

/** The program to start, and the words that come before the socket's. */
function programOf(
  context: Mocha.Context,
  which: "qemu-pr-helper" | "qom-pr-helper",
  options: readonly string[],
): [program: string, options: readonly string[]] {
  if (which === "qom-pr-helper") return [OUR_PROGRAM, options];
  const program = findPrHelper();
  return program === null ? skipWithoutPrHelper(context) : [program, options];
}
