/**
 * A guest with a reserved disk moves to another machine: within one storage network, and then to a machine with a network of its own that shares
 * reservations with the first, as on another host. The cluster's other node, which is fenced out, tries to write after every command.
 */
import { Fabric, Machine, PersistentReserveOut, PrManager } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import type { ReservationStore, ReservationWatcher, StoredReservations } from "qom-pr/extend";

const WWN = "naa.5000000000000001";
const [KEY, TYPE] = [0xa1n, 1]; // 1: Write Exclusive
const WRITE = { cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512) };
const RESERVATION_CONFLICT = 0x18;

/** What two hosts have in common: here a value in this process, elsewhere a database. */
const cell: { stored: StoredReservations | null } = { stored: null };
const watchers = new Set<ReservationWatcher>();
const sharedStore = (): ReservationStore => ({
  durable: true,
  load: () => cell.stored,
  commit: (_unit, revision, image) => {
    if (revision !== (cell.stored?.revision ?? 0) + 1) return "overtaken";
    cell.stored = { revision, image };
    for (const watcher of watchers) void watcher.changed(cell.stored);
    return "done";
  },
  watch: (_unit, watcher) => {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
  close: () => Promise.resolve(),
});

async function start(fabric: Fabric, name: string): Promise<{ machine: Machine; disk: ScsiDevice }> {
  const machine = await Machine.create(
    [
      ...["-name", name, "-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
      ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},pr-manager=pr0`, "-device", "scsi-block,drive=hd,id=disk0"],
    ],
    { fabric },
  );
  return { machine, disk: machine.scsiDevice("disk0") };
}

/** Moves a guest that holds a reservation from a machine of one fabric to a machine of the other, and back again. */
async function migrate(title: string, home: Fabric, away: Fabric): Promise<void> {
  const [source, destination, other] = [await start(home, "source"), await start(away, "destination"), await start(home, "other")];
  await source.disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY }));
  await source.disk.execute(PersistentReserveOut.encode({ action: "reserve", key: KEY, type: TYPE }));

  const attempts: Promise<number>[] = [];
  const tryToWrite = (): void => void attempts.push(other.disk.execute(WRITE).then(({ status }) => status));
  for (const { machine } of [source, destination]) {
    const manager = machine.object("pr0");
    if (manager instanceof PrManager) manager.onExecute(tryToWrite);
  }

  // The source's guest has stopped. The emulator sends this with the rest of the guest's state, and the destination takes it over.
  const state = source.disk.migration.save();
  if (state === null) throw new Error("there is a reservation to be saved");
  tryToWrite();
  const there = await destination.disk.migration.restore(state);
  console.log(
    `${title}: the destination takes the ${there.taken}, and its guest writes: status ${(await destination.disk.execute(WRITE)).status}`,
  );

  // Had the migration succeeded, the source would forget(). It has failed, and the guest runs on where it was.
  const back = await source.disk.migration.reclaim();
  console.log(
    `${title}: the source takes the ${back.taken} back, and its guest writes: status ${(await source.disk.execute(WRITE)).status}`,
  );
  tryToWrite();

  const statuses = await Promise.all(attempts);
  const refused = statuses.filter((status) => status === RESERVATION_CONFLICT);
  console.log(`${title}: the other node was refused ${refused.length} times of ${statuses.length}`);
  for (const { machine } of [source, destination, other]) await machine.close();
}

const fabric = new Fabric();
await migrate("one network", fabric, fabric);
await fabric.close();

const [home, away] = [new Fabric({ store: sharedStore() }), new Fabric({ store: sharedStore() })];
await migrate("two networks", home, away);
await home.close();
await away.close();
