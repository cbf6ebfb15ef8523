/** Helpers around refusals and other failures. */
import { expect } from "chai";
import { QomError } from "#src/base/errors.js";

/** The QomError that `action` throws or rejects with; fails when it succeeds or throws anything else. */
export async function refusal(action: () => unknown): Promise<QomError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof QomError) {
      expect(error.message, "an error is one line").not.to.match(/[\r\n]/);
      return error;
    }
    throw error;
  }
  throw new Error("expected a QomError, but nothing was refused");
}

/** What `promise` is rejected with; fails when it is not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it should have failed"),
    (reason: unknown) => reason,
  );
}
