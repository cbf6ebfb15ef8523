import { aBoolean, having, optional } from "../../base/check.js";
import type { Kind } from "../../base/check.js";
import { anAccount } from "../../scsi/account.js";
import type { Account } from "../../scsi/account.js";

/** What a nexus may do by its path, whatever the unit allows; a path of its own is a node of a machine, or a client of a helper. */
export interface PathAccess {
  /** The unit is write-protected for this path: commands that write end with WRITE PROTECTED (07/27/00). Default false. */
  readonly readOnly?: boolean;
  /** In whose name the command is executed: what the unit has to keep for it counts to that owner. Default nobody. */
  readonly account?: Account;
}

/** The paths that most commands come by. */
export const FULL_ACCESS: PathAccess = Object.freeze({});
/** See {@link PathAccess.readOnly}. */
export const READ_ONLY_ACCESS: PathAccess = Object.freeze({ readOnly: true });

/** A {@link PathAccess}: asked for every command, so those that nearly all have cost a comparison. */
export const A_PATH: Kind = {
  expects: "a path, { readOnly, account }",
  holds: (value) => value === FULL_ACCESS || value === READ_ONLY_ACCESS || GIVEN_PATH.holds(value),
};

const GIVEN_PATH: Kind = having("a path", { readOnly: optional(aBoolean), account: optional(anAccount) });
