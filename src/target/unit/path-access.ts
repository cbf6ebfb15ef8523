import { aBoolean, having, optional } from "../../base/check.js";
import type { Kind } from "../../base/check.js";
import { anAccount } from "../../scsi/account.js";
import type { Account } from "../../scsi/account.js";

/** What a path allows its nexus to do, whatever the unit allows. A path is a node of a machine, or a client of a helper. */
export interface PathAccess {
  /** The unit is write-protected for this path: commands that write end with WRITE PROTECTED (07/27/00). Default false. */
  readonly readOnly?: boolean;
  /** The account that is charged for what the unit keeps because of the command. Default: none. */
  readonly account?: Account;
}

/** The path of most commands. */
export const FULL_ACCESS: PathAccess = Object.freeze({});
/** See {@link PathAccess.readOnly}. */
export const READ_ONLY_ACCESS: PathAccess = Object.freeze({ readOnly: true });

/** A {@link PathAccess}. Checked for every command, so the two common ones take only a comparison. */
export const A_PATH: Kind = {
  expects: "a path, { readOnly, account }",
  holds: (value) => value === FULL_ACCESS || value === READ_ONLY_ACCESS || GIVEN_PATH.holds(value),
};

const GIVEN_PATH: Kind = having("a path", { readOnly: optional(aBoolean), account: optional(anAccount) });
