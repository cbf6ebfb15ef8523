/** Cluster software under test: the same disk with another PR manager, by one argument. Run with mocha. */
import { expect } from "chai";
import { Fabric, Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";

/** The code under test: takes over a disk whose owner has died. */
async function takeOver(machine: Machine, own: bigint, dead: bigint): Promise<void> {
  const disk = machine.scsiDevice("disk0");
  await disk.execute(PersistentReserveOut.encode({ action: "register-and-ignore-existing-key", serviceActionKey: own }));
  await disk.execute(PersistentReserveOut.encode({ action: "preempt", key: own, serviceActionKey: dead, type: 5 }));
}

for (const manager of ["pr-manager-memory", "pr-manager-sgio"]) {
  describe(`taking over a disk through ${manager}`, () => {
    const fabric = new Fabric();
    const machines: Machine[] = [];
    const boot = async (name: string): Promise<Machine> => {
      const machine = await Machine.create(
        [
          ...["-name", name, "-device", "virtio-scsi", "-object", `${manager},id=pr0`],
          ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
          ...["-device", "scsi-block,drive=hd,id=disk0"],
        ],
        { fabric },
      );
      machines.push(machine);
      return machine;
    };
    after(async () => {
      for (const machine of machines) await machine.close();
      await fabric.close();
    });

    it("leaves the survivor as the only one that may write", async () => {
      const [dead, survivor] = [await boot("dead"), await boot("survivor")];
      const old = dead.scsiDevice("disk0");
      await old.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xdn }));
      await old.execute(PersistentReserveOut.encode({ action: "reserve", key: 0xdn, type: 5 }));

      await takeOver(survivor, 0x5n, 0xdn);

      const write = { cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512) };
      expect((await survivor.scsiDevice("disk0").execute(write)).status).to.equal(0x00);
      expect((await old.execute(write)).status).to.equal(0x18);
      const keys = await survivor.scsiDevice("disk0").execute(PersistentReserveIn.readKeys(256));
      expect(PersistentReserveIn.parse(0, keys.dataIn)).to.deep.include({ keys: [0x5n] });
    });
  });
}
