/** The reservation rules: commands a second of the state machine, what a large number of registrants costs, and what a read pays. */
import { applyReserveIn, applyReserveOut } from "#src/reservation/apply.js";
import { isAllowed } from "#src/reservation/access.js";
import { defaultReservationSettings } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { nexusKey } from "#src/scsi/nexus.js";
import { Machine, PersistentReserveIn, PersistentReserveOut, TransportId } from "qom-pr";
import type { Nexus, ScsiDevice } from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const ROUNDS = 15;
const COUNT = 100_000;
const SIZES = { few: 10, many: 100_000 } as const;
const SETTINGS = defaultReservationSettings;

/** A unit's state with `registrants` registered nexuses, the first of which holds a reservation, and one more nexus that comes and goes. */
interface Subject {
  readonly state: ReservationState;
  readonly holder: Nexus;
  readonly guest: Nexus;
}

function nexusOf(index: number): Nexus {
  return { initiator: TransportId.parse(`naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`), targetPort: 1 };
}

function subject(registrants: number): Subject {
  const state = new ReservationState();
  for (let index = 1; index <= registrants; index += 1) state.register(nexusOf(index), BigInt(index), false);
  const holder = nexusOf(1);
  send(state, holder, PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 5 }));
  return { state, holder, guest: nexusOf(registrants + 1) };
}

function send(state: ReservationState, nexus: Nexus, { cdb, dataOut }: { cdb: Uint8Array; dataOut: Uint8Array }): void {
  const { result } = applyReserveOut(state, nexus, cdb, dataOut, SETTINGS);
  if (result.status !== 0) throw new Error(`the benchmark's command ended with status ${result.status}`);
}

const GUEST_KEY = 0xffff_ffffn;
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: GUEST_KEY });
const RESERVE = PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 5 });
const PREEMPT = PersistentReserveOut.encode({ action: "preempt", key: 1n, serviceActionKey: GUEST_KEY, type: 5 });
const READ_RESERVATION = PersistentReserveIn.readReservation(24);

/** By what is measured: commands on a subject, and how many they are. */
const OPERATIONS: readonly (readonly [what: string, commands: number, run: (subject: Subject) => unknown])[] = [
  ["READ RESERVATION", 1, ({ state }) => applyReserveIn(state, READ_RESERVATION.cdb, 24, SETTINGS)],
  ["RESERVE again", 1, ({ state, holder }) => send(state, holder, RESERVE)],
  [
    "REGISTER, PREEMPT of one key",
    2,
    ({ state, holder, guest }) => {
      send(state, guest, REGISTER);
      send(state, holder, PREEMPT);
    },
  ],
  ["access check", 1, ({ state, holder }) => isAllowed(state, nexusKey(holder), "write")],
];

/** Commands a second with few registrants, and how much dearer many make them. */
export async function stateMachine(): Promise<readonly Figure[]> {
  const [few, many] = [subject(SIZES.few), subject(SIZES.many)];
  const figures: Figure[] = [];
  for (const [what, commands, run] of OPERATIONS) {
    const measure = (on: Subject) => (): Promise<number> => {
      const begin = process.hrtime.bigint();
      for (let index = 0; index < COUNT; index += 1) run(on);
      return Promise.resolve(Number(process.hrtime.bigint() - begin) / COUNT / commands);
    };
    const [small = [], large = []] = await inTurn(ROUNDS, [measure(few), measure(many)]);
    const aim = what === "READ RESERVATION" ? ">= 1000000" : what === "access check" ? "" : ">= 500000";
    figures.push({ what: `${what}, ${SIZES.few} registrants`, unit: "1/s", value: spread(small.map((ns) => 1e9 / ns)), aim });
    figures.push({ what: `the same, ${SIZES.many} / ${SIZES.few}`, unit: "ratio", value: spread(ratios(large, small)), aim: "<= 4" });
  }
  return figures;
}

async function diskOf(reserved: boolean): Promise<{ readonly machine: Machine; readonly disk: ScsiDevice }> {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  const disk = machine.scsiDevice("disk0");
  await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }));
  if (reserved) await disk.execute(RESERVE);
  return { machine, disk };
}

/** READ(10) of 4 KiB through scsi-block into the caller's memory, on a unit that is reserved and on one that is not. */
export async function reservedRead(): Promise<readonly Figure[]> {
  const [free, reserved] = [await diskOf(false), await diskOf(true)];
  const read = { cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0), into: new Uint8Array(4096) };
  const measure = (disk: ScsiDevice) => (): Promise<number> => nanosecondsEach(COUNT, () => disk.execute(read));
  const [without = [], with_ = []] = await inTurn(ROUNDS, [measure(free.disk), measure(reserved.disk)]);
  await free.machine.close();
  await reserved.machine.close();
  return [
    { what: "READ(10) of 4 KiB by scsi-block, reserved", unit: "ns", value: spread(with_), aim: "" },
    { what: "the same, reserved / not reserved", unit: "ratio", value: spread(ratios(with_, without)), aim: "<= 1.05 (median)" },
  ];
}
