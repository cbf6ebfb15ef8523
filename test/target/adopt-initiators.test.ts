/** Registrations that version 0.1.0 saved for default initiators, which had no ISID then. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Fabric, Machine, PersistentReserveOut } from "qom-pr";
import type { ReservationImage } from "#src/reservation/image.js";
import { decodeImage } from "#src/reservation/image.js";
import { adoptDefaultInitiators } from "#src/stores/folder/adopt-initiators.js";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "./support.js";
import { outcome } from "../support/outcome.js";

/** What 0.1.0 wrote for machines named node-a, Node_B and c, of which c had an initiator of its own, all three with a node `hd`. */
const SAVED: ReservationImage = {
  version: 1,
  generation: 3,
  aptpl: true,
  registrations: [
    { initiator: "iqn.2026-11.org.qom-pr:node-a:hd", targetPort: 1, key: "0x000000000000000a", allTargetPorts: false },
    { initiator: "iqn.2026-11.org.qom-pr::4eode:5f:42:hd", targetPort: 1, key: "0x000000000000000b", allTargetPorts: false },
    { initiator: "iqn.2026-11.org.example:c", targetPort: 1, key: "0x000000000000000c", allTargetPorts: false },
  ],
  reservation: { type: 5, holder: 1 },
};

const NODE_A = "iqn.2026-11.org.qom-pr:node-a:hd,i,0x80609524091b";

describe("reservations saved by 0.1.0", () => {
  const { path } = temporaryFolder();

  it("are those of today's default initiators, a line each", () => {
    const { image, lines } = adoptDefaultInitiators(WWN, SAVED);
    expect(image.registrations.map(({ initiator }) => initiator)).to.deep.equal([
      NODE_A,
      "iqn.2026-11.org.qom-pr::4eode:5f:42:hd,i,0x80fc74bd831b",
      "iqn.2026-11.org.example:c",
    ]);
    expect(image.reservation).to.deep.equal(SAVED.reservation);
    expect(lines).to.have.lengthOf(2);
    expect(lines[0]).to.equal(`${WWN}: the registration of iqn.2026-11.org.qom-pr:node-a:hd is that of ${NODE_A} now`);
    expect(decodeImage(image).registrantCount).to.equal(3);
  });

  it("are adopted once: what has an ISID stays", () => {
    const { image } = adoptDefaultInitiators(WWN, SAVED);
    expect(adoptDefaultInitiators(WWN, image)).to.deep.equal({ image, lines: [] });
  });

  it("stay as they are where the port of today is registered besides", () => {
    const [first] = SAVED.registrations;
    const both = { ...SAVED, registrations: [...SAVED.registrations, { ...first, initiator: NODE_A }] } as ReservationImage; // the first is there
    const { image, lines } = adoptDefaultInitiators(WWN, both);
    expect(image.registrations[0]).to.deep.equal(first);
    expect(lines).to.have.lengthOf(1);
    expect(decodeImage(image).registrantCount).to.equal(4);
  });

  it("are found by the machines that made them", async () => {
    const stateDir = path("made-by-0.1.0");
    mkdirSync(stateDir, { mode: 0o700 });
    writeFileSync(join(stateDir, `${WWN}.json`), `${JSON.stringify({ unit: WWN, revision: 4, reservations: SAVED })}\n`);
    const fabric = await Fabric.open({ stateDir });
    const machine = async (name: string, more = ""): Promise<Machine> =>
      Machine.create(
        [
          ...["-name", name, "-object", "pr-manager-memory,id=pr0", "-device", "virtio-scsi"],
          ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},pr-manager=pr0${more}`, "-device", "scsi-block,drive=hd,id=disk0"],
        ],
        { fabric },
      );
    const [a, b, c] = [await machine("node-a"), await machine("Node_B"), await machine("c", ",initiator=iqn.2026-11.org.example:c")];
    const register = async (from: Machine, key: bigint): Promise<string> =>
      outcome(
        await from
          .scsiDevice("disk0")
          .execute(PersistentReserveOut.encode({ action: "register", key, serviceActionKey: key, aptpl: true })),
      );
    expect([await register(a, 0xan), await register(b, 0xbn), await register(c, 0xcn)]).to.deep.equal(["GOOD", "GOOD", "GOOD"]);
    const release = PersistentReserveOut.encode({ action: "release", key: 0xbn, type: 5 });
    expect(outcome(await b.scsiDevice("disk0").execute(release))).to.equal("GOOD");
    expect(fabric.unit(WWN).reservations.reservation).to.equal(null);
    for (const each of [a, b, c]) await each.close();
    await fabric.close();
  });
});
