/** What QEMU's schema says of the commands and events that this library has too: monitor/qapi.VERSION.json. */
import { allCommands } from "#src/monitor/commands/all.js";
import { eventSchemas } from "#src/monitor/event-schemas.js";
import { QapiSchema } from "../../support/qapi-schema.js";
import type { Entity } from "../../support/qapi-schema.js";
import type { QemuVersion } from "#src/qemu/compat.js";
import { QemuRecord } from "../../support/qemu-record.js";

/** Commands and events, without those beyond QEMU's. */
export const NAMES: readonly string[] = [...allCommands().map(({ name }) => name), ...Object.keys(eventSchemas())].filter(
  (name) => !/^x[-_]/i.test(name),
);

/** Entities by name. */
export const schemaRecord = new QemuRecord<Entity>("monitor/qapi");

/** The schema of that version, as far as it was recorded. */
export function recordedSchema(version: QemuVersion): QapiSchema {
  return new QapiSchema([...schemaRecord.read(version).values()]);
}
