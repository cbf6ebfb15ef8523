/** `pr-manager-memory`: the reservation rules of SPC-4 in this process. */
import { PrManager } from "../pr-manager/pr-manager.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { qom } from "../qom/property-type.js";
import type { ScsiCommand, ScsiResult } from "../scsi/command.js";
import type { Nexus } from "../scsi/nexus.js";
import { Sense, senseResult } from "../scsi/sense.js";
import type { ScsiUnit } from "../scsi/unit.js";
import { defaultInitiator } from "../scsi/default-initiator.js";
import type { Fabric } from "../target/fabric/fabric.js";
import { FABRIC_LINK } from "../target/fabric/scsi-fabric.js";
import type { ScsiFabric } from "../target/fabric/scsi-fabric.js";

/** Every disk that the simulation does not own is reached through this target port. */
const SHADOW_TARGET_PORT = 1;

/**
 * Keeps reservations in the fabric. On a simulated unit these are the unit's own, which it enforces on every command. For a real
 * disk or file the fabric keeps a shadow unit by the identity of what the descriptor refers to: keys and reservations can be
 * read and changed, and they guard no I/O, since none passes here.
 */
@qomType({ name: "pr-manager-memory", description: "executes the SPC-4 reservation rules in this process" })
export class PrManagerMemory extends PrManager {
  @qomProperty(qom.link<ScsiFabric>(FABRIC_LINK), {
    description: "id of the storage network that keeps reservations of units that are not simulated (the machine's own)",
  })
  accessor fabric: ScsiFabric | undefined;

  readonly #machine: MachineContext;
  /** The machine is one host to the disks that it shares with others: one initiator, unless the unit knows better. */
  readonly #host: Nexus;

  constructor(@inject(MachineContext) machine: MachineContext) {
    super();
    this.#machine = machine;
    this.#host = { initiator: defaultInitiator(machine.name, "host"), targetPort: SHADOW_TARGET_PORT };
  }

  override complete(): void {
    this.#machine.joins(this.#home());
  }

  // async although nothing is awaited: what is thrown inside becomes a rejection
  protected override async run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    if (unit.keepsReservations === true) return unit.sgio(command);
    const fabric = this.#home();
    const nexus = unit.nexus ?? this.#host;
    const { account } = unit;
    if (account === undefined) return fabric.shadow(unit.identity).executeChecked(nexus, command);
    const shadow = fabric.shadowFor(unit.identity, account);
    return shadow?.executeChecked(nexus, command, { account }) ?? senseResult(Sense.INSUFFICIENT_REGISTRATION_RESOURCES);
  }

  override nexusGone(nexus: Nexus): void {
    this.#home().forgetNexus(nexus);
  }

  #home(): Fabric {
    return this.fabric?.fabric ?? this.#machine.fabric;
  }
}
