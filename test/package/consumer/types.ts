/**
 * A user's program: every name of the public contract, used as its documentation says. It is type-checked against the installed package
 * (and, being below test/, against this one) and not run.
 */
import {
  addAlias,
  addChild,
  addProperty,
  Clock,
  Fabric,
  HostStatus,
  inject,
  Machine,
  PersistentReserveIn,
  PersistentReserveOut,
  PrManager,
  qom,
  QomError,
  QomObject,
  qomProperty,
  qomType,
  TransportId,
  USER_CREATABLE,
  VirtioScsiFeature,
  VirtioScsiQueue,
  VirtioScsiResponse,
} from "qom-pr";
import type {
  LinkTarget,
  Nexus,
  PathAccess,
  PlainValue,
  QomType,
  ScsiCommand,
  ScsiDevice,
  ScsiResult,
  ScsiUnit,
  TargetBehaviour,
  VirtioChain,
  VirtioScsi,
} from "qom-pr";

/** A manager of the user's own. */
@qomType({ name: "pr-manager-audit", description: "notes when each command came" })
export class AuditManager extends PrManager {
  @qomProperty(qom.string(), { description: "where to write", required: true }) accessor path!: string;
  readonly #clock: Clock;
  #lastMs = 0;

  constructor(@inject(Clock) clock: Clock) {
    super();
    this.#clock = clock;
  }

  protected async run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    this.#lastMs = this.#clock.nowMs();
    const lent: number | null = unit.fd;
    if (unit.readOnly || lent === null || unit.nexus?.targetPort === this.#lastMs) throw new Error(unit.identity);
    return unit.sgio(command);
  }
}

const SENSOR: LinkTarget = { typeName: "sensor", noun: "sensor", lookup: "path" };
const LIMITS = qom.object("Limits", { low: qom.int32() }, { high: qom.int32() });

/** A part of the user's own. */
@qomType({ name: "sensor", description: "measures" })
export class Sensor extends QomObject {
  @qomProperty(qom.uint16({ max: 1000 }), { description: "per second", default: 10, access: "read-write" }) accessor rate!: number;
}

/** An object of the user's own, with a property of every kind. */
@qomType({ name: "rack", description: "holds sensors", interfaces: [USER_CREATABLE], aliases: ["cabinet"] })
export class Rack extends QomObject {
  @qomProperty(qom.string(), { description: "on the door", required: true }) accessor label!: string;
  @qomProperty(qom.bool(), { description: "whether it is closed", default: true }) accessor locked!: boolean;
  @qomProperty(qom.int64(), { description: "above the sea, in millimetres" }) accessor altitude: bigint | undefined;
  @qomProperty(qom.size({ min: 1n }), { description: "memory of the log" }) accessor log: bigint | undefined;
  @qomProperty(qom.enumeration("RackColour", ["black", "grey"]), { description: "paint" }) accessor colour: "black" | "grey" | undefined;
  @qomProperty(qom.list(), { description: "who has a key", default: [] }) accessor owners!: readonly string[];
  @qomProperty(qom.listOf(LIMITS), { description: "of each sensor" })
  accessor limits: readonly { readonly low: number; readonly high?: number | undefined }[] | undefined;
  @qomProperty(qom.nested("Any", "anything"), { description: "for whoever knows" }) accessor extra: PlainValue | undefined;
  @qomProperty(qom.link<Sensor>(SENSOR), { description: "kept" }) accessor main: Sensor | undefined;
  @qomProperty(qom.weakLink<Sensor>(SENSOR), { description: "may go", access: "read-write" }) accessor spare: Sensor | undefined;
  @qomProperty(qom.uint8(), { description: "computed" }) get initial(): number {
    return this.label.charCodeAt(0);
  }

  #opened = 0;

