/** PERSISTENT RESERVE IN: bytes, truncation, capabilities. */

import { expect } from "chai";

import { applyReserveIn } from "#src/reservation/apply.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import type { ReservationSettings } from "#src/reservation/settings.js";
import { decodeImage, encodeImage } from "#src/reservation/image.js";
import { ReservationState } from "#src/reservation/state.js";
import { toHex } from "#src/scsi/bytes.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { parseSense, Sense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { play } from "./support/player.js";

const settings: ReservationSettings = { ...defaultReservationSettings, targetPorts: targetPorts([1, 2]) };

/** Data of a service action, for a buffer as large as the allocation length. */
function read(state: ReservationState, serviceAction: number, allocationLength = 4096, other: Partial<ReservationSettings> = {}): string {
  const cdb = Uint8Array.of(0x5e, serviceAction, 0, 0, 0, 0, 0, allocationLength >> 8, allocationLength, 0);
  const result = applyReserveIn(state, cdb, allocationLength, { ...settings, ...other });
  expect(result.status).to.equal(ScsiStatus.GOOD);
  expect(result.residual).to.equal(allocationLength - result.dataIn.length);
  return toHex(result.dataIn);
}

function twoKeys(): ReservationState {
  const state = new ReservationState();
  state.register({ initiator: TransportId.parse("naa.5000c50012345678"), targetPort: 1 }, 0xa1n, false);
  state.register({ initiator: TransportId.parse("naa.5000c50012345679"), targetPort: 1 }, 0xb2n, false);
  state.restoreGeneration(3);
  return state;
}

function oneHolder(type: 5 | 7): ReservationState {
  const state = new ReservationState();
  state.reserve(type, state.register({ initiator: TransportId.parse("naa.5000c50012345678"), targetPort: 1 }, 0xa1n, false));
  state.restoreGeneration(3);
  return state;
}

describe("READ KEYS", () => {
  it("has the keys in order of registration, repeated where they are", () => {
    expect(read(twoKeys(), 0)).to.equal("000000030000001000000000000000a100000000000000b2");
    const shared = play(`A1 | REG 0 k SPEC=BC ATP | GOOD | 1; k k k k k k; -`).state;
    expect(read(shared, 0)).to.equal(`0000000100000030${"000000000000006b".repeat(6)}`);
    expect(read(new ReservationState(), 0)).to.equal("0000000000000000");
  });

  it("is cut at any byte and still tells the full length", () => {
    const whole = read(twoKeys(), 0);
    for (let length = 0; length <= 30; length += 1) expect(read(twoKeys(), 0, length)).to.equal(whole.slice(0, 2 * length));
  });
});

describe("READ RESERVATION", () => {
  it("has type and key of the holder, key 0 for All Registrants", () => {
    expect(read(twoKeys(), 1)).to.equal("0000000300000000");
    expect(read(oneHolder(5), 1)).to.equal("000000030000001000000000000000a10000000000050000");
    expect(read(oneHolder(7), 1)).to.equal("000000030000001000000000000000000000000000070000");
  });

  it("is cut at any byte", () => {
    const whole = read(oneHolder(5), 1);
    for (let length = 0; length <= 30; length += 1) expect(read(oneHolder(5), 1, length)).to.equal(whole.slice(0, 2 * length));
  });
});

describe("REPORT CAPABILITIES", () => {
  it("tells what is on", () => {
    const state = new ReservationState();
    expect(read(state, 2)).to.equal("00081dc0ea010000");
    state.setAptpl(true);
    expect(read(state, 2)).to.equal("00081dc1ea010000");
    expect(read(state, 2, 3)).to.equal("00081d");
    const off = {
      compatibleReservationHandling: false,
      specifyInitiatorPorts: false,
      allTargetPorts: false,
      persistThroughPowerLoss: false,
    };
    expect(read(new ReservationState(), 2, 8, off)).to.equal("000800c0ea010000");
  });
});

