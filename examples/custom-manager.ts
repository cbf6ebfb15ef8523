/** A PR manager of one's own: it writes down who asked for what, and lets another manager do the work. */
import { Clock, inject, Machine, PersistentReserveOut, PR_MANAGER_LINK, PrManager, qom, qomProperty, qomType } from "qom-pr";
import type { ScsiCommand, ScsiResult, ScsiUnit } from "qom-pr";

@qomType({ name: "pr-manager-audit", description: "writes down every command before another manager runs it" })
class AuditManager extends PrManager {
  @qomProperty(qom.link<PrManager>(PR_MANAGER_LINK), { description: "manager that runs the commands", required: true })
  accessor next!: PrManager;

  readonly entries: string[] = [];
  readonly #clock: Clock;

  constructor(@inject(Clock) clock: Clock) {
    super();
    this.#clock = clock;
  }

  protected override async run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    const beganMs = this.#clock.nowMs();
    const result = await this.next.execute(unit, command);
    const tookMs = this.#clock.nowMs() - beganMs;
    this.entries.push(
      `${unit.identity}: ${command.cdb[0]?.toString(16)}h, status ${result.status}, took less than ${Math.ceil(tookMs)} ms`,
    );
    return result;
  }
}

const machine = await Machine.create(
  [
    ...["-object", "pr-manager-memory,id=pr0"],
    ...["-object", "pr-manager-audit,id=audit0,next=pr0"],
    ...["-device", "virtio-scsi"],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=audit0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ],
  { types: [AuditManager] },
);
await machine.scsiDevice("disk0").execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xa1n }));
const audit = machine.object("audit0");
if (audit instanceof AuditManager) console.log(audit.entries.join("\n"));
await machine.close();
