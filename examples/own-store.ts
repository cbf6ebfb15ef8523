/** A reservation store of one's own: two machines of one cluster, as on two hosts, that share a disk's reservations. */
import { Machine, PersistentReserveOut, qom, qomProperty, qomType } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import { ReservationStoreObject } from "qom-pr/extend";
import type { CommitEnd, ReservationImage, ReservationWatcher, StoredReservations } from "qom-pr/extend";

/** What a database would be: a value for each unit, and who wants to hear of a new one. */
class Cells {
  readonly stored = new Map<string, StoredReservations>();
  readonly watchers = new Map<string, Set<ReservationWatcher>>();
}

const clusters = new Map<string, Cells>();

@qomType({ name: "reservation-cluster", description: "keeps reservations for all machines of a cluster" })
class ClusterStore extends ReservationStoreObject {
  @qomProperty(qom.string(), { description: "name of the cluster", required: true })
  accessor cluster!: string;

  #cells = new Cells();

  override complete(): void {
    this.#cells = clusters.get(this.cluster) ?? this.#cells;
    clusters.set(this.cluster, this.#cells);
  }

  override async load(unit: string): Promise<StoredReservations | null> {
    return this.#cells.stored.get(unit) ?? null;
  }

  override async commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    if (revision !== (this.#cells.stored.get(unit)?.revision ?? 0) + 1) return "overtaken";
    const stored = { revision, image };
    this.#cells.stored.set(unit, stored);
    for (const watcher of this.#cells.watchers.get(unit) ?? []) void watcher.changed(stored);
    return "done";
  }

  override watch(unit: string, watcher: ReservationWatcher): () => void {
    const watchers = this.#cells.watchers.get(unit) ?? new Set();
    this.#cells.watchers.set(unit, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }
}

/** The machine of a node of the cluster. */
async function node(name: string): Promise<{ readonly machine: Machine; readonly disk: ScsiDevice }> {
  const machine = await Machine.create(
    [
      ...["-name", name, "-object", "reservation-cluster,id=s0,cluster=web", "-object", "scsi-fabric,id=san0,store=s0"],
      ...["-object", "pr-manager-memory,id=pr0", "-device", "virtio-scsi"],
      ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,fabric=san0,pr-manager=pr0"],
      ...["-device", "scsi-block,drive=hd,id=disk0"],
    ],
    { types: [ClusterStore] },
  );
  return { machine, disk: machine.scsiDevice("disk0") };
}

const [a, b] = [await node("a"), await node("b")];
const [keyOfA, keyOfB, type] = [0xa1n, 0xb1n, 5]; // 5: Write Exclusive, Registrants Only
await a.disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: keyOfA }));
await b.disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: keyOfB }));
await b.disk.execute(PersistentReserveOut.encode({ action: "reserve", key: keyOfB, type }));
const write = { cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512) };
console.log(`b writes: status ${(await b.disk.execute(write)).status}`);
await a.disk.execute(PersistentReserveOut.encode({ action: "preempt-and-abort", key: keyOfA, serviceActionKey: keyOfB, type }));
console.log(`a has fenced b, which writes: status ${(await b.disk.execute(write)).status} (24 is RESERVATION CONFLICT)`);
await Promise.all([a.machine.close(), b.machine.close()]);
