/** The field pointers of sense data (SPC-4 4.5.2.4.2): which field of the CDB or of the parameter list is at fault. */

import { expect } from "chai";

import { applyReserveIn, applyReserveOut } from "#src/reservation/apply.js";
import { defaultReservationSettings } from "#src/reservation/settings.js";
import type { ReservationSettings } from "#src/reservation/settings.js";
import { toHex } from "#src/scsi/bytes.js";
import type { ScsiResult } from "#src/scsi/command.js";
import { nexusKey } from "#src/scsi/nexus.js";
import { initiator, reserveOut } from "./support/commands.js";
import { play } from "./support/player.js";

/** ASC, ASCQ and the sense key specific bytes (SKSV, C/D, BPV, bit pointer; field pointer) of fixed sense data. */
function fault({ sense }: ScsiResult): string {
  return `${toHex(sense.subarray(12, 14))} ${toHex(sense.subarray(15, 18))}`;
}

const THREE = `
  A1 | REG 0 a | GOOD | 1; a; -
  B1 | REG 0 b | GOOD | 2; a b; -
  C1 | REG 0 c | GOOD | 3; a b c; -
`;
const RESERVED = `${THREE}\nA1 | RSV T5 | GOOD | 3; a b c; 5/a`;

describe("field pointers of PERSISTENT RESERVE OUT", () => {
  const cases: readonly (readonly [
    script: string,
    who: string,
    command: string,
    fault: string,
    settings?: Partial<ReservationSettings>,
  ])[] = [
    [THREE, "A1", "CLR SA=9", "2400 cc0001"],
    [THREE, "A1", "CLR SA=8", "2400 cc0001"],
    [THREE, "A1", "RSV T1 S1", "2400 cf0002"],
    [THREE, "A1", "RSV T2", "2400 cb0002"],
    [THREE, "A1", "RSV T5", "2400 cb0002", { types: [1, 3] }],
    [THREE, "A1", "CLR LEN=23", "1a00 c00005"],
    [THREE, "A1", "PRE 0 T1", "2600 800008"],
    [THREE, "A1", "REG a b SPEC=D", "2600 8b0014"],
    [THREE, "A1", "RAI b SPEC=D", "2600 8b0014"],
    [THREE, "D1", "REG 0 d SPEC=A", "2600 80001c"],
    [THREE, "D1", "REG 0 d", "5504 800008", { registrationsMax: 3 }],
    [RESERVED, "A1", "REL T5 S1", "2604 cf0002"],
    [RESERVED, "A1", "REL T1", "2604 cb0002"],
    [RESERVED, "B1", "PRE a T1 S1", "2400 cf0002"],
    [RESERVED, "B1", "PRE a T4", "2400 cb0002"],
    [RESERVED, "A1", "MOVE 0 D1", "2600 800008"],
    [RESERVED, "A1", "MOVE d D1 port=9", "2600 800012"],
    [RESERVED, "A1", "MOVE d A1", "2600 800018"],
    [THREE, "A1", "MOVE d D1", "2400 cc0001"],
    [RESERVED, "A1", "MOVE d D1", "5504 800018", { registrationsMax: 3 }],
  ];
  for (const [script, who, command, expected, settings] of cases) {
    it(`say ${expected} of ${command} from ${who}`, () => {
      const { state } = play(script);
      const nexus = { initiator: initiator(who), targetPort: 1 };
      const [verb = "", ...words] = command.split(" ");
      const { cdb, dataOut } = reserveOut(verb, words, state.find(nexusKey(nexus))?.key ?? 0n);
      const { result } = applyReserveOut(state, nexus, cdb, dataOut, { ...defaultReservationSettings, ...settings });
      expect(fault(result)).to.equal(expected);
    });
  }
});

describe("field pointers of PERSISTENT RESERVE IN", () => {
  it("are those of SERVICE ACTION and of ALLOCATION LENGTH", () => {
    const { state } = play(THREE);
    const answer = (serviceAction: number, bufferLength: number): ScsiResult =>
      applyReserveIn(state, Uint8Array.of(0x5e, serviceAction, 0, 0, 0, 0, 0, 0, 64, 0), bufferLength, defaultReservationSettings);
    expect(fault(answer(4, 64))).to.equal("2400 cc0001");
    expect(fault(answer(0, 63))).to.equal("2400 c00007");
  });
});
