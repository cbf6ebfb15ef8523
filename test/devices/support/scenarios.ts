/** What a driver asks, step by step: the same of QEMU and of this library. */
import type { QemuVersion } from "#src/qemu/compat.js";
import { commandRequest, commandText, fields, lunField, manage, plainText, send } from "./peer.js";
import type { Answer, Command, Lun, Peer } from "./peer.js";

/** Task management functions by their numbers. */
const Tmf = { ABORT_TASK: 0, ABORT_TASK_SET: 1, CLEAR_TASK_SET: 3, I_T_NEXUS_RESET: 4, LUN_RESET: 5, QUERY_TASK: 6, QUERY_TASK_SET: 7 };
const TMF_COUNT = 9;

const TUR = "000000000000";
const REQUEST_SENSE = "030000001200";
const REPORT_LUNS = "a00000000000000001000000";
const INQUIRY = "120000002400";
const READ_ONE_BLOCK = "28000000000000000100";
const WRITE_ONE_BLOCK = "2a000000000000000100";
const BLOCK = 512;
const NO_LUN = new Uint8Array(8);

/** What a scenario notes of an answer. */
export interface Notes {
  /**
   * @param differs why this library answers otherwise on purpose
   * @param only the one version of QEMU that it differs from
   */
  readonly note: (step: string, answer: string, differs?: string, only?: QemuVersion) => void;
}

/** One scenario; it begins with a driver that has just begun. */
export interface Scenario {
  readonly title: string;
  run(peer: Peer, notes: Notes): Promise<void>;
}

/** Steps of commands that follow each other. */
type CommandStep = readonly [step: string, lun: Lun, command: Command | string, differs?: string, only?: QemuVersion];

function commands(title: string, steps: readonly CommandStep[]): Scenario {
  return {
    title,
    run: async (peer, { note }) => {
      for (const [step, lun, command, differs, only] of steps) {
        const answer = await send(peer, lun, typeof command === "string" ? { cdb: command } : command);
        note(step, commandText(answer), differs, only);
      }
    },
  };
}

const RESIDUAL_OF_BUFFER =
  "the residual counts what is left of the driver's buffers (virtio 1.2, 5.6.6.1); QEMU subtracts them from the CDB's length";
const LOST_ATTENTION = "a command that is refused for another reason does not take a unit attention along";

