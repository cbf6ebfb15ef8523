/**
 * The tests of persistent reservations and of RESERVE(6) that libiscsi's tool iscsi-test-cu has, with their names: what they assert, said
 * again for our devices. Where one of them overlooks what SPC asks for, a comment says so, and docs/conformance.md does.
 */

import { expect } from "chai";
import { PersistentReserveIn } from "qom-pr";
import type { ReservationType } from "qom-pr";
import { outcome } from "../support/outcome.js";
import { pair, part } from "./libiscsi-support.js";
import type { Initiator, Pair } from "./libiscsi-support.js";

const KEY = 0x6c69_6269_7363_7369n;
const OTHER_KEY = 0x7465_7374_2d63_7530n;

/** Types in the order of the tests, with what a second initiator may do: read and write while registered, then while not. */
const TYPES: readonly (readonly [name: string, type: ReservationType, access: readonly [boolean, boolean, boolean, boolean]])[] = [
  ["EA", 3, [false, false, false, false]],
  ["WE", 1, [true, false, true, false]],
  ["EARO", 6, [true, true, false, false]],
  ["WERO", 5, [true, true, true, false]],
  ["EAAR", 8, [true, true, false, false]],
  ["WEAR", 7, [true, true, true, false]],
];

const ALL_REGISTRANTS: readonly ReservationType[] = [7, 8];

const RESERVE_6 = "16 00 00 00 00 00";
const RELEASE_6 = "17 00 00 00 00 00";
const MODE_SENSE_6 = "1a 00 3f 00 ff 00";

/** Key that READ RESERVATION shows for a holder registered with {@link KEY}. */
function shownKey(type: ReservationType): bigint {
  return ALL_REGISTRANTS.includes(type) ? 0n : KEY;
}

/** RESERVE, a look at the reservation, RELEASE. */
async function reserveAndRelease(initiator: Initiator, type: ReservationType): Promise<void> {
  await initiator.reserve(KEY, type);
  expect(await initiator.readReservation()).to.deep.equal({ type, key: shownKey(type) });
  await initiator.release(KEY, type);
  expect(await initiator.readReservation()).to.equal(null);
}

