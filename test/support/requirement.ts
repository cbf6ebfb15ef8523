/** What a test needs of the machine that it runs on. */

/**
 * Skips what `context` belongs to, with a line that says why. With REQUIRE_SYSTEM=1 it fails instead: there everything is to be had.
 * @param reason completes "skipped, …", as in `there is no QEMU: apt-get install qemu-system-x86`
 */
export function skipUnlessRequired(context: Mocha.Context, reason: string): never {
  if (process.env["REQUIRE_SYSTEM"] === "1") throw new Error(reason);
  console.log(`    skipped, ${reason}`);
  context.skip();
}
