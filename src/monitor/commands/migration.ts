/** x-migrate-reservations: what `device.migration` does, for emulators that are driven over QMP. QEMU has it in its stream. */
import * as z from "zod";
import { QomError } from "../../base/errors.js";
import type { ReservationMigration } from "../../devices/disk/migration.js";
import { STREAM_LENGTH_MAX } from "../../scsi/migration-stream.js";
import { defineCommand } from "../command.js";
import type { QmpCommand } from "../command.js";
import { bytesOf, digitsOf, scsiDevice } from "./scsi.js";

const migrateReservations = defineCommand({
  name: "x-migrate-reservations",
  arguments: () =>
    z.strictObject({
      device: z.string(),
      action: z.enum(["save", "restore", "reclaim", "forget"]),
      state: z.string().optional(),
      attentions: z.boolean().optional(),
    }),
  result: () =>
    z.strictObject({
      state: z.string().optional(),
      taken: z.enum(["reservation", "registration", "nothing"]).optional(),
      warnings: z.array(z.string()).optional(),
    }),
  run: async ({ action, attentions, device, state }, { host }) => {
    const { migration } = scsiDevice(host, device);
    if (attentions !== undefined && action !== "save") throw misplaced("attentions", action);
    if (state !== undefined && action !== "restore") throw misplaced("state", action);
    switch (action) {
      case "save": {
        const saved = migration.save({ attentions: attentions ?? false });
        return saved === null ? {} : { state: digitsOf(saved) };
      }
      case "restore":
        if (state === undefined) throw new QomError("missing", "parameter 'state' is missing", { context: { option: "state" } });
        return answer(migration.restore(bytesOf("state", state, STREAM_LENGTH_MAX)));
      case "reclaim":
        return answer(migration.reclaim());
      case "forget":
        migration.forget();
        return {};
    }
  },
});

function misplaced(option: string, action: string): QomError {
  return new QomError("invalid-value", `parameter '${option}' does not go with action '${action}'`, { context: { option } });
}

async function answer(
  moving: ReturnType<ReservationMigration["reclaim"]>,
): Promise<{ taken: Awaited<typeof moving>["taken"]; warnings: string[] }> {
  const { taken, warnings } = await moving;
  return { taken, warnings: [...warnings] };
}

/** See the file text. */
export const MIGRATION_COMMANDS: readonly QmpCommand[] = [migrateReservations];