describe("libiscsi", () => {
  let both: Pair;
  let first: Initiator;
  let second: Initiator;
  beforeEach(async () => {
    both = await pair();
    ({ first, second } = both);
  });
  afterEach(async () => part(both));

  it("PrinReadKeys.Simple", async () => {
    const request = PersistentReserveIn.readKeys(16_384);
    const empty = await first.device.execute(request);
    expect([outcome(empty), empty.dataIn.length]).to.deep.equal(["GOOD", 8]);
    await first.register(KEY);
    const { dataIn } = await first.device.execute(request);
    expect(new DataView(dataIn.buffer, dataIn.byteOffset).getUint32(4)).to.equal(dataIn.length - 8);
  });

  it("PrinReadKeys.Truncate", async () => {
    await first.register(KEY);
    const { dataIn } = await first.device.execute(PersistentReserveIn.readKeys(8));
    expect([dataIn.length, new DataView(dataIn.buffer, dataIn.byteOffset).getUint32(4)]).to.deep.equal([8, 8]);
    expect(PersistentReserveIn.parse("read-keys", dataIn).keys).to.deep.equal([]);
    await first.unregister(KEY);
  });

  it("PrinServiceactionRange.Range", async () => {
    await first.readKeys();
    for (let action = 0; action < 32; action += 1) {
      const answer = await first.try(`5e ${action.toString(16).padStart(2, "0")} 00 00 00 00 00 40 00 00`);
      expect(answer, `service action ${action}`).to.equal(action <= 3 ? "GOOD" : "05/24/00");
    }
  });

  it("PrinReportCapabilities.Simple", async () => {
    await first.register(KEY);
    const data = await first.reportCapabilities();
    expect([data.length, data[0], data[1]]).to.deep.equal([8, 0, 8]);
    expect(((data[3] ?? 0) >> 4) & 0x07, "ALLOW COMMANDS").to.be.at.most(5);
    expect([data[4], data[5]], "the six types").to.deep.equal([0xea, 0x01]);
    for (const type of [7, 6, 5, 3, 1, 8] as const) await reserveAndRelease(first, type);
    await first.unregister(KEY);
  });

  it("ProutRegister.Simple", async () => {
    await first.register(KEY);
    expect((await first.readKeys()).keys).to.deep.equal([KEY]);
    expect(await first.reserveOut({ action: "register", serviceActionKey: KEY + 1n })).to.equal("RC");
    await first.unregister(KEY);
    expect((await first.readKeys()).keys).to.deep.equal([]);
  });

  it("ProutReserve.Simple", async () => {
    await first.register(KEY);
    for (const type of [1, 3, 5, 6, 7, 8] as const) await reserveAndRelease(first, type);
    await first.unregister(KEY);
  });

  for (const [name, type, access] of TYPES) {
    it(`ProutReserve.Access${name}`, async () => {
      await first.register(KEY);
      await second.register(OTHER_KEY);
      await first.reserve(KEY, type);
      expect([await first.reads(), await first.writes()]).to.deep.equal([true, true]);
      const registered = [await second.reads(), await second.writes()];
      await second.unregister(OTHER_KEY);
      expect([...registered, await second.reads(), await second.writes()]).to.deep.equal(access);
      await first.release(KEY, type);
      await first.unregister(KEY);
    });
  }

  for (const [name, type] of TYPES) {
    it(`ProutReserve.Ownership${name}`, async () => {
      await first.register(KEY);
      await second.register(OTHER_KEY);
      await first.reserve(KEY, type);
      await first.unregister(KEY);
      // SPC tells the second initiator of the end of a registrants-only reservation; the original lets that pass, expected or not
      expect(await second.settle()).to.deep.equal(type === 5 || type === 6 ? ["06/2A/04"] : []);
      if (ALL_REGISTRANTS.includes(type)) {
        expect(await second.readReservation()).to.deep.equal({ type, key: 0n });
        await second.release(OTHER_KEY, type);
      }
      expect(await second.readReservation()).to.equal(null);
      await second.unregister(OTHER_KEY);
    });
  }

  it("ProutClear.Simple", async () => {
    await first.register(KEY);
    const { generation, keys } = await first.readKeys();
    expect(keys).to.deep.equal([KEY]);
    await first.reserve(KEY, 3);
    expect(await first.readReservation()).to.deep.equal({ type: 3, key: KEY });
    expect(await first.reserveOut({ action: "clear", key: KEY })).to.equal("GOOD");
    expect(await first.readReservation()).to.equal(null);
    expect(await first.readKeys()).to.deep.equal({ generation: generation + 1, keys: [] });
  });

  it("ProutPreempt.RemoveRegistration", async () => {
    await first.register(KEY);
    expect(await first.reserveOut({ action: "clear", key: KEY })).to.equal("GOOD");
    await first.register(KEY);
    await second.register(OTHER_KEY);
    const { generation, keys } = await first.readKeys();
    expect(keys).to.have.members([KEY, OTHER_KEY]);
    expect(await second.reserveOut({ action: "preempt", key: OTHER_KEY, serviceActionKey: KEY, type: 3 })).to.equal("GOOD");
    expect(await first.settle()).to.deep.equal(["06/2A/05"]);
    expect(await second.settle()).to.deep.equal([]);
    expect(await first.readKeys()).to.deep.equal({ generation: generation + 1, keys: [OTHER_KEY] });
    await second.unregister(OTHER_KEY);
  });

  it("Reserve6.Simple", async () => {
    expect(await first.try(RESERVE_6)).to.equal("GOOD");
    expect(await first.try(RELEASE_6)).to.equal("GOOD");
  });

  it("Reserve6.2Initiators", async () => {
    expect(await first.try(RESERVE_6)).to.equal("GOOD");
    expect(await first.try(RESERVE_6)).to.equal("GOOD");
    expect(await second.try(RESERVE_6)).to.equal("RC");
    expect(await second.try(RELEASE_6)).to.equal("GOOD");
    expect(await first.try(MODE_SENSE_6)).to.equal("GOOD");
    expect(await second.try(MODE_SENSE_6)).to.equal("RC");
    expect(await first.try(RELEASE_6)).to.equal("GOOD");
    expect(await second.try(RESERVE_6)).to.equal("GOOD");
    expect(await second.try(RELEASE_6)).to.equal("GOOD");
  });

  /** How the first initiator's reservation ends, and what the second is told of it. */
  const ENDINGS: readonly (readonly [name: string, end: () => Promise<void>, told: readonly string[]])[] = [
    ["Logout", async () => first.machine.close(), []],
    ["ITNexusLoss", async () => first.device.reset("i-t-nexus"), []],
    ["TargetColdReset", async () => first.device.reset("target"), ["06/29/02"]],
    ["TargetWarmReset", async () => first.device.reset("target"), ["06/29/02"]],
    ["LUNReset", async () => first.device.reset("logical-unit"), ["06/29/03"]],
  ];
  for (const [name, end, told] of ENDINGS) {
    it(`Reserve6.${name}`, async () => {
      expect(await first.try(RESERVE_6)).to.equal("GOOD");
      expect(await second.try(RESERVE_6)).to.equal("RC");
      await end();
      // SAM tells every nexus of a reset, which the original does not expect
      expect(await second.settle()).to.deep.equal(told);
      expect(await second.try(RESERVE_6)).to.equal("GOOD");
      expect(await second.try(RELEASE_6)).to.equal("GOOD");
    });
  }
});
