/** `driver=host_device`: a disk of this host, by its block or character device (QEMU: block/file-posix.c, bdrv_host_device). */
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { present } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { splitDeviceNumber } from "../base/device-number.js";
import { errnoText } from "../native/errno.js";
import type { ImageAccess, Locking } from "../base/image-access.js";
import { ImageLock } from "../native/file/image-lock.js";
import { SgIoExecutor } from "../native/sg-io/sg-io.js";
import { HostUnit } from "../host/host-unit.js";
import { readHostMedium, readHostTraits } from "../host/traits.js";
import type { DeviceFile } from "../host/traits.js";
import { HOST_FILE_INERT } from "../qemu/block.js";
import { inert } from "../qemu/inert.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { qom } from "../qom/property-type.js";
import { formatFailure } from "../scsi/sense.js";
import { IO_TIMEOUT_MS_DEFAULT } from "../scsi/unit.js";
import { openHostFile } from "./file.js";
import { NoScsi } from "./node.js";
import type { MediumInfo } from "./node.js";
import { LOCKING, ProtocolNode } from "./protocol-node.js";

/** Oldest SG_IO interface that has the version 3 header (scsi/sg.h). */
const SG_VERSION_MIN = 30000;

/** See the module text. */
@qomType({ name: "host_device", description: "a disk of this host by its device node" })
@inert(HOST_FILE_INERT)
export class HostDeviceNode extends ProtocolNode {
  @qomProperty(qom.string(), { description: "path of the block or character device", required: true })
  accessor filename!: string;

  @qomProperty(LOCKING, { description: "locks on the device's node, as QEMU's: auto (where the system has them), on or off" })
  accessor locking: Locking | undefined;

  readonly #sgIo: SgIoExecutor;
  readonly #machine: MachineContext;
  #handle: FileHandle | undefined;
  #lock: ImageLock | undefined;
  #unit: HostUnit | NoScsi | undefined;
  #device: DeviceFile | undefined;

  constructor(@inject(SgIoExecutor) sgIo: SgIoExecutor, @inject(MachineContext) machine: MachineContext) {
    super();
    this.#sgIo = sgIo;
    this.#machine = machine;
  }

  override get unit(): HostUnit | NoScsi {
    return present(this.#unit, "a completed host_device node has a unit");
  }

  override async complete(): Promise<void> {
    // Without O_NONBLOCK the open of a drive without medium, or of an sg node in exclusive use, would wait.
    const handle = await this.openWith((readOnly) =>
      openHostFile(this.filename, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK),
    );
    try {
      this.#handle = handle;
      this.#unit = await this.#inspect(handle);
      const { filename, locking = "auto" } = this;
      this.#lock = new ImageLock({ fd: handle.fd, filename, locking, warn: (line) => this.#machine.warn(line) });
      this.admitUnit();
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  override async medium(): Promise<MediumInfo> {
    const medium = this.#device === undefined ? { sizeBytes: 0 } : await readHostMedium(this.#device);
    return { name: this.filename, ...medium, specificKind: "file" };
  }

  override async finalize(): Promise<void> {
    this.#lock?.end();
    await this.#handle?.close();
  }

  protected override claimImage(access: ImageAccess): () => void {
    return this.#lock?.claim(access) ?? super.claimImage(access);
  }

  async #inspect(handle: FileHandle): Promise<HostUnit | NoScsi> {
    const found = await handle.stat();
    if (!found.isBlockDevice() && !found.isCharacterDevice()) {
      const context = { option: "filename", value: this.filename };
      throw new QomError(
        "invalid-value",
        `'${printable(this.filename)}' is not a block or character device: driver 'host_device' needs one`,
        {
          context,
        },
      );
    }
    const kind = found.isBlockDevice() ? "block" : "character";
    this.#device = { kind, rdev: found.rdev };
    const version = await this.#sgIo.sgVersion(handle.fd);
    if (version.errno !== undefined) return new NoScsi(`('${printable(this.filename)}') does not take SG_IO: ${errnoText(version.errno)}`);
    if (version.version < SG_VERSION_MIN) return new NoScsi(`('${printable(this.filename)}') has an SG_IO interface that is too old`);
    const unit = await HostUnit.open(handle.fd, {
      file: { kind, ...splitDeviceNumber(found.rdev) },
      readOnly: this.isReadOnly,
      sgIo: this.#sgIo,
      timeoutMs: IO_TIMEOUT_MS_DEFAULT,
      hostTraits: await readHostTraits(this.#device),
      warn: (line) => this.#machine.warn(line),
    });
    if (unit instanceof HostUnit) return unit;
    return new NoScsi(`('${printable(this.filename)}') does not answer INQUIRY: ${formatFailure(unit.result)}`);
  }
}
