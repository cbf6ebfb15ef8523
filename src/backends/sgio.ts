/** `pr-manager-sgio`: sends the command itself by `ioctl(SG_IO)`. */
import { PrManager } from "../pr-manager/pr-manager.js";
import { qomType } from "../qom/decorators.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import type { ScsiUnit } from "../scsi/unit.js";

/** For an emulator that has CAP_SYS_RAWIO, and inside the helper. */
@qomType({
  name: "pr-manager-sgio",
  description: "sends PERSISTENT RESERVE commands by SG_IO from this process, which needs CAP_SYS_RAWIO",
})
export class PrManagerSgio extends PrManager {
  protected override run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return unit.sgio(command);
  }
}
