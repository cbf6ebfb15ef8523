/** `driver=file`: a regular file. It takes no SCSI commands, as in QEMU, so a passthrough device on it is refused. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import type { ImageAccess, Locking } from "../base/image-access.js";
import { ImageLock } from "../native/file/image-lock.js";
import { HOST_FILE_INERT } from "../qemu/block.js";
import { inert } from "../qemu/inert.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { qom } from "../qom/property-type.js";
import { NoScsi } from "./node.js";
import type { MediumInfo } from "./node.js";
import { LOCKING, ProtocolNode } from "./protocol-node.js";

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
@inert(HOST_FILE_INERT)
export class FileNode extends ProtocolNode {
  @qomProperty(qom.string(), { description: "path of the file", required: true })
  accessor filename!: string;

  @qomProperty(LOCKING, { description: "locks on the file, as QEMU's: auto (where the system has them), on or off" })
  accessor locking: Locking | undefined;

  readonly #machine: MachineContext;
  #handle: FileHandle | undefined;
  #lock: ImageLock | undefined;

  override readonly unit = new NoScsi("is a regular file, which takes no SCSI commands");

  constructor(@inject(MachineContext) machine: MachineContext) {
    super();
    this.#machine = machine;
  }

  override async complete(): Promise<void> {
    const handle = await this.openWith((readOnly) => openHostFile(this.filename, readOnly ? constants.O_RDONLY : constants.O_RDWR));
    try {
      const found = await handle.stat();
      if (!found.isFile()) {
        const context = { option: "filename", value: this.filename };
        throw new QomError("invalid-value", `'${printable(this.filename)}' is not a regular file: driver 'file' needs one`, { context });
      }
      const { filename, locking = "auto" } = this;
      this.#lock = new ImageLock({ fd: handle.fd, filename, locking, warn: (line) => this.#machine.warn(line) });
      // No device ever uses the node, so that it is its image's user itself, and shares the writing only if it does none.
      this.useImage({ writes: !this.isReadOnly, sharesWrites: this.isReadOnly });
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
  }

  override async medium(): Promise<MediumInfo> {
    return { name: this.filename, sizeBytes: (await this.#handle?.stat())?.size ?? 0, specificKind: "file" };
  }

  override async finalize(): Promise<void> {
    this.#lock?.end();
    await this.#handle?.close();
  }

  protected override claimImage(access: ImageAccess): () => void {
    return this.#lock?.claim(access) ?? super.claimImage(access);
  }
}
