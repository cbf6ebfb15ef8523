import { systemClock } from "#src/base/clock.js";
import { memoryStore } from "#src/stores/memory.js";
import { defaultBehaviour } from "#src/target/behaviour.js";
import { diskCommands } from "#src/target/commands/tables.js";
import type { Medium } from "#src/target/medium/medium.js";
import { LogicalUnit } from "#src/target/unit/logical-unit.js";

/** A disk with blocks of 512 bytes on that medium, whose file has the name given; no fabric and no machine around it. */
export function unitOn(medium: Medium, wwn: string, filename: string): LogicalUnit {
  return new LogicalUnit({
    definition: {
      wwn,
      sizeBytes: medium.sizeBytes,
      filename,
      blockSizeBytes: 512,
      physicalBlockSizeBytes: 512,
      serial: "1",
      writeProtected: false,
      thinProvisioned: true,
    },
    medium,
    commands: diskCommands(true),
    behaviour: defaultBehaviour,
    store: memoryStore,
    storeName: wwn,
    clock: systemClock,
  });
}