  constructor() {
    super();
    const sensor = new Sensor();
    const name: string = addChild(this, "sensor[*]", sensor);
    addAlias(this, "rate", sensor, "rate");
    addProperty(this, "opened", qom.uint32(), { description: `beside ${name}`, get: () => this.#opened });
  }

  override async complete(): Promise<void> {
    this.#opened = await Promise.resolve(1);
  }

  override busyWith(): string | null {
    return this.locked ? null : "an open door";
  }
}

/** A machine from arguments, and what can be asked of it. */
export async function machines(argv: readonly string[]): Promise<bigint[]> {
  const types: QomType[] = [AuditManager, Sensor, Rack];
  const machine = await Machine.create(argv, { fabric: new Fabric(), types });
  machine.object("pr0");
  machine.device("disk0");
  const device: ScsiDevice = machine.scsiDevice("disk0");
  const devices: readonly ScsiDevice[] = machine.scsiDevices;
  machine.qom.resolve("/objects/pr0");
  const { generation, registrants, reservation } = machine.fabric.unit("naa.5000000000000001").reservations;
  const holder: { initiator: string; targetPort: number } | null = reservation?.holder ?? null;
  await device.reset("logical-unit");
  await device.reset("i-t-nexus");
  await device.reset("target");
  await machine.close();
  return registrants
    .filter((each) => each.holder && each.initiator !== holder?.initiator && devices.length > generation)
    .map(({ key }) => key);
}

/** A command through a device, with all that may go with it. */
export async function commands(device: ScsiDevice, signal: AbortSignal): Promise<number> {
  const command: ScsiCommand = { cdb: Uint8Array.of(0), allocationLength: 8, timeoutMs: 1000, signal };
  const { status, dataIn, residual, sense, hostStatus = 0 }: ScsiResult = await device.execute(command);
  await device.execute({ cdb: Uint8Array.of(0x12, 0, 0, 0, 36, 0), into: new Uint8Array(36) });
  await device.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, aptpl: false, allTargetPorts: false }));
  await device.execute(PersistentReserveOut.encode({ action: "reserve", key: 1n, type: 5, scope: 0 }));
  const lost: boolean = hostStatus === HostStatus.TRANSPORT_DISRUPTED;
  return status + dataIn.length + residual + sense.length + (lost ? 1 : 0);
}

/** A simulated disk as a test uses it. */
export async function disturbed(device: ScsiDevice): Promise<ScsiResult> {
  const behaviour: Partial<TargetBehaviour> = { persistentReservations: true, types: [1, 5], registrationsMax: 2 };
  const access: PathAccess = { readOnly: true };
  const unit = await new Fabric({ behaviour }).attach({ wwn: "naa.5000000000000001", physicalBlockSizeBytes: 4096, writeProtected: true });
  const nexus: Nexus | null = device.nexus;
  const end = unit.disturb((command) => command.nexus.targetPort === nexus?.targetPort, { pathLost: true });
  end();
  return unit.execute(nexus ?? { initiator: TransportId.parse("fc.1000000000000001"), targetPort: 1 }, { cdb: new Uint8Array(6) }, access);
}

/** Persistent reservations as values. */
export function values(bytes: Uint8Array): string {
  const initiator = TransportId.parse("iqn.2026-11.org.example:a");
  const moved = PersistentReserveOut.encode({
    action: "register-and-move",
    key: 1n,
    serviceActionKey: 2n,
    transportIds: [initiator],
    unregister: true,
    relativeTargetPort: 1,
  });
  const requests = [
    PersistentReserveIn.readKeys(8),
    PersistentReserveIn.readReservation(24),
    PersistentReserveIn.reportCapabilities(8),
    PersistentReserveIn.readFullStatus(64),
  ];
  const { generation, keys } = PersistentReserveIn.parse("read-keys", bytes);
  const { reservation } = PersistentReserveIn.parse("read-reservation", bytes);
  const summary = [initiator.format(), moved.cdb.length, moved.dataOut.length, requests.length, generation, keys.length, reservation?.type];
  if (TransportId.parse(bytes).format() === "") throw new QomError("invalid-value", summary.join());
  return summary.join();
}

/** A driver's side of a host adapter. */
export async function queues(machine: Machine, chain: VirtioChain): Promise<boolean> {
  const hba: VirtioScsi = machine.hba("scsi0");
  const forget = hba.onNeedsReset((reason) => machine.device(reason));
  hba.start(hba.features & VirtioScsiFeature.HOTPLUG);
  hba.writeConfig(20, hba.config.subarray(20, 24));
  const used: number | null = hba.queueCount > VirtioScsiQueue.EVENT ? await hba.submit(VirtioScsiQueue.REQUEST, chain) : null;
  hba.reportChange(machine.scsiDevice("disk0"));
  const reason: string | null = hba.needsReset;
  await hba.reset();
  forget();
  return used === null && reason === null && chain.writable[0]?.[11] === VirtioScsiResponse.OK;
}
