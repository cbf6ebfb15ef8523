/** `driver=file`: a regular file. It takes no SCSI commands, as in QEMU, so a passthrough device on it is refused. */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import type { ScsiUnit } from "../pr-manager/scsi-unit.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { qom } from "../qom/property-type.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import { Sense, senseResult } from "../scsi/sense.js";
import { NoScsi, type MediumInfo } from "./node.js";
import { ProtocolNode } from "./protocol-node.js";

/**
 * Opens a file of the host for a node.
 * @throws QomError `io` naming the file and the reason
 */
export async function openHostFile(filename: string, flags: number): Promise<FileHandle> {
  try {
    return await open(filename, flags);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    throw new QomError("io", `cannot open '${printable(filename)}': ${errnoOrMessage(error)}`, {
      context: { option: "filename", value: filename },
      cause: error,
    });
  }
}

/** See the module text. */
@qomType({ name: "file", description: "a regular file" })
export class FileNode extends ProtocolNode {
  @qomProperty(qom.string(), { description: "path of the file", required: true })
  accessor filename!: string;

  #handle: FileHandle | undefined;

  override readonly unit = new NoScsi("is a regular file, which takes no SCSI commands");

  override async complete(): Promise<void> {
    const handle = await openHostFile(this.filename, this.readOnly ? constants.O_RDONLY : constants.O_RDWR);
    try {
      const found = await handle.stat();
      if (!found.isFile()) {
        const context = { option: "filename", value: this.filename };
        throw new QomError("invalid-value", `'${printable(this.filename)}' is no regular file: driver 'file' needs one`, { context });
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
  }

  override async medium(): Promise<MediumInfo> {
    return { name: this.filename, sizeBytes: (await this.#handle?.stat())?.size ?? 0 };
  }

  override async finalize(): Promise<void> {
    await this.#handle?.close();
  }

  protected override passthrough(_unit: ScsiUnit, _command: ScsiCommand): Promise<ScsiResult> {
    return Promise.resolve(senseResult(Sense.IO_ERROR));
  }
}
