/** Names and ISIDs of initiator ports that nobody named. */
import { expect } from "chai";
import * as fc from "fast-check";
import { defaultInitiator, portOfName } from "#src/scsi/default-initiator.js";
import { refusal } from "../support/refusal.js";

describe("a default initiator", () => {
  it("is an iSCSI port whose ISID has the format random and follows from the name", () => {
    const ports = [defaultInitiator("m0", "hd"), defaultInitiator("uid-1000"), defaultInitiator("pid-4711-88231")];
    expect(ports.map((port) => port.format())).to.deep.equal([
      "iqn.2026-11.org.qom-pr:m0:hd,i,0x80bfb896fde1",
      "iqn.2026-11.org.qom-pr:uid-1000,i,0x80972bfe9ea6",
      "iqn.2026-11.org.qom-pr:pid-4711-88231,i,0x805ca48abf30",
    ]);
    expect(ports.every((port) => port.namesPort)).to.equal(true);
    expect(defaultInitiator("m0", "hd").equals(portOfName("iqn.2026-11.org.qom-pr:m0:hd"))).to.equal(true);
  });

  it("writes what iSCSI names do not have as hexadecimal digits", () => {
    const nameOf = (machine: string): string => defaultInitiator(machine, "hd").format().split(",", 1)[0] ?? "";
    expect(["A b", "é", "中", "N2d", "a:b", "😀", "a\tb", "ÿĀ", "ʰ"].map(nameOf)).to.deep.equal([
      "iqn.2026-11.org.qom-pr::41:20b:hd",
      "iqn.2026-11.org.qom-pr::e9:hd",
      "iqn.2026-11.org.qom-pr::u4e2d:hd",
      "iqn.2026-11.org.qom-pr::4e2d:hd",
      "iqn.2026-11.org.qom-pr:a:3ab:hd",
      "iqn.2026-11.org.qom-pr::ud83d:ude00:hd",
      "iqn.2026-11.org.qom-pr:a:09b:hd",
      "iqn.2026-11.org.qom-pr::ff:u0100:hd",
      "iqn.2026-11.org.qom-pr::u02b0:hd",
    ]);
  });

  it("is another one for another machine or another node", () => {
    const machine = fc.string({ unit: fc.constantFrom("a", "4", "e", "N", "2", "d", "u", ":", "é", "中", "-"), maxLength: 6 });
    const node = fc.constantFrom("hd", "a41", "A", "u4e2d", "e9_");
    fc.assert(
      fc.property(machine, node, machine, node, (a, nodeA, b, nodeB) => {
        expect(defaultInitiator(a, nodeA).equals(defaultInitiator(b, nodeB))).to.equal(a === b && nodeA === nodeB);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused when its name is too long for iSCSI", async () => {
    const { message } = await refusal(() => defaultInitiator("a".repeat(300), "hd"));
    expect(message).to.match(/the iSCSI name has 3\d\d bytes, and at most 223 are allowed/);
  });
});
