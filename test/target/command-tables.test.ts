/** Each command of a simulated unit has its row in the table of names and data (src/scsi/cdb-table.ts), and both say the same of its CDB. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import { toHex } from "#src/scsi/bytes.js";
import { blockAccess, cdbLengthOf, expectedTransfer, Opcode } from "#src/scsi/cdb.js";
import { COMMANDS } from "#src/scsi/cdb-table.js";
import type { CommandRow } from "#src/scsi/cdb-table.js";
import { PR_IN, PR_OUT } from "#src/scsi/persistent-reserve.js";
import { diskCommands, shadowCommands } from "#src/target/commands/tables.js";
import type { SupportedCommand } from "#src/target/unit/device-command.js";

const BLOCK = 512;

const TABLES = {
  "a thin disk": diskCommands(true),
  "a full disk": diskCommands(false),
  "a thin disk without reservations": diskCommands(true, false),
  "a full disk without reservations": diskCommands(false, false),
  "a shadow": shadowCommands(true),
  "a shadow without reservations": shadowCommands(false),
};

/** Operation codes whose parameter list is for what the target does without: SPC-2 has it only for third parties with long identifiers. */
const WITHOUT_THEIR_LISTS: readonly number[] = [Opcode.RESERVE_10, Opcode.RELEASE_10];

/** The row of exactly that operation code and service action. */
function rowOf({ opcode, serviceAction }: SupportedCommand): CommandRow | undefined {
  return COMMANDS.find((row) => row.opcode === opcode && row.serviceAction === (serviceAction ?? null));
}

function nameOf(command: SupportedCommand): string {
  return rowOf(command)?.name ?? toHex(command.usageMap);
}

/** CDBs with all bits of the usage map set: one with all its flags in byte 1, one with none. */
function fullCdbs({ usageMap, serviceAction }: SupportedCommand): readonly Uint8Array[] {
  const [, used = 0] = usageMap;
  const flags = serviceAction === undefined ? used : (used & 0xe0) | serviceAction;
  return [flags, serviceAction ?? 0].map((second) => usageMap.map((byte, index) => (index === 1 ? second : byte)));
}

/** What the table of names makes of a CDB, as far as the target goes by it. */
function meaning(cdb: Uint8Array): unknown {
  const transfer = WITHOUT_THEIR_LISTS.includes(cdb[0] ?? 0) ? null : expectedTransfer(cdb, BLOCK);
  return { access: blockAccess(cdb), transfer };
}

/** The CDBs that differ from `cdb` in one bit which the usage map says is not looked at. */
function disturbed(cdb: Uint8Array, usageMap: Uint8Array): readonly Uint8Array[] {
  const bits = Array.from({ length: 8 * cdb.length }, (_, bit) => ({ at: bit >> 3, mask: 1 << (bit & 7) }));
  const unused = bits.filter(({ at, mask }) => at > 0 && ((usageMap[at] ?? 0) & mask) === 0);
  return unused.map(({ at, mask }) => cdb.map((byte, index) => (index === at ? byte ^ mask : byte)));
}

describe("the commands of simulated units", () => {
  for (const [unit, { commands }] of Object.entries(TABLES)) {
    it(`have rows among the names, one by one: ${unit}`, () => {
      for (const command of commands) {
        const { opcode, serviceAction } = command;
        const hasActions = COMMANDS.some((row) => row.opcode === opcode && row.serviceAction !== null);
        expect(rowOf(command), toHex(command.usageMap)).not.to.equal(undefined);
        expect(serviceAction !== undefined, `${nameOf(command)} has its service action`).to.equal(hasActions);
      }
      expect(new Set(commands.map(nameOf)).size).to.equal(commands.length);
    });

    it(`have operation codes of Opcode or of persistent reservations: ${unit}`, () => {
      const known: readonly number[] = [...Object.values(Opcode), PR_IN, PR_OUT];
      for (const command of commands) expect(known, nameOf(command)).to.include(command.opcode);
    });

    it(`have CDBs as long as their group's: ${unit}`, () => {
      for (const command of commands) expect(command.cdbLength, nameOf(command)).to.equal(cdbLengthOf(command.opcode));
    });

    it(`need the medium when they address blocks: ${unit}`, () => {
      for (const command of commands) if (rowOf(command)?.access) expect(command.needsMedium, nameOf(command)).to.equal(true);
    });

    it(`look at each bit of their CDBs that says how much data there is, and which blocks: ${unit}`, () => {
      for (const command of commands) {
        for (const cdb of fullCdbs(command)) {
          const others = disturbed(cdb, command.usageMap).filter((other) => !isDeepStrictEqual(meaning(other), meaning(cdb)));
          expect(others.map(toHex), `${nameOf(command)} ${toHex(cdb)}`).to.deep.equal([]);
        }
      }
    });
  }
});
