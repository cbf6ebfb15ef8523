/** x-migrate-reservations: a guest's reservations move from one machine to another, driven over QMP. */
import { expect } from "chai";
import { Cluster, KEY } from "../devices/support/migrating.js";
import type { Node } from "../devices/support/migrating.js";
import { refusal } from "../support/refusal.js";

const K = KEY.toString(16);
const TYPE_5 = `00000001${K}05`;
const COMMAND = "x-migrate-reservations";

describe(COMMAND, () => {
  const cluster = Cluster.ofTests();
  const run = ({ machine }: Node, action: string, more: object = {}): Promise<unknown> =>
    machine.qmp.execute(COMMAND, { device: "disk0", action, ...more });

  async function reserved(): Promise<{ a: Node; b: Node }> {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY });
    await a.out({ action: "reserve", key: KEY, type: 5 });
    return { a, b };
  }

  it("saves, restores and forgets", async () => {
    const { a, b } = await reserved();
    expect(await run(a, "save")).to.deep.equal({ state: TYPE_5 });
    expect(await run(b, "restore", { state: TYPE_5 })).to.deep.equal({ taken: "reservation", warnings: [] });
    expect(await run(a, "forget")).to.deep.equal({});
    expect(await run(a, "save")).to.deep.equal({});
    expect(cluster.reserved).to.equal(`b0=${K}, type 5 of b0`);
  });

  it("reclaims what the destination has taken", async () => {
    const { a, b } = await reserved();
    await run(b, "restore", { state: TYPE_5 });
    expect(await run(a, "reclaim")).to.deep.equal({ taken: "reservation", warnings: [] });
    expect(cluster.reserved).to.equal(`a0=${K}, type 5 of a0`);
  });

  it("says what the guest has lost", async () => {
    const b = await cluster.node("b");
    expect(await run(b, "restore", { state: TYPE_5 })).to.deep.equal({
      taken: "nothing",
      warnings: [
        "the guest's reservation of type 5 is not on the disk any more",
        `key 0x${K} is not registered on the disk any more: nothing was taken over`,
      ],
    });
  });

  it("adds unit attentions that the guest has not seen, when it is asked to", async () => {
    const { a, b } = await reserved();
    await b.disk().reset("logical-unit");
    expect(await run(a, "save", { attentions: false })).to.deep.equal({ state: TYPE_5 });
    expect(await run(a, "save", { attentions: true })).to.deep.equal({ state: `${TYPE_5}012903` });
  });

  const REFUSED: readonly (readonly [what: string, action: string, more: object, message: RegExp])[] = [
    ["an unknown action", "steal", {}, /^invalid parameter 'action': expected one of 'save'\|'restore'\|'reclaim'\|'forget', not 'steal'$/],
    ["no state", "restore", {}, /^parameter 'state' is missing$/],
    ["a state that is saved", "save", { state: TYPE_5 }, /^parameter 'state' does not go with action 'save'$/],
    ["attentions that are reclaimed", "reclaim", { attentions: true }, /^parameter 'attentions' does not go with action 'reclaim'$/],
    ["an unknown device", "reclaim", { device: "nope" }, /^no device 'nope'$/],
    [
      "another device",
      "save",
      { device: "/machine/peripheral-anon/device[0]" },
      /is of type 'virtio-scsi-pci' and takes no SCSI commands$/,
    ],
    ["no digits", "restore", { state: "xyz" }, /^'state' expects pairs of hexadecimal digits, not 'xyz'$/],
    ["too many digits", "restore", { state: "00".repeat(157) }, /^'state' is longer than 156 bytes$/],
    ["another version", "restore", { state: TYPE_5.replace("1", "2") }, /^device 'disk0': .* has version 2, and version 1 is understood$/],
    ["a torn stream", "restore", { state: TYPE_5.slice(0, 24) }, /^device 'disk0': a migration stream of reservations is torn: /],
  ];
  for (const [what, action, more, message] of REFUSED) {
    it(`refuses ${what}, and sends nothing`, async () => {
      const { b } = await reserved();
      expect((await refusal(() => run(b, action, more))).message).to.match(message);
      expect(b.sent).to.deep.equal([]);
    });
  }
});
