/** Which initiator ports TransportIDs name (SPC-5 7.6.4): an iSCSI name without ISID stands for the ports of it that are known. */

import { expect } from "chai";

import { namedPorts } from "#src/reservation/initiator-ports.js";
import { targetPorts } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { TransportId } from "#src/scsi/transport-id.js";

const NAME = "iqn.2026-11.org.example:host";

/** The ports that `ids` name, as text; `registered` and `loggedIn` are known beside the sender's port. */
function named(
  ids: readonly string[],
  { registered = [], loggedIn = [], sender = "iqn.2026-11.org.example:sender,i,0xa" }: Known = {},
): unknown {
  const state = new ReservationState();
  for (const id of registered) state.register({ initiator: TransportId.parse(id), targetPort: 2 }, 1n, false);
  const device = { ...targetPorts([1, 2]), initiators: () => loggedIn.map((id) => TransportId.parse(id)) };
  const ports = namedPorts(
    ids.map((id) => TransportId.parse(id)),
    { state, sender: { initiator: TransportId.parse(sender), targetPort: 1 }, targetPorts: device },
  );
  return ports?.map((id) => id.format()) ?? null;
}

interface Known {
  readonly registered?: readonly string[];
  readonly loggedIn?: readonly string[];
  readonly sender?: string;
}

function port(isid: number, name = NAME): string {
  return `${name},i,0x${isid.toString(16).padStart(12, "0")}`;
}

describe("ports named by TransportIDs", () => {
  it("are the ports themselves, known or not, in the order of the list", () => {
    for (const ids of [[], [port(2)], [port(2), port(1)], ["naa.5000c50000000002", "naa.5000c50000000001"]]) {
      expect(named(ids)).to.deep.equal(ids);
    }
  });

  it("are all ports of an iSCSI name that are registered, logged in, or the sender's, each once", () => {
    expect(named([NAME], { registered: [port(1)] })).to.deep.equal([port(1)]);
    expect(named([NAME], { loggedIn: [port(1), port(2), port(1)] })).to.deep.equal([port(1), port(2)]);
    expect(named([NAME], { sender: port(3) })).to.deep.equal([port(3)]);
    const everywhere = { sender: port(3), registered: [port(1), port(2)], loggedIn: [port(2), port(4), NAME] };
    expect(named([NAME], everywhere)).to.deep.equal([port(3), port(1), port(2), port(4), NAME]);
    expect(named([NAME.toUpperCase()], { loggedIn: [port(1)] })).to.deep.equal([port(1)]);
  });

  it("are those of each name, where the name is in the list", () => {
    const other = `${NAME}2`;
    const loggedIn = [port(1), port(1, other), port(2)];
    expect(named([other], { loggedIn })).to.deep.equal([port(1, other)]);
    expect(named([other, port(7), NAME], { loggedIn })).to.deep.equal([port(1, other), port(7), port(1), port(2)]);
  });

  it("are none when nobody has one of the names, and when a port is named twice", () => {
    expect(named([NAME])).to.equal(null);
    expect(named([NAME, `${NAME}2`], { loggedIn: [port(1)] })).to.equal(null);
    expect(named([port(1), NAME], { loggedIn: [port(1)] })).to.equal(null);
    expect(named([NAME, port(2)], { loggedIn: [port(1), port(2)] })).to.equal(null);
  });
});
