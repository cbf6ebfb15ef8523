/** What a guest's commands make of the state that a migration carries, here and in QEMU. */
import { TransportId } from "qom-pr";
import type { ReserveOutRequest } from "qom-pr";
import { KEY, OTHER_KEY } from "./migrating.js";

/** A key that nobody has at first. */
export const OTHER = 0xe1n;
export const REGISTER: ReserveOutRequest = { action: "register", serviceActionKey: KEY };
export const ignoring = (serviceActionKey: bigint): ReserveOutRequest => ({ action: "register-and-ignore-existing-key", serviceActionKey });
export const reserve = (type: number, key = KEY): ReserveOutRequest => ({ action: "reserve", key, type });
export const preempt = (serviceActionKey: bigint, type = 5): ReserveOutRequest => ({ action: "preempt", key: KEY, serviceActionKey, type });
const move = (unregister: boolean): ReserveOutRequest => ({
  action: "register-and-move",
  key: KEY,
  serviceActionKey: OTHER,
  unregister,
  relativeTargetPort: 1,
  transportIds: [TransportId.parse("naa.50000000000000b0")],
});

/**
 * Commands of the guest on a, and of b where they are marked; key and type then; what the last one is answered; and key and type in QEMU 11.1
 * where they are others.
 */
export type Row = readonly [
  what: string,
  commands: readonly (ReserveOutRequest | { readonly b: ReserveOutRequest })[],
  state: string,
  last?: string,
  qemu?: string,
];

/** {@link KEY} in digits. */
export const K = KEY.toString(16);

/** See {@link Row}. */
export const ROWS: readonly Row[] = [
  ["nothing", [], "nothing"],
  ["REGISTER", [REGISTER], `${K} 0`],
  ["REGISTER of another key", [REGISTER, reserve(5), { action: "register", key: KEY, serviceActionKey: OTHER }], "e1 5"],
  ["REGISTER with a wrong key", [REGISTER, { action: "register", key: OTHER, serviceActionKey: OTHER }], `${K} 0`, "RC", "e1 0"],
  ["REGISTER of nothing, unregistered", [{ action: "register" }], "nothing"],
  ["unregistering the holder", [REGISTER, reserve(5), { action: "register", key: KEY }], "nothing"],
  ["unregistering a holder among all registrants", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), ignoring(0n)], "nothing"],
  ["REGISTER AND IGNORE EXISTING KEY", [ignoring(KEY)], `${K} 0`],
  ["REGISTER AND IGNORE EXISTING KEY of the holder", [REGISTER, reserve(1), ignoring(OTHER)], "e1 1"],
  [
    "REGISTER after the guest was preempted",
    [REGISTER, reserve(5), { b: ignoring(OTHER_KEY) }, { b: { ...preempt(KEY), key: OTHER_KEY } }, REGISTER, REGISTER],
    `${K} 0`,
    "GOOD",
    `${K} 5`,
  ],
  ...[1, 3, 5, 6, 7, 8].map((type): Row => [`RESERVE of type ${type}`, [REGISTER, reserve(type)], `${K} ${type}`]),
  ["RESERVE that conflicts", [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, reserve(5)], `${K} 0`, "RC", `${K} 5`],
  ["RESERVE of another type", [REGISTER, reserve(5), reserve(6)], `${K} 5`, "RC", `${K} 6`],
  ["RESERVE of an impossible type", [REGISTER, reserve(2)], `${K} 0`, "05/24/00", `${K} 2`],
  ["RELEASE", [REGISTER, reserve(5), { action: "release", key: KEY, type: 5 }], `${K} 0`],
  ["RELEASE of another type", [REGISTER, reserve(5), { action: "release", key: KEY, type: 6 }], `${K} 5`, "05/26/04", `${K} 0`],
  ["RELEASE of nothing", [REGISTER, { action: "release", key: KEY, type: 5 }], `${K} 0`],
  ["CLEAR", [REGISTER, reserve(5), { action: "clear", key: KEY }], "nothing"],
  ["CLEAR with a wrong key", [REGISTER, reserve(5), { action: "clear", key: OTHER }], `${K} 5`, "RC", "nothing"],
  ["PREEMPT of the holder", [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, preempt(OTHER_KEY, 6)], `${K} 6`],
  ["PREEMPT of a registrant by the holder", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(1), preempt(OTHER_KEY, 5)], `${K} 1`],
  ["PREEMPT of a registrant, nothing reserved", [REGISTER, { b: ignoring(OTHER_KEY) }, preempt(OTHER_KEY)], `${K} 0`],
  ["PREEMPT of the holder's own key: another type", [REGISTER, reserve(1), preempt(KEY, 5)], `${K} 5`],
  ["PREEMPT of one's own key, nothing reserved", [REGISTER, preempt(KEY)], "nothing", "GOOD", `${K} 0`],
  [
    "PREEMPT of one's own key beside a holder",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, preempt(KEY)],
    "nothing",
    "GOOD",
    `${K} 0`,
  ],
  [
    "PREEMPT of all other registrants",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(7, OTHER_KEY) }, preempt(0n, 8)],
    `${K} 8`,
    "GOOD",
    `${K} 0`,
  ],
  [
    "PREEMPT of one among all registrants",
    [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), preempt(OTHER_KEY, 1)],
    `${K} 7`,
    "GOOD",
    `${K} 0`,
  ],
  [
    "PREEMPT of one's own key among all registrants",
    [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), preempt(KEY)],
    "nothing",
    "GOOD",
    `${K} 0`,
  ],
  ["PREEMPT of a key that nobody has", [REGISTER, reserve(5), preempt(OTHER)], `${K} 5`, "RC"],
  [
    "PREEMPT AND ABORT of the holder",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, { ...preempt(OTHER_KEY, 3), action: "preempt-and-abort" }],
    `${K} 3`,
  ],
  ["REGISTER AND MOVE", [REGISTER, reserve(5), move(false)], `${K} 0`, "GOOD", `${K} 5`],
  ["REGISTER AND MOVE that unregisters", [REGISTER, reserve(5), move(true)], "nothing", "GOOD", `${K} 5`],
  [
    "REGISTER AND MOVE by who holds nothing",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, move(true)],
    `${K} 0`,
    "RC",
  ],
  [
    "REPLACE LOST RESERVATION",
    [REGISTER, { action: "replace-lost-reservation", serviceActionKey: OTHER, type: 5 }],
    `${K} 0`,
    "05/24/00",
    "e1 5",
  ],
];
