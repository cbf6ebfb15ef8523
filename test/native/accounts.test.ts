import { expect } from "chai";
import { readFileSync } from "node:fs";
import { accountNamed, accountNumbered, groupNamed } from "#src/native/server/accounts.js";

/** Lines of /etc/passwd or /etc/group, in their fields. The system may know more accounts, and these first. */
function linesOf(file: string): string[][] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !/^[+-]/.test(line))
    .map((line) => line.split(":"));
}

describe("accounts", () => {
  it("are found by name and by number", () => {
    const users = linesOf("/etc/passwd");
    expect(users).not.to.be.empty;
    for (const [name = "", , user, group] of users) {
      expect(accountNamed(name)).to.deep.equal({ user: Number(user), group: Number(group) });
      const [, , , firstGroup] = users.find((other) => other[2] === user) ?? [];
      expect(accountNumbered(Number(user))).to.deep.equal({ user: Number(user), group: Number(firstGroup) });
    }
  });

  it("are found for groups", () => {
    for (const [name = "", , group] of linesOf("/etc/group")) expect(groupNamed(name)).to.equal(Number(group));
  });

  it("are null when there are none", () => {
    for (const name of ["", "nosuch", "0", "-1", ":", "nosuch\n", "x".repeat(100_000), "ä"]) {
      expect(accountNamed(name)).to.equal(null);
      expect(groupNamed(name)).to.equal(null);
    }
    expect(accountNumbered(0xffff_fffe)).to.equal(null);
  });
});
