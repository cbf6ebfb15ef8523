/** Who runs the PERSISTENT RESERVE commands of `persist`. */
import type { Clock } from "../../base/clock.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiUnit } from "../../scsi/unit.js";

/** A PR manager, made for one command. */
export interface DiskManager {
  /** It sends commands by SG_IO from this process. */
  readonly sendsItself: boolean;
  /** What it has to say, a line each. */
  readonly warnings: readonly string[];
  /** @throws QomError for a unit that it cannot serve */
  admit(unit: ScsiUnit): void;
  execute(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult>;
  /** What the user should know once a command that changes something has succeeded, a line each. */
  notesAfter(unit: ScsiUnit): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What a manager is made of. */
export interface ManagerOptions {
  /** Text of -object without id; undefined for the default. */
  readonly manager: string | undefined;
  /** Texts of -object. */
  readonly objects: readonly string[];
  /** `-name` of the machine that the manager lives in. */
  readonly name: string | undefined;
  readonly clock: Clock;
  /** How long a state folder that another command has is waited for, in milliseconds. */
  readonly folderWaitMs: number;
}

/** A manager's text, and the id that is in it. */
export interface NamedManager {
  readonly id: string;
  readonly text: string;
}
