/** `driver=sim-lun`: one initiator's path to a logical unit of the simulated storage network. */
import { assert } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import type { ImageAccess, Locking } from "../base/image-access.js";
import { HOST_FILE_INERT } from "../qemu/block.js";
import { inert } from "../qemu/inert.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { inject } from "../qom/inject.js";
import { qom } from "../qom/property-type.js";
import type { Nexus } from "../scsi/nexus.js";
import { TransportId } from "../scsi/transport-id.js";
import { defaultInitiator } from "../scsi/default-initiator.js";
import type { LogicalUnit } from "../target/unit/logical-unit.js";
import { SimulatedUnit } from "../target/unit/simulated-unit.js";
import { normalizeWwn, requireBlockSize, requireSerial } from "../target/unit/unit-spec.js";
import type { UnitSpec } from "../target/unit/unit-spec.js";
import { FABRIC_LINK } from "../target/fabric/scsi-fabric.js";
import type { Medium } from "../target/medium/medium.js";
import type { ScsiFabric } from "../target/fabric/scsi-fabric.js";
import type { MediumInfo } from "./node.js";
import { LOCKING, ProtocolNode } from "./protocol-node.js";

/** Relative target port identifiers are 1 to 65,535 (SPC-4 7.8.5). */
const TARGET_PORT_MAX = 0xffff;

/** Offsets into a medium are numbers, which are exact up to here. */
const MEDIUM_SIZE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** See the module text. Nodes with the same `wwn` on the same fabric reach the same unit. */
@qomType({ name: "sim-lun", description: "a path to a logical unit of the simulated storage network" })
@inert(HOST_FILE_INERT)
export class SimLunNode extends ProtocolNode {
  @qomProperty(qom.string(), {
    description: "name of the unit, naa.<16 or 32 hexadecimal digits>, or as lsblk and multipath print it",
    required: true,
    check: (value) => void normalizeWwn(value),
  })
  accessor wwn!: string;

  @qomProperty(qom.link<ScsiFabric>(FABRIC_LINK), { description: "id of the storage network of the unit (the machine's own)" })
  accessor fabric: ScsiFabric | undefined;

  @qomProperty(qom.size({ min: 1n, max: MEDIUM_SIZE_MAX }), {
    description: "size of the unit's medium (64M unless a file or an earlier node sets it)",
  })
  accessor size: bigint | undefined;

  @qomProperty(qom.string(), { description: "file that holds the medium, created if it does not exist; its descriptor is lent to helpers" })
  accessor filename: string | undefined;

  @qomProperty(LOCKING, { description: "locks on the file, as QEMU's: auto (where the system has them), on or off" })
  accessor locking: Locking | undefined;

  @qomProperty(qom.size({ max: MEDIUM_SIZE_MAX }), {
    name: "block-size",
    description: "logical block length: 512, 1024, 2048 or 4096 (512)",
    check: (value) => requireBlockSize(Number(value)),
  })
  accessor blockSize: bigint | undefined;

  @qomProperty(qom.size({ max: MEDIUM_SIZE_MAX }), {
    name: "physical-block-size",
    description: "physical block length, a power of two up to 2M (the block size)",
  })
  accessor physicalBlockSize: bigint | undefined;

  @qomProperty(qom.string(), { description: "unit serial number (the digits of the wwn)", check: (value) => requireSerial(value) })
  accessor serial: string | undefined;

  @qomProperty(qom.bool(), {
    name: "write-protected",
    description: "the unit refuses writes from everyone (off, or as an earlier node sets it)",
  })
  accessor writeProtected: boolean | undefined;

  @qomProperty(qom.string(), {
    description: "initiator port as a TransportID: iqn.…[,i,0xISID], eui.…, naa.<16 hex> (SAS) or fc.<16 hex>",
    check: (value) => void TransportId.parse(value),
  })
  accessor initiator: string | undefined;

  @qomProperty(qom.uint16({ min: 1, max: TARGET_PORT_MAX }), { description: "relative target port identifier", default: 1 })
  accessor targetPort!: number;

  @qomProperty(qom.bool(), { name: "power-on-ua", description: "begin with the unit attention POWER ON, RESET (29/00)", default: false })
  accessor powerOnUnitAttention!: boolean;

  readonly #machine: MachineContext;
  #unit: SimulatedUnit | undefined;

  constructor(@inject(MachineContext) machine: MachineContext) {
    super();
    this.#machine = machine;
  }

  override get unit(): SimulatedUnit {
    assert(this.#unit !== undefined, "a completed sim-lun node has a unit");
    return this.#unit;
  }

  override async complete(): Promise<void> {
    const nexus: Nexus = { initiator: this.#initiator(), targetPort: this.targetPort };
    const fabric = this.fabric?.fabric ?? this.#machine.fabric;
    const spec: UnitSpec = {
      wwn: this.wwn,
      ...(this.size === undefined ? {} : { sizeBytes: Number(this.size) }),
      ...(this.filename === undefined ? {} : { filename: this.filename }),
      ...(this.blockSize === undefined ? {} : { blockSizeBytes: Number(this.blockSize) }),
      ...(this.physicalBlockSize === undefined ? {} : { physicalBlockSizeBytes: Number(this.physicalBlockSize) }),
      ...(this.serial === undefined ? {} : { serial: this.serial }),
      ...(this.writeProtected === undefined ? {} : { writeProtected: this.writeProtected }),
      ...(this.locking === undefined ? {} : { locking: this.locking }),
    };
    this.#machine.joins(fabric);
    const medium = await this.openMedium();
    const created: LogicalUnit[] = [];
    const logicalUnit = await fabric.attachPath(spec, {
      ...(medium === null ? {} : { medium }),
      writes: !this.readOnly,
      onCreate: (unit) => {
        created.push(unit);
        this.#machine.unitCreated(fabric, unit);
      },
      warn: (line) => this.#machine.warn(line),
    });
    this.#unit = new SimulatedUnit(logicalUnit, nexus, this.readOnly);
    try {
      this.admitUnit();
    } catch (error) {
      for (const unit of created) await fabric.discard(unit);
      throw error;
    }
    logicalUnit.login(nexus, { powerOnUnitAttention: this.powerOnUnitAttention });
  }

  override medium(): Promise<MediumInfo> {
    const { wwn, sizeBytes } = this.unit.logicalUnit;
    return Promise.resolve({ name: this.filename ?? `sim-lun:${wwn}`, sizeBytes, blockSizeBytes: this.unit.geometry().blockSizeBytes });
  }

  override finalize(): void {
    this.unit.logicalUnit.logout(this.unit.nexus);
  }

  /**
   * For drivers that provide the medium: returns it, or null for memory or the file of `filename`. Called before the unit exists. Nodes
   * with the same wwn must return the same medium. It is closed with the unit, which lives as long as its fabric; one that is refused is
   * closed at once.
   */
  protected openMedium(): Medium | null | Promise<Medium | null> {
    return null;
  }

  protected override claimImage(access: ImageAccess): () => void {
    return this.unit.logicalUnit.claimMedium(access);
  }

  #initiator(): TransportId {
    const { initiator } = this;
    if (initiator === undefined) return defaultInitiator(this.#machine.name, this.rootName);
    try {
      return TransportId.parse(initiator);
    } catch (error) {
      throw error instanceof QomError ? error.within({ option: "initiator", value: initiator }) : error;
    }
  }
}
