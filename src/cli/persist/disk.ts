/** What `persist` talks to, however it gets there. */
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { PersistRequest } from "./request.js";

/** A result, and the operating system's error number where the way to the device failed in this process. */
export interface DiskAnswer {
  readonly result: ScsiResult;
  /** A positive error number. */
  readonly errno?: number;
}

/** A disk that takes one PERSISTENT RESERVE command. */
export interface PersistDisk {
  /** False for what only the PR manager knows as a disk: a regular file. */
  readonly takesInquiry: boolean;
  /** Runs a command: PERSISTENT RESERVE IN and OUT by the PR manager, INQUIRY on the device. */
  execute(command: ScsiCommand): Promise<DiskAnswer>;
  /** What the user should know before `request` is sent, a line each. */
  notesBefore(request: PersistRequest): readonly string[];
  /** What the user should know once it has succeeded, a line each. */
  notesAfter(request: PersistRequest): Promise<readonly string[]>;
  /** Warnings, a line each; complete when the disk is closed. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}
