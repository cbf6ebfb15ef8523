/** What a test needs of the machine that it runs on. */

import Mocha from "mocha";

/** Why a test, or a suite with all its tests, is skipped: by mocha's object of the test or suite. */
const reasons = new WeakMap<object, string>();

/**
 * Skips what `context` belongs to, with a line that says why. With REQUIRE_SYSTEM=1 it fails instead: there everything is to be had.
 * @param reason completes "skipped, …", as in `there is no QEMU: apt-get install qemu-system-x86`
 */
export function skipUnlessRequired(context: Mocha.Context, reason: string): never {
  if (process.env["REQUIRE_SYSTEM"] === "1") throw new Error(reason);
  const running = context.runnable();
  // A hook skips the tests of its suite.
  const skipped = running instanceof Mocha.Hook ? running.parent : running;
  if (skipped !== undefined) reasons.set(skipped, reason);
  context.skip();
}

/** Why a test was skipped; null for one that nobody gave a reason for. */
export function skipReason(test: Mocha.Test): string | null {
  let at: Mocha.Test | Mocha.Suite | undefined = test;
  while (at !== undefined) {
    const reason = reasons.get(at);
    if (reason !== undefined) return reason;
    at = at.parent;
  }
  return null;
}
