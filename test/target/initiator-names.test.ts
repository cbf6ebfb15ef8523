/** iSCSI TransportIDs without ISID in parameter lists: the name of an initiator device stands for the ports of it that are known. */
import { expect } from "chai";
import { Fabric, PersistentReserveOut, TransportId } from "qom-pr";
import type { LogicalUnit, Nexus } from "qom-pr";
import { WWN } from "./support.js";
import { outcome } from "../support/outcome.js";

const NAME = "iqn.2026-11.org.example:host";

/** A nexus through target port 1, or the one given. */
function at(initiator: string, targetPort = 1): Nexus {
  return { initiator: TransportId.parse(initiator), targetPort };
}

const [ONE, TWO, BARE] = [at(`${NAME},i,0x000000000001`), at(`${NAME},i,0x000000000002`), at(NAME)];
const SENDER = at("iqn.2026-11.org.example:sender,i,0x00000000000a");

describe("an iSCSI name without ISID", () => {
  let fabric: Fabric;
  let unit: LogicalUnit;
  beforeEach(async () => {
    fabric = new Fabric();
    unit = await fabric.attach({ wwn: WWN, sizeBytes: 1024 * 1024 });
    unit.login(SENDER);
  });
  afterEach(() => fabric.close());

  async function register(from: Nexus, names: readonly string[] = [], more: { readonly allTargetPorts?: boolean } = {}): Promise<string> {
    const transportIds = names.map((name) => TransportId.parse(name));
    return outcome(
      await unit.execute(from, PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, transportIds, ...more })),
    );
  }

  async function move(destination: string, relativeTargetPort = 1): Promise<string> {
    const command = { action: "register-and-move", key: 1n, serviceActionKey: 2n, relativeTargetPort } as const;
    return outcome(await unit.execute(SENDER, PersistentReserveOut.encode({ ...command, transportIds: [TransportId.parse(destination)] })));
  }

  async function hold(): Promise<void> {
    expect(await register(SENDER)).to.equal("GOOD");
    expect(outcome(await unit.execute(SENDER, PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 5 })))).to.equal("GOOD");
  }

  function registered(): readonly string[] {
    return unit.reservations.registrants.map(({ initiator, targetPort }) => `${initiator}@${targetPort}`);
  }

  const textOf = ({ initiator, targetPort }: Nexus): string => `${initiator.format()}@${targetPort}`;

  describe("in SPEC_I_PT", () => {
    it("registers every port of the name that is logged in", async () => {
      for (const nexus of [ONE, TWO, BARE, at("iqn.2026-11.org.example:host2,i,0x000000000001")]) unit.login(nexus);
      expect(await register(SENDER, [NAME.toUpperCase()])).to.equal("GOOD");
      expect(registered()).to.deep.equal([SENDER, ONE, TWO, BARE].map(textOf));
      expect(unit.reservations.generation).to.equal(1);
    });

    it("registers, at the receiving target port, ports that are known through another one", async () => {
      unit.login(at(`${NAME},i,0x000000000001`, 2));
      expect(await register(at("iqn.2026-11.org.example:other,i,0x00000000000c", 2), [`${NAME},i,0x000000000002`])).to.equal("GOOD");
      expect(await register(SENDER, [NAME])).to.equal("GOOD");
      expect(registered().slice(2)).to.have.members([SENDER, ONE, TWO].map(textOf));
    });

    it("registers them at all ports with ALL_TG_PT", async () => {
      unit.login(ONE);
      unit.login(at(`${NAME},i,0x000000000001`, 3));
      expect(await register(SENDER, [NAME], { allTargetPorts: true })).to.equal("GOOD");
      expect(registered()).to.deep.equal([textOf(SENDER), textOf(ONE), `${NAME},i,0x000000000001@3`]);
    });

    it("is an error when nobody has the name, and nobody is registered then", async () => {
      unit.login(ONE);
      expect(await register(SENDER, [NAME, "iqn.2026-11.org.example:nobody"])).to.equal("05/26/00");
      unit.logout(ONE);
      expect(await register(SENDER, [NAME])).to.equal("05/26/00");
      expect(registered()).to.deep.equal([]);
    });

    it("is an error when one of the ports is registered there, is the sender's, or is listed by itself", async () => {
      for (const nexus of [ONE, TWO]) unit.login(nexus);
      expect(await register(SENDER, [NAME, `${NAME},i,0x000000000002`])).to.equal("05/26/00");
      expect(await register(ONE, [NAME])).to.equal("05/26/00");
      expect(await register(ONE)).to.equal("GOOD");
      expect(await register(SENDER, [NAME])).to.equal("05/26/00");
      expect(registered()).to.deep.equal([textOf(ONE)]);
    });

    it("leaves TransportIDs of ports as they were: nobody needs to have logged in with them", async () => {
      const sas = ["naa.5000c50000000001", "naa.5000c50000000002"] as const;
      expect(await register(SENDER, [`${NAME},i,0x000000000001`])).to.equal("GOOD");
      expect(await register(at(sas[0]), [sas[1]])).to.equal("GOOD");
      expect(registered()).to.deep.equal([textOf(SENDER), textOf(ONE), `${sas[0]}@1`, `${sas[1]}@1`]);
    });
  });

  describe("in REGISTER AND MOVE", () => {
    it("is the one port that is known, logged in or registered", async () => {
      await hold();
      unit.login(ONE);
      expect(await move(NAME)).to.equal("GOOD");
      expect(unit.reservations.reservation?.holder).to.deep.equal({ initiator: `${NAME},i,0x000000000001`, targetPort: 1 });
    });

    it("may be registered only", async () => {
      expect(await register(SENDER, [`${NAME},i,0x000000000002`])).to.equal("GOOD");
      expect(outcome(await unit.execute(SENDER, PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 5 })))).to.equal("GOOD");
      expect(await move(NAME)).to.equal("GOOD");
      expect(unit.reservations.reservation?.holder?.initiator).to.equal(`${NAME},i,0x000000000002`);
    });

    it("is an error when no port is known, several are, or the sender's is the one", async () => {
      await hold();
      expect(await move(NAME)).to.equal("05/26/00");
      unit.login(ONE);
      unit.login(BARE);
      expect(await move(NAME)).to.equal("05/26/00");
      expect(await move("iqn.2026-11.org.example:sender")).to.equal("05/26/00");
      expect(registered()).to.deep.equal([textOf(SENDER)]);
    });

    it("leaves TransportIDs of ports as they were", async () => {
      await hold();
      expect(await move(`${NAME},i,0x000000000009`)).to.equal("GOOD");
      expect(unit.reservations.reservation?.holder?.initiator).to.equal(`${NAME},i,0x000000000009`);
    });
  });
});