const UNITS: readonly Scenario[] = [
  commands("unit attention of a new unit", [
    ["INQUIRY passes", [0, 0], { cdb: "120000000100", inBytes: 1 }],
    ["REPORT LUNS passes", [0, 0], { cdb: REPORT_LUNS, inBytes: 256 }],
    ["REQUEST SENSE meets it", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["once", [0, 0], TUR],
    ["each unit has one of its own", [0, 300], TUR],
    ["once there too", [0, 300], TUR],
  ]),
  commands("unit attention and commands that do not fit", [
    ["READ without a buffer", [0, 0], READ_ONE_BLOCK],
    ["the unit attention after it", [0, 0], TUR, LOST_ATTENTION],
    ["an operation code without length", [0, 300], "ff0000000000"],
    ["the unit attention after it (2)", [0, 300], TUR, LOST_ATTENTION, "7.2"],
  ]),
  commands("REPORT LUNS", [
    ["target 0", [0, 0], { cdb: REPORT_LUNS, inBytes: 256 }],
    ["a target without LUN 0", [2, 0], { cdb: REPORT_LUNS, inBytes: 256 }],
    ["SELECT REPORT 1", [0, 0], { cdb: "a00001000000000001000000", inBytes: 256 }],
    ["SELECT REPORT 2", [0, 0], { cdb: "a00002000000000001000000", inBytes: 256 }],
    ["SELECT REPORT 3", [0, 0], { cdb: "a00003000000000001000000", inBytes: 256 }],
    ["allocation length 15", [0, 0], { cdb: "a000000000000000000f0000", inBytes: 16 }],
    ["allocation length 16", [0, 0], { cdb: "a00000000000000000100000", inBytes: 16 }],
    ["allocation length 23", [0, 0], { cdb: "a00000000000000000170000", inBytes: 23 }],
    ["a buffer that is too small", [0, 0], { cdb: REPORT_LUNS, inBytes: 255 }],
    ["an allocation length beyond 2 GiB", [0, 0], { cdb: "a0000000000080000000000000", inBytes: 256 }],
    ["to a LUN that is not 0", [0, 300], { cdb: REPORT_LUNS, inBytes: 256 }],
    ["to a LUN that is absent", [0, 7], { cdb: REPORT_LUNS, inBytes: 256 }],
  ]),
  commands("an absent LUN", [
    ["TEST UNIT READY meets the unit attention of the target's youngest unit", [0, 7], TUR],
    ["which that unit has not any more", [0, 300], TUR],
    ["TEST UNIT READY", [0, 7], TUR],
    ["INQUIRY", [0, 7], { cdb: INQUIRY, inBytes: 36 }],
    ["INQUIRY of 3 bytes", [0, 7], { cdb: "120000000300", inBytes: 3 }],
    [
      "INQUIRY, list of VPD pages",
      [0, 7],
      { cdb: "120100002400", inBytes: 36 },
      "the page has its length in bytes 2 and 3 and says 7Fh like the standard data",
    ],
    ["INQUIRY, VPD page 80h", [0, 7], { cdb: "120180002400", inBytes: 36 }],
    ["INQUIRY, page code without EVPD", [0, 7], { cdb: "120001002400", inBytes: 36 }],
    ["INQUIRY, CMDDT", [0, 7], { cdb: "120200002400", inBytes: 36 }],
    ["REQUEST SENSE", [0, 7], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["REQUEST SENSE in descriptor format", [0, 7], { cdb: "030100001200", inBytes: 18 }],
    ["REQUEST SENSE of 8 bytes", [0, 7], { cdb: "030000000800", inBytes: 8 }],
    ["READ", [0, 7], { cdb: READ_ONE_BLOCK, inBytes: BLOCK }],
    ["an operation code without length", [0, 7], "ff0000000000"],
  ]),
  commands("LUN 0 of a target that has none", [
    ["INQUIRY", [2, 0], { cdb: INQUIRY, inBytes: 36 }],
    ["INQUIRY of 96 bytes", [2, 0], { cdb: "120000006000", inBytes: 96 }],
    ["INQUIRY of 20 bytes", [2, 0], { cdb: "120000001400", inBytes: 20 }],
    ["unit attention of the target's unit", [2, 0], TUR],
    ["TEST UNIT READY", [2, 0], TUR],
    ["READ", [2, 0], { cdb: READ_ONE_BLOCK, inBytes: BLOCK }],
    ["REQUEST SENSE remembers", [2, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["REQUEST SENSE once", [2, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
  ]),
  commands("forms of the LUN field", [
    ["an absent target", [9, 0], TUR],
    ["zeros", NO_LUN, TUR],
    ["REPORT LUNS well-known unit", Uint8Array.of(0xc1, 1, 0, 0, 0, 0, 0, 0), { cdb: REPORT_LUNS, inBytes: 256 }],
    ["peripheral addressing", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), TUR],
    ["peripheral addressing with a bus", Uint8Array.of(1, 0, 1, 0, 0, 0, 0, 0), TUR],
    ["logical unit addressing", Uint8Array.of(1, 0, 0x80, 0, 0, 0, 0, 0), TUR],
    ["extended addressing", Uint8Array.of(1, 0, 0xc1, 0, 0, 0, 0, 0), TUR],
    ["bytes behind the LUN", Uint8Array.of(1, 0, 0x40, 0, 1, 2, 3, 4), TUR],
  ]),
  commands("sense data", [
    ["unit attention", [0, 0], TUR],
    ["is not remembered", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["an unknown operation code", [0, 0], "020000000000"],
    ["is remembered", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["once", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["an unknown operation code again", [0, 0], "020000000000"],
    ["in descriptor format", [0, 0], { cdb: "030100001200", inBytes: 18 }],
    ["an unknown operation code, third", [0, 0], "020000000000"],
    ["cut to 4 bytes", [0, 0], { cdb: "030000000400", inBytes: 4 }],
    ["an unknown operation code, fourth", [0, 0], "020000000000"],
    ["an overrun forgets nothing", [0, 0], { cdb: REQUEST_SENSE, inBytes: 17 }],
    ["as this shows", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["an unknown operation code, fifth", [0, 0], "020000000000"],
    ["a GOOD command forgets it", [0, 0], TUR],
    ["as this shows too", [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 }],
    ["unit attention of LUN 300", [0, 300], TUR],
    ["an unknown operation code of LUN 300", [0, 300], "020000000000"],
    ["is remembered there", [0, 300], { cdb: REQUEST_SENSE, inBytes: 18 }, "in QEMU units other than LUN 0 answer that they are not there"],
  ]),
];

const BUFFERS: readonly Scenario[] = [
  commands("buffers of reads and writes", [
    ["unit attention", [0, 0], TUR],
    ["WRITE", [0, 0], { cdb: WRITE_ONE_BLOCK, out: new Uint8Array(BLOCK) }],
    ["READ", [0, 0], { cdb: READ_ONE_BLOCK, inBytes: BLOCK }],
    ["READ of two blocks into one", [0, 0], { cdb: "28000000000000000200", inBytes: BLOCK }],
    ["READ without a buffer", [0, 0], READ_ONE_BLOCK],
    ["READ with data-out", [0, 0], { cdb: READ_ONE_BLOCK, out: new Uint8Array(BLOCK) }],
    ["READ into a larger buffer", [0, 0], { cdb: READ_ONE_BLOCK, inBytes: 2 * BLOCK }, RESIDUAL_OF_BUFFER],
    ["READ of no blocks", [0, 0], "28000000000000000000"],
    ["WRITE of two blocks from one", [0, 0], { cdb: "2a000000000000000200", out: new Uint8Array(BLOCK) }],
    ["WRITE without data", [0, 0], WRITE_ONE_BLOCK],
    ["WRITE with data-in", [0, 0], { cdb: WRITE_ONE_BLOCK, inBytes: BLOCK }],
    ["WRITE from a larger buffer", [0, 0], { cdb: WRITE_ONE_BLOCK, out: new Uint8Array(2 * BLOCK) }, RESIDUAL_OF_BUFFER],
    ["buffers in both directions", [0, 0], { cdb: READ_ONE_BLOCK, out: new Uint8Array(BLOCK), inBytes: BLOCK }],
    ["the end of the disk", [0, 0], { cdb: "280000ffffff00000100", inBytes: BLOCK }],
    ["READ(6)", [0, 0], { cdb: "080000000100", inBytes: BLOCK }],
    ["READ(12)", [0, 0], { cdb: "a80000000000000000010000", inBytes: BLOCK }],
    ["READ(16)", [0, 0], { cdb: "88000000000000000000000000010000", inBytes: BLOCK }],
    ["READ CAPACITY(10)", [0, 0], { cdb: "25000000000000000000", inBytes: 8 }],
  ]),
];

/** A request as it lies in the queue, and what becomes of the device. */
type RawStep = readonly [step: string, queue: number, readable: readonly Uint8Array[], writable: readonly number[]];

function raw(title: string, steps: readonly RawStep[]): Scenario {
  return {
    title,
    run: async (peer, { note }) => {
      for (const [step, queue, readable, writable] of steps) {
        const answer = await peer.submit(queue, readable, writable);
        const broken = await peer.needsReset();
        note(step, `${queue === 2 ? commandText(answer) : plainText(answer)}${broken ? ", needs reset" : ""}`);
        if (broken) await peer.restart();
      }
    },
  };
}

const REQUEST = commandRequest([0, 0], TUR);
const QUERY = fields([0, 4], [Tmf.QUERY_TASK_SET, 4], lunField([0, 0]), [0, 8]);
const NOTIFICATION = fields([1, 4], lunField([0, 0]), [0xffff, 4]);
const SUBSCRIPTION = fields([2, 4], lunField([0, 0]), [0xffff, 4]);

const MALFORMED: readonly Scenario[] = [
  raw("requests of the wrong size", [
    ["a command request of 50 bytes", 2, [REQUEST.subarray(0, 50)], [108]],
    ["a command request of 51 bytes", 2, [REQUEST], [108]],
    ["a response of 107 bytes", 2, [REQUEST], [107]],
    ["a command without response", 2, [REQUEST], []],
    ["a command without request", 2, [], [108]],
    ["a control request of 3 bytes", 0, [QUERY.subarray(0, 3)], [1]],
    ["task management of 23 bytes", 0, [QUERY.subarray(0, 23)], [1]],
    ["task management of 24 bytes", 0, [QUERY], [1]],
    ["task management without response", 0, [QUERY], []],
    ["task management with more room", 0, [QUERY], [8]],
    ["task management with more bytes", 0, [fields(QUERY, [0, 8])], [1]],
    ["a query of 15 bytes", 0, [NOTIFICATION.subarray(0, 15)], [5]],
    ["a query of 16 bytes", 0, [NOTIFICATION], [5]],
    ["a subscription", 0, [SUBSCRIPTION], [5]],
    ["a query with 4 bytes for the response", 0, [NOTIFICATION], [4]],
    ["a control request of an undefined type", 0, [fields([77, 4], [0, 8])], [5]],
    ["a control request of an undefined type without response", 0, [fields([77, 4])], []],
  ]),
  {
    title: "configuration space",
    run: async (peer, { note }) => {
      const show = async (step: string): Promise<void> => {
        const broken = await peer.needsReset();
        note(step, `${Buffer.from(await peer.config()).toString("hex")}${broken ? ", needs reset" : ""}`);
        if (!broken) return;
        await peer.restart();
        // QEMU completes a field that a driver writes by what was last read.
        await peer.config();
      };
      await show("as it begins");
      await peer.writeConfig(0, fields([7, 4]));
      await show("num_queues cannot be written");
      await peer.writeConfig(24, fields([16, 4]));
      await peer.writeConfig(20, fields([20, 4]));
      await show("cdb_size 16 and sense_size 20");
      const small = (cdb: string, cdbSize: number): Uint8Array => commandRequest([0, 0], cdb, 1n, cdbSize);
      note("a command with them", commandText(await peer.submit(2, [small(TUR, 16)], [32]), 20));
      await peer.writeConfig(20, fields([10, 4]));
      note("sense data that are cut", commandText(await peer.submit(2, [small("020000000000", 16)], [22]), 10));
      await peer.writeConfig(24, fields([6, 4]));
      note("a CDB that is too long for its field", commandText(await peer.submit(2, [small(READ_ONE_BLOCK, 6)], [22]), 10));
      note("a CDB that fits", commandText(await peer.submit(2, [small(TUR, 6)], [22]), 10));
      await peer.writeConfig(24, fields([0, 4]));
      await peer.writeConfig(20, fields([0, 4]));
      note("no CDB and no sense data", commandText(await peer.submit(2, [small("", 0)], [12]), 0));
      await peer.writeConfig(24, fields([255, 4]));
      await show("cdb_size 255");
      await peer.writeConfig(24, fields([256, 4]));
      await show("cdb_size 256");
      await peer.writeConfig(20, fields([65_535, 4]));
      await show("sense_size 65535");
      await peer.writeConfig(20, fields([65_536, 4]));
      await show("sense_size 65536");
      await show("after a reset");
    },
  },
];

/** Sends a READ to the slow disk, does `meanwhile` to it, and notes both answers. */
async function inFlight(peer: Peer, { note }: Notes, step: string, meanwhile: () => Promise<Answer>): Promise<void> {
  const read = send(peer, [2, 3], { cdb: READ_ONE_BLOCK, inBytes: BLOCK, tag: 77n });
  note(step, plainText(await meanwhile()));
  note(`${step}: the command`, commandText(await read));
}

const MANAGEMENT: readonly Scenario[] = [
  {
    title: "task management",
    run: async (peer, { note }) => {
      const places: readonly (readonly [string, Lun])[] = [
        ["an idle unit", [0, 0]],
        ["an absent LUN", [0, 9]],
        ["an absent target", [9, 0]],
        ["a LUN field of zeros", NO_LUN],
      ];
      for (const [place, lun] of places) {
        for (let tmf = 0; tmf <= TMF_COUNT; tmf += 1) note(`function ${tmf} to ${place}`, plainText(await manage(peer, tmf, lun)));
      }
      note("unit attention of the unit after resets", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("once", commandText(await send(peer, [0, 0], { cdb: TUR })), "the unit itself tells of its reset too (29/03)");
      note("unit attention of the target's other unit", commandText(await send(peer, [0, 300], { cdb: TUR })));
    },
  },
  {
    title: "commands in flight",
    run: async (peer, notes) => {
      const { note } = notes;
      note("unit attention", commandText(await send(peer, [2, 3], { cdb: TUR })));
      const slow: Lun = [2, 3];
      await inFlight(peer, notes, "ABORT TASK", async () => {
        note("QUERY TASK", plainText(await manage(peer, Tmf.QUERY_TASK, slow, 77n)));
        note("QUERY TASK with another tag", plainText(await manage(peer, Tmf.QUERY_TASK, slow, 78n)));
        note("QUERY TASK SET", plainText(await manage(peer, Tmf.QUERY_TASK_SET, slow)));
        note("QUERY TASK SET of another unit", plainText(await manage(peer, Tmf.QUERY_TASK_SET, [0, 0])));
        note("ABORT TASK with another tag", plainText(await manage(peer, Tmf.ABORT_TASK, slow, 78n)));
        return manage(peer, Tmf.ABORT_TASK, slow, 77n);
      });
      await inFlight(peer, notes, "ABORT TASK SET", () => manage(peer, Tmf.ABORT_TASK_SET, slow));
      await inFlight(peer, notes, "CLEAR TASK SET", () => manage(peer, Tmf.CLEAR_TASK_SET, slow));
      note("no unit attention", commandText(await send(peer, slow, { cdb: TUR })));
      await inFlight(peer, notes, "LOGICAL UNIT RESET", () => manage(peer, Tmf.LUN_RESET, slow));
      note("unit attention after it", commandText(await send(peer, slow, { cdb: TUR })));
    },
  },
  {
    title: "I_T nexus reset",
    run: async (peer, notes) => {
      notes.note("unit attention", commandText(await send(peer, [2, 3], { cdb: TUR })));
      await inFlight(peer, notes, "I_T NEXUS RESET", () => manage(peer, Tmf.I_T_NEXUS_RESET, [2, 0]));
      notes.note("unit attention after it", commandText(await send(peer, [2, 3], { cdb: TUR })));
    },
  },
];

const HOTPLUG: readonly Scenario[] = [
  {
    title: "units that come and go",
    run: async (peer, { note }) => {
      note("unit attention", commandText(await send(peer, [0, 0], { cdb: TUR })));
      await peer.plug(1, 2);
      note("a buffer after a lost event", plainText(await peer.submit(1, [], [16])));
      note("an old unit", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("the new unit", commandText(await send(peer, [1, 2], { cdb: TUR })));
      note("the new unit again", commandText(await send(peer, [1, 2], { cdb: TUR })));
      const removed = peer.submit(1, [], [16]);
      await peer.unplug();
      note("event of removal", plainText(await removed));
      note("REPORT LUNS", commandText(await send(peer, [0, 0], { cdb: "a00000000000000000100000", inBytes: 16 })));
      note("takes the unit attention along", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("the unit that has gone", commandText(await send(peer, [1, 2], { cdb: TUR })));
      const added = peer.submit(1, [], [20]);
      await peer.plug(1, 300);
      note("event of arrival, LUN 300", plainText(await added));
      note("INQUIRY passes", commandText(await send(peer, [0, 0], { cdb: "120000000100", inBytes: 1 })));
      note("the unit attention", commandText(await send(peer, [0, 0], { cdb: TUR })));
      const short = peer.submit(1, [], [15]);
      await peer.unplug();
      note("an event buffer of 15 bytes", `${plainText(await short)}${(await peer.needsReset()) ? ", needs reset" : ""}`);
      await peer.restart();
      note("unit attention after a reset", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("that of the bus is still there", commandText(await send(peer, [0, 0], { cdb: TUR })));
    },
  },
  {
    title: "a parameter changes",
    run: async (peer, { note }) => {
      note("unit attention", commandText(await send(peer, [0, 0], { cdb: TUR })));
      const changed = peer.submit(1, [], [16]);
      await peer.resize();
      note("event", plainText(await changed));
      note("unit attention after it", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("once", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("an unknown operation code", commandText(await send(peer, [0, 0], { cdb: "020000000000" })));
      const again = peer.submit(1, [], [16]);
      await peer.resize();
      note("event again", plainText(await again));
      note("unit attention again", commandText(await send(peer, [0, 0], { cdb: TUR })));
      note("no older sense data are left", commandText(await send(peer, [0, 0], { cdb: REQUEST_SENSE, inBytes: 18 })));
    },
  },
];

/** All scenarios, in an order that leaves no spare disk behind. */
export const SCENARIOS: readonly Scenario[] = [...UNITS, ...BUFFERS, ...MALFORMED, ...MANAGEMENT, ...HOTPLUG];
