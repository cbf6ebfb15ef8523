/** The commands of a device server by operation code and service action. */

import { assert, present } from "../../base/assert.js";
import { fromHex } from "../../scsi/bytes.js";
import { serviceActionOf } from "../../scsi/cdb.js";
import type { DeviceCommand, SupportedCommand, SupportedCommands } from "./device-command.js";

type Row = SupportedCommand | ReadonlyMap<number, SupportedCommand>;

function isSupportedCommand(row: Row): row is SupportedCommand {
  return "opcode" in row;
}

/** Which command a CDB is. */
export class CommandTable implements SupportedCommands {
  readonly #rows: readonly (Row | undefined)[];
  readonly commands: readonly SupportedCommand[];

  constructor(commands: readonly DeviceCommand[]) {
    this.commands = commands.map(withUsageMap).toSorted((a, b) => a.opcode - b.opcode || (a.serviceAction ?? 0) - (b.serviceAction ?? 0));
    const rows: (SupportedCommand | Map<number, SupportedCommand> | undefined)[] = Array.from({ length: 0x100 });
    for (const command of this.commands) {
      const row = rows[command.opcode];
      if (command.serviceAction === undefined) {
        assert(row === undefined, `operation code ${command.opcode} is one command`);
        rows[command.opcode] = command;
      } else {
        const actions = row ?? new Map<number, SupportedCommand>();
        assert(actions instanceof Map && !actions.has(command.serviceAction), `service actions of ${command.opcode} differ`);
        rows[command.opcode] = actions.set(command.serviceAction, command);
      }
    }
    this.#rows = rows;
  }

  find(opcode: number, serviceAction: number): SupportedCommand | null {
    const row = this.#rows[opcode];
    if (row === undefined) return null;
    return isSupportedCommand(row) ? row : (row.get(serviceAction) ?? null);
  }

  /** The command that `cdb` asks for, or null. */
  ofCdb(cdb: Uint8Array): SupportedCommand | null {
    return this.find(cdb[0] ?? 0, serviceActionOf(cdb));
  }

  hasServiceActions(opcode: number): boolean {
    const row = this.#rows[opcode];
    return row !== undefined && (!isSupportedCommand(row) || row.serviceActions !== undefined);
  }
}

function withUsageMap(command: DeviceCommand): SupportedCommand {
  const usageMap = present(fromHex(command.usage.replaceAll(" ", "")), `usage map '${command.usage}' is hexadecimal`);
  assert(usageMap[0] === command.opcode, `usage map '${command.usage}' begins with its operation code`);
  return { ...command, usageMap, cdbLength: usageMap.length };
}
