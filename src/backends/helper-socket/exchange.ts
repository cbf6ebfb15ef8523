/** One command and one response on a connection to a PR helper: what goes out, and how it can fail. */

import { QomError } from "../../base/errors.js";
import type { HelperResponse } from "../../scsi/pr-helper.js";

/** One PERSISTENT RESERVE command on its way to a helper, and who is told how it ended. */
export interface HelperExchange {
  /** Descriptor of the device, lent until {@link settle} is called. */
  readonly fd: number;
  /** The encoded request, with its parameter list. */
  readonly request: Uint8Array;
  /** Most bytes of data that the server may send; more breaks the protocol. */
  readonly dataMax: number;
  /** Called once, with the response or with the reason why there is none. */
  settle(outcome: HelperOutcome): void;
}

/** How an exchange ends. */
export type HelperOutcome = HelperResponse | HelperExchangeError;

/**
 * Why there is no response.
 *
 * | reason | connection |
 * |---|---|
 * | `closed` | the server ended it, or it was closed here |
 * | `protocol` | the server broke the protocol; closed |
 * | `timeout` | no answer in time; closed if the command was being exchanged |
 * | `aborted` | the signal gave the command up; closed if the command was being exchanged |
 * | `refused` | the operating system did not take the descriptor or the message (errno in `cause`); still good |
 * | `unreachable` | there is none, and the attempts to make one are used up |
 * | `busy` | too many commands are waiting; still good |
 */
export type HelperExchangeReason = "closed" | "protocol" | "timeout" | "aborted" | "refused" | "unreachable" | "busy";

/** What an exchange ends with when there is no response. */
export class HelperExchangeError extends QomError {
  readonly reason: HelperExchangeReason;
  /** Whether the server may have seen the request. Only if not may the command be sent again. */
  readonly sent: boolean;

  constructor(reason: HelperExchangeReason, sent: boolean, message: string, cause?: unknown) {
    super("connection", message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.sent = sent;
  }
}
