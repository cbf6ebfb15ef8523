/** `scsi-generic`: every command goes to the device as it is (QEMU: hw/scsi/scsi-generic.c). */
import { qomType } from "../../qom/decorators.js";
import { ScsiDevice } from "./scsi-device.js";

/** See the module text. */
@qomType({ name: "scsi-generic", description: "passes every SCSI command of a device on" })
export class ScsiGeneric extends ScsiDevice {
  protected override async probe(): Promise<void> {
    if (this.unit.geometry() === null) await this.probeHostDisk();
  }
}
