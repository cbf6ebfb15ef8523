/** A simulated disk and its initiators, for the tests of this folder. */

import { Fabric } from "#src/target/fabric/fabric.js";
import type { FabricOptions } from "#src/target/fabric/fabric-options.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import type { UnitSpec } from "#src/target/unit/unit-spec.js";
import type { ScsiCommand, ScsiResult } from "#src/scsi/command.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "#src/scsi/reserve-out-request.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { bytes } from "../support/hex.js";
import { outcome } from "../support/outcome.js";

/** Name of the unit that {@link disk} makes. */
export const WWN = "naa.5000000000000001";

/** `A1` is initiator A through target port 1. */
export function nexus(name: string): Nexus {
  const isid = name.charCodeAt(0).toString(16).padStart(12, "0");
  return {
    initiator: TransportId.parse(`iqn.2026-11.org.example:${name.charAt(0).toLowerCase()},i,0x${isid}`),
    targetPort: Number(name.slice(1)),
  };
}

/** What else than its CDB a command has. */
export type CommandRest = Omit<ScsiCommand, "cdb">;

/** A command from hexadecimal text. */
export function command(cdb: string, rest: CommandRest = {}): ScsiCommand {
  return { cdb: bytes(cdb), ...rest };
}

/** One unit and who uses it. */
export class Disk {
  readonly nexuses = { A: nexus("A1"), B: nexus("B1"), C: nexus("C1"), A2: nexus("A2") } as const;

  constructor(
    readonly fabric: Fabric,
    readonly unit: LogicalUnit,
  ) {}

  /** The result of a command given as hexadecimal text. */
  async send(from: keyof Disk["nexuses"], cdb: string, rest: CommandRest = {}): Promise<ScsiResult> {
    return this.unit.execute(this.nexuses[from], command(cdb, rest));
  }

  /** Its {@link outcome}. */
  async try(from: keyof Disk["nexuses"], cdb: string, rest: CommandRest = {}): Promise<string> {
    return outcome(await this.send(from, cdb, rest));
  }

  /** The outcome of a PERSISTENT RESERVE OUT. */
  async reserveOut(from: keyof Disk["nexuses"], request: ReserveOutRequest): Promise<string> {
    return outcome(await this.unit.execute(this.nexuses[from], PersistentReserveOut.encode(request)));
  }

  /** Registers the nexuses with the keys 1 (A), 2 (B), 3 (C), 4 (A2). */
  async register(...names: readonly (keyof Disk["nexuses"])[]): Promise<void> {
    for (const name of names) {
      const status = await this.reserveOut(name, { action: "register", serviceActionKey: KEYS[name] });
      if (status !== "GOOD") throw new Error(`REGISTER of ${name} ended with ${status}`);
    }
  }
}

/** Keys that {@link Disk.register} uses. */
export const KEYS = { A: 1n, B: 2n, C: 3n, A2: 4n } as const;

/** A fabric with one unit of 1 MiB unless told otherwise, on which A1, B1, C1 and A2 are logged in. */
export async function disk(spec: Partial<UnitSpec> = {}, options: FabricOptions = {}): Promise<Disk> {
  const fabric = new Fabric(options);
  const size = spec.filename === undefined ? { sizeBytes: 1024 * 1024 } : {};
  const made = new Disk(fabric, await fabric.attach({ wwn: WWN, ...size, ...spec }));
  for (const each of Object.values(made.nexuses)) made.unit.login(each);
  return made;
}

/** `count` blocks of 512 bytes, all of them `fill`. */
export function blocks(count: number, fill: number): Uint8Array {
  return new Uint8Array(512 * count).fill(fill);
}
