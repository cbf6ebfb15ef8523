/** Errors by the hundred thousand. */

/** While the tests of the surrounding suite run, errors have no stack: to take it is half of the work where most input is refused. */
export function withoutStacks(): void {
  const { stackTraceLimit } = Error;
  before(() => (Error.stackTraceLimit = 0));
  after(() => (Error.stackTraceLimit = stackTraceLimit));
}