describe("READ FULL STATUS", () => {
  it("has a descriptor for each registration", () => {
    const descriptor = `00000000000000a1 00000000 01 05 00000000 0001 00000018 06000000 5000c50012345678 ${"00".repeat(12)}`;
    expect(read(oneHolder(5), 3)).to.equal(`00000003 00000030 ${descriptor}`.replaceAll(" ", ""));
  });

  it("marks the holder, and everyone with All Registrants, by the key they have", () => {
    const state = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B2 | REG 0 b | GOOD | 2; a b; -
      B2 | RSV T6  | GOOD | 2; a b; 6/b
    `).state;
    const holders = (): readonly unknown[] =>
      PersistentReserveIn.parse(3, Uint8Array.from(Buffer.from(read(state, 3), "hex"))).registrants.map(
        ({ key, holder, type, scope, targetPort }) => [key, holder, type, scope, targetPort],
      );
    expect(holders()).to.deep.equal([
      [0x61n, false, 0, 0, 1],
      [0x62n, true, 6, 0, 2],
    ]);
    const [first] = state.registrations();
    if (first !== undefined) state.reserve(8, first);
    expect(holders()).to.deep.equal([
      [0x61n, true, 8, 0, 1],
      [0x62n, true, 8, 0, 2],
    ]);
  });

  it("is cut at any byte and still tells the full length", () => {
    const state = play(`A1 | REG 0 a SPEC=BCD | GOOD | 1; a a a a; -`).state;
    const whole = read(state, 3);
    for (let length = 0; length <= whole.length / 2 + 1; length += 1) expect(read(state, 3, length)).to.equal(whole.slice(0, 2 * length));
  });

  it("has one descriptor with ALL_TG_PT for an initiator port registered alike at all target ports", () => {
    const entries = (state: ReservationState): readonly unknown[] =>
      PersistentReserveIn.parse(3, Uint8Array.from(Buffer.from(read(state, 3), "hex"))).registrants.map(
        ({ key, targetPort, allTargetPorts }) => [key, targetPort, allTargetPorts],
      );
    const player = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 b | GOOD | 2; a b; -
      A1 | RAI a ATP | GOOD | 3; a b a; -
    `);
    const [ofA, ofB] = [
      [0x61n, 0, true],
      [0x62n, 1, false],
    ];
    const apart = [[0x61n, 1, false], ofB, [0x61n, 2, false]];
    expect(entries(player.state)).to.deep.equal([ofA, ofB]);
    player.play(`A2 | RSV T5 | GOOD | 3; a b a; 5/a`);
    expect(entries(player.state)).to.deep.equal(apart);
    player.play(`A2 | REL T5 | GOOD | 3; a b a; - | B1:2A/04 A1:2A/04`);
    expect(entries(player.state)).to.deep.equal([ofA, ofB]);
    const image = encodeImage(player.state);
    const registrations = image.registrations.map((entry, index) => (index === 2 ? { ...entry, key: "0x0000000000000063" } : entry));
    expect(entries(decodeImage({ ...image, registrations }))).to.deep.equal([[0x61n, 1, false], ofB, [0x63n, 2, false]]);
    player.play(`A2 | REG a a | GOOD | 4; a b a; -`);
    expect(entries(player.state)).to.deep.equal(apart);
  });
});

describe("PERSISTENT RESERVE IN", () => {
  it("has no other service actions", () => {
    for (let serviceAction = 4; serviceAction < 32; serviceAction += 1) {
      const result = applyReserveIn(twoKeys(), Uint8Array.of(0x5e, serviceAction, 0, 0, 0, 0, 0, 0, 64, 0), 64, settings);
      expect(result.status).to.equal(ScsiStatus.CHECK_CONDITION);
      expect(parseSense(result.sense)).to.deep.equal(Sense.INVALID_FIELD_IN_CDB);
    }
  });

  it("needs a buffer of ALLOCATION LENGTH, however little there is to tell", () => {
    for (const serviceAction of [0, 1, 2, 3]) {
      const cdb = Uint8Array.of(0x5e, serviceAction, 0, 0, 0, 0, 0, 1, 0, 0);
      const { status, sense, dataIn } = applyReserveIn(twoKeys(), cdb, 255, settings);
      expect([status, dataIn.length]).to.deep.equal([ScsiStatus.CHECK_CONDITION, 0]);
      expect(parseSense(sense)).to.deep.equal(Sense.INVALID_FIELD_IN_CDB);
      expect(applyReserveIn(twoKeys(), cdb, 256, settings).status).to.equal(ScsiStatus.GOOD);
    }
  });

  it("fills no more than ALLOCATION LENGTH, and memory that is given", () => {
    const cdb = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 12, 0);
    expect(applyReserveIn(twoKeys(), cdb, 64, settings)).to.include({ residual: 52 });
    const memory = new Uint8Array(64).fill(0xff);
    const { dataIn } = applyReserveIn(twoKeys(), cdb, 64, settings, memory);
    expect(dataIn.buffer).to.equal(memory.buffer);
    expect(toHex(memory.subarray(0, 14))).to.equal("000000030000001000000000ffff");
  });
});
