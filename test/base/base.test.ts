/** What every room stands on. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { assert, AssertionError, present } from "#src/base/assert.js";
import { describeError, errnoOrMessage, isErrnoError, QomError } from "#src/base/errors.js";
import { ERROR_VALUE_LENGTH_MAX, printable } from "#src/base/limits.js";
import { runAll } from "#src/base/run-all.js";
import { failure } from "../support/refusal.js";

describe("errors", () => {
  it("print as one line, outermost first, with hints", () => {
    const cause = new QomError("io", "cannot open\n'x'", { hint: "is it there?" });
    expect(describeError(new QomError("connection", "no helper", { cause }))).to.equal("no helper: cannot open 'x' (is it there?)");
  });

  it("end a chain of causes that bites its own tail", () => {
    const error = new Error("round");
    error.cause = error;
    expect(describeError(error).split(": ")).to.have.lengthOf(8);
  });

  it("print causes that are no errors", () => {
    expect(describeError(new QomError("io", "failed", { cause: { code: 5 } }))).to.equal("failed: { code: 5 }");
  });

  it("tell an errno once, in words, and a path once", () => {
    const cause = Object.assign(new Error("ENOENT: no such file or directory, open '/a/x'"), { code: "ENOENT", errno: -2, path: "/a/x" });
    const told = (message: string): string => describeError(new QomError("io", message, { cause }));
    expect(told("cannot open '/a/x'")).to.equal("cannot open '/a/x': no such file or directory");
    expect(told("cannot open '/a/x': no such file or directory")).to.equal("cannot open '/a/x': no such file or directory");
    expect(told("cannot use '/a'")).to.equal("cannot use '/a': no such file or directory ('/a/x')");
    expect(told("cannot use '/a': no such file or directory")).to.equal("cannot use '/a': no such file or directory: '/a/x'");
  });

  it("are told in words when the system refuses a name with several addresses, or has no number for what is wrong", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED ::1:9"), { code: "ECONNREFUSED", errno: -111 });
    expect(errnoOrMessage(new AggregateError([refused, refused]))).to.equal("connection refused");
    expect(errnoOrMessage(Object.assign(new RangeError("bad port"), { code: "ERR_SOCKET_BAD_PORT" }))).to.equal("bad port");
  });

  it("are known when they come from another realm, as the system's do in a context of node:vm", () => {
    const foreign: unknown = runInNewContext("Object.assign(new Error('ENOENT: x'), { code: 'ENOENT', errno: -2 })");
    expect(foreign).not.to.be.instanceOf(Error);
    expect(isErrnoError(foreign)).to.equal(true);
    expect(describeError(new QomError("io", "cannot open 'x'", { cause: foreign }))).to.equal("cannot open 'x': no such file or directory");
    expect(isErrnoError({ code: "ENOENT", message: "no error" })).to.equal(false);
  });

  it("keep the nearer context", () => {
    const error = new QomError("syntax", "bad", { context: { option: "wwn" }, hint: "h" }).within({ option: "file", argument: "drive" });
    expect(error.context).to.deep.equal({ option: "wwn", argument: "drive" });
    expect([error.kind, error.hint]).to.deep.equal(["syntax", "h"]);
  });

  it("show values without control characters, and not without end", () => {
    expect(printable("a\nb\u2028")).to.equal("a\\u000ab\\u2028");
    expect(printable("x".repeat(1000))).to.have.lengthOf(ERROR_VALUE_LENGTH_MAX + 1);
  });
});

describe("assertions", () => {
  it("hold or throw", () => {
    assert(true, "never seen");
    expect(present(0, "never seen")).to.equal(0);
    expect(() => assert(false, "seen")).to.throw(AssertionError, "seen");
    expect(() => present(null, "seen")).to.throw(AssertionError, "seen");
  });
});

describe("runAll", () => {
  it("takes every step, and throws what failed", async () => {
    const taken: number[] = [];
    const step = (number: number, fails: boolean) => (): void => {
      taken.push(number);
      if (fails) throw new Error(`step ${number}`);
    };
    const one = await failure(runAll([step(1, true), step(2, false)]));
    expect(one).to.have.property("message", "step 1");
    const two = await failure(runAll([step(3, true), step(4, true)]));
    expect(two).to.be.instanceOf(AggregateError);
    expect(taken).to.deep.equal([1, 2, 3, 4]);
  });
});

describe("the real clock", () => {
  it("keeps the process alive until a timer fires, and not when it is cancelled", async () => {
    const clock = new URL("../../../dist/base/clock.js", import.meta.url).href;
    const script = `import { systemClock } from "${clock}";
      systemClock.after(1e8, () => {}).cancel();
      systemClock.after(1, () => console.log("fired"));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stdout).to.equal("fired\n");
  });
});
