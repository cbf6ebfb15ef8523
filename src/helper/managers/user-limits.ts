/** How much a user may make the helper keep: what options say, and what holds without them. */

import type { Holdings } from "../../scsi/account.js";

/** How much one user may have. */
export type UserLimits = Holdings;

/** No host has more disks with reservations; `--units-per-user` is for the one that does. */
export const UNITS_PER_USER_DEFAULT = 1024;

/** Sixteen hosts' worth for each of the disks above; a disk of a large cluster has a few hundred. */
export const REGISTRATIONS_PER_USER_DEFAULT = 16_384;

/** What so many units and registrations with names of usual length take. */
export const BYTES_PER_USER_DEFAULT = 32 * 1024 * 1024;

/** Upper bound of the options; so much is as good as no limit. */
export const HOLDINGS_MAX: Holdings = Object.freeze({ units: 1_000_000, registrations: 1_000_000, bytes: 64 * 1024 ** 3 });
