/** A unit with reservations in a folder, and what can be said of it in the words of the model. */
import { Fabric } from "#src/target/fabric/fabric.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import type { ScsiResult } from "#src/scsi/command.js";
import { parseSense } from "#src/scsi/sense.js";
import type { Model, ModelCommand } from "../../reservation/support/model.js";
import { initiatorName, NEXUSES, nexusOf, toScsi, WWN } from "./reservation-stream.js";

/** What survives power loss, as plain values that can be compared. */
export interface Survivors {
  readonly aptpl: boolean;
  readonly registrations: readonly { readonly nexus: string; readonly key: number }[];
  readonly reservation: { readonly type: number; readonly holder: string } | null;
}

/** The state that a unit begins with when nothing was saved. */
export const NOTHING: Survivors = { aptpl: false, registrations: [], reservation: null };

/** A unit of a fabric of its own. */
export class DurableUnit {
  private constructor(
    readonly fabric: Fabric,
    readonly unit: LogicalUnit,
  ) {}

  /** Opens the folder; all nexuses are logged in. */
  static async open(stateDir: string): Promise<DurableUnit> {
    const fabric = await Fabric.open({ stateDir });
    const unit = await fabric.attach({ wwn: WWN, sizeBytes: 4096 });
    for (const nexus of NEXUSES) unit.login(nexusOf(nexus));
    return new DurableUnit(fabric, unit);
  }

  /** The key of a nexus at this moment. */
  keyOf(nexus: string): number | undefined {
    const { initiator, targetPort } = { initiator: initiatorName(nexus.slice(0, 1)), targetPort: Number(nexus.slice(1)) };
    const found = this.unit.reservations.registrants.find((each) => each.initiator === initiator && each.targetPort === targetPort);
    return found === undefined ? undefined : Number(found.key);
  }

  /** Executes a command, again while a unit attention is in its way; the answer as the model says it, `06/29/00` for others. */
  async send(command: ModelCommand): Promise<string> {
    for (;;) {
      const answer = inWords(await this.unit.execute(nexusOf(command.nexus), toScsi(command)));
      if (!answer.startsWith("06/")) return answer;
    }
  }

  /** What would survive. */
  async survivors(): Promise<Survivors> {
    const { registrants, reservation } = this.unit.reservations;
    const nexusName = (initiator: string, port: number): string => `${initiator.slice(-1).toUpperCase()}${port}`;
    return {
      aptpl: (await this.capabilities()).persistThroughPowerLossActive,
      registrations: registrants.map(({ initiator, targetPort, key }) => ({ nexus: nexusName(initiator, targetPort), key: Number(key) })),
      reservation:
        reservation === null
          ? null
          : {
              type: reservation.type,
              holder: reservation.holder === null ? "all" : nexusName(reservation.holder.initiator, reservation.holder.targetPort),
            },
    };
  }

  /** What REPORT CAPABILITIES says of APTPL: supported, and on. */
  async capabilities(): Promise<{ readonly persistThroughPowerLoss: boolean; readonly persistThroughPowerLossActive: boolean }> {
    const result = await this.unit.execute(nexusOf("A1"), PersistentReserveIn.reportCapabilities(8));
    const { persistThroughPowerLoss, persistThroughPowerLossActive } = PersistentReserveIn.parse("report-capabilities", result.dataIn);
    return { persistThroughPowerLoss, persistThroughPowerLossActive };
  }
}

/** What a power loss leaves of the model's state. */
export function survivorsOf(model: Model): Survivors {
  if (!model.aptpl) return NOTHING;
  const { registrations, reservation } = model;
  return {
    aptpl: true,
    registrations: registrations.map(({ nexus, key }) => ({ nexus, key })),
    reservation: reservation === null ? null : { type: reservation.type, holder: reservation.type >= 7 ? "all" : reservation.holder },
  };
}

function inWords(result: ScsiResult): string {
  if (result.status === 0x00) return "GOOD";
  if (result.status === 0x18) return "RC";
  const sense = parseSense(result.sense);
  if (sense === null) return `status ${result.status}`;
  const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, "0");
  return `${sense.key === 5 ? "" : `${hex(sense.key)}/`}${hex(sense.asc)}/${hex(sense.ascq)}`;
}
