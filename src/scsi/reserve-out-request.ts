/** What a PERSISTENT RESERVE OUT says, apart from its bytes: see persistent-reserve-out.ts for those. */

import type { ReserveOutAction } from "./persistent-reserve.js";
import type { FieldPointer, SenseCode } from "./sense.js";
import type { TransportId } from "./transport-id.js";

/** What goes into a command. Everything left out is zero. */
export interface ReserveOutRequest {
  readonly action: ReserveOutAction;
  /** RESERVATION KEY: the key this nexus is registered with. */
  readonly key?: bigint;
  /** SERVICE ACTION RESERVATION KEY: the new key, or the key to preempt. */
  readonly serviceActionKey?: bigint;
  /** TYPE, 0 to 15; not limited to the valid ones, so that a device's answer to others can be tried. */
  readonly type?: number;
  /** SCOPE, 0 to 15; likewise. */
  readonly scope?: number;
  /** APTPL: keep registrations and reservation through power loss. */
  readonly aptpl?: boolean;
  /** ALL_TG_PT: register through every target port. */
  readonly allTargetPorts?: boolean;
  /**
   * Further initiator ports to register: sets SPEC_I_PT unless empty. For `register-and-move` exactly one, the destination.
   */
  readonly transportIds?: readonly TransportId[];
  /** UNREG of `register-and-move`: this nexus gives up its registration. */
  readonly unregister?: boolean;
  /** RELATIVE TARGET PORT IDENTIFIER of `register-and-move`: the destination's target port. */
  readonly relativeTargetPort?: number;
}

/** Members every decoded command has. */
interface ReserveOutFields {
  readonly action: ReserveOutAction;
  /** SERVICE ACTION as a number. */
  readonly serviceAction: number;
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  /** SCOPE, 0 to 15; not judged by the decoder, since some service actions ignore it. */
  readonly scope: number;
  /** TYPE, 0 to 15; not judged by the decoder either. */
  readonly type: number;
  /** APTPL; false for the service actions that ignore the bit. */
  readonly aptpl: boolean;
}

/** A decoded command with the basic parameter list. */
export interface ReserveOutBasic extends ReserveOutFields {
  readonly action: Exclude<ReserveOutAction, "register-and-move">;
  /** ALL_TG_PT; false for the service actions that ignore the bit. */
  readonly allTargetPorts: boolean;
  /**
   * The initiator ports of a REGISTER with SPEC_I_PT=1, in their order and none twice; null when SPEC_I_PT=0. Empty also when
   * the new key is 0: then nothing is registered, and the list is not looked at.
   */
  readonly transportIds: readonly TransportId[] | null;
}

/** A decoded REGISTER AND MOVE. */
export interface ReserveOutMove extends ReserveOutFields {
  readonly action: "register-and-move";
  readonly unregister: boolean;
  readonly relativeTargetPort: number;
  readonly transportId: TransportId;
}

/** A decoded PERSISTENT RESERVE OUT; `action` tells the two layouts apart. */
export type ReserveOutCommand = ReserveOutBasic | ReserveOutMove;

/** Why a command is not processed: sense for the CHECK CONDITION, and a line for people. */
export interface ReserveOutProblem {
  readonly sense: SenseCode;
  readonly fieldPointer: FieldPointer;
  readonly message: string;
}

/** What decoding gives: exactly one of the two members. */
export type ReserveOutParsed =
  { readonly command: ReserveOutCommand; readonly problem?: never } | { readonly problem: ReserveOutProblem; readonly command?: never };

/** What the device server can do, as it says in REPORT CAPABILITIES: decides which bits of a parameter list are errors. */
export interface ReserveOutSettings {
  /** SIP_C: SPEC_I_PT is supported. Default true. */
  readonly specifyInitiatorPorts?: boolean;
  /** ATP_C: ALL_TG_PT is supported. Default true. */
  readonly allTargetPorts?: boolean;
  /** PTPL_C: APTPL is supported. Default true. */
  readonly persistThroughPowerLoss?: boolean;
  /** RLR_C: REPLACE LOST RESERVATION is supported. Default false. */
  readonly replaceLostReservation?: boolean;
  /** Longest parameter list in bytes. Default RESERVE_OUT_LENGTH_MAX. */
  readonly lengthMax?: number;
}
