/** Which QEMU a machine follows: `-compat`, MachineOptions.compat, and the machine type. */
import { expect } from "chai";
import { Machine, qomType } from "qom-pr";
import { Device, DeviceHost, MachineCompat } from "qom-pr/extend";
import { inject } from "#src/qom/inject.js";
import { refusal } from "../support/refusal.js";

@qomType({ name: "asking-device", description: "a device that asks what is followed" })
class AskingDevice extends Device {
  readonly compat: MachineCompat;

  constructor(@inject(DeviceHost) host: DeviceHost, @inject(MachineCompat) compat: MachineCompat) {
    super(host);
    this.compat = compat;
  }
}

/** What a device of a machine is told. */
async function told(argv: readonly string[], compat?: "7.2" | "11.1"): Promise<MachineCompat> {
  const options = { types: [AskingDevice], ...(compat === undefined ? {} : { compat }) };
  const machine = await Machine.create([...argv, "-device", "asking-device,id=d"], options);
  try {
    const device = machine.device("d");
    if (!(device instanceof AskingDevice)) throw new Error("another device");
    return device.compat;
  } finally {
    await machine.close();
  }
}

const majorOf = async (argv: readonly string[], compat?: "7.2" | "11.1"): Promise<number> =>
  (await told(argv, compat)).answers.interfaceVersion.major;

describe("which QEMU a machine follows", () => {
  it("is 11.1, unless the machine or its command line says 7.2; the command line goes before", async () => {
    expect(await majorOf([])).to.equal(11);
    expect(await majorOf([], "7.2")).to.equal(7);
    expect(await majorOf(["-compat", "qemu=7.2"])).to.equal(7);
    expect(await majorOf(["-compat", '{"qemu":"7.2"}'])).to.equal(7);
    expect(await majorOf(["-compat", "qemu=11.1"], "7.2")).to.equal(11);
    expect(await majorOf(["-compat", "qemu=7.2", "-compat", "deprecated-input=reject"])).to.equal(7);
    expect(await majorOf(["-compat", "qemu=7.2,qemu=11.1"])).to.equal(11);
  });

  it("takes QEMU's own keys without effect, in a strict machine too, and says nothing of them", async () => {
    const text = "deprecated-input=crash,deprecated-output=hide,unstable-input=reject,unstable-output=accept";
    const machine = await Machine.create(["-compat", text, "-compat", ""], { strict: true });
    expect(machine.warnings).to.deep.equal([]);
    expect(machine.compat).to.equal("11.1");
    await machine.close();
  });

  for (const [text, named] of [
    ["qemu=8.0", "7.2 or 11.1"],
    ["qemu=", "7.2 or 11.1"],
    ["qmu=7.2", "qmu"],
    ["deprecated-inpt=accept", "deprecated-inpt"],
    ["deprecated-input=hide", "accept or reject or crash"],
    ["toString=x", "toString"],
    ["qemu.x=7.2", "qemu"],
    ["qemu", "qemu"],
    ["help", "help"],
    ['{"qemu":7.2}', "7.2"],
    ["{", "JSON"],
  ] as const) {
    it(`refuses -compat ${text}`, async () => {
      const { message } = await refusal(() => Machine.create(["-compat", text]));
      expect(message).to.contain("-compat").and.to.contain(named);
    });
  }

  it("refuses a version of the library's user that there is not", async () => {
    const { message } = await refusal(() => Machine.create([], { compat: "8.0" as "7.2" })); // what JavaScript may pass
    expect(message).to.contain("compat");
  });

  it("is written back where it is not the default", async () => {
    const machine = await Machine.create(["-compat", "qemu=7.2"]);
    expect(machine.toArgs()).to.include.members(["-compat", "qemu=7.2"]);
    expect(JSON.parse(machine.toJson())).to.have.property("compat", "7.2");
    await machine.close();
    const plain = await Machine.create([]);
    expect(plain.toArgs()).not.to.include("-compat");
    await plain.close();
  });

  it("has migrate-pr off for older machine types, and nothing else", async () => {
    const isOn = async (...argv: readonly string[]): Promise<boolean> => (await told(argv)).migratePrDefault;
    const older = ["pc-q35-10.2", "pc-i440fx-7.2,usb=off", "type=virt-9.0", "accel=kvm,type=s390-ccw-virtio-8.2"];
    const distributions = [
      "pc-q35-9.2+pve1",
      "type=pc-i440fx-10.1+pve0",
      "pc-q35-rhel9.6.0,usb=off",
      "virt-rhel10.0.0",
      "s390-ccw-virtio-rhel9.6.0",
    ];
    for (const type of [...older, ...distributions]) {
      expect(await isOn("-machine", type), type).to.equal(false);
      expect(await isOn("-M", type), type).to.equal(false);
      expect(await majorOf(["-machine", type]), type).to.equal(11);
    }
    const newest = ["pc-q35-11.0", "q35", "none", "pc-i440fx-11.1,usb=off", "usb=off", "pc-q35-10.2.x", "=,,"];
    for (const type of [...newest, "pc-q35-11.0+pve0", "pc-q35-9.2+pve", "pc-q35-noble", "pc-q35-rhel11.0.0"]) {
      expect(await isOn("-machine", type), type).to.equal(true);
    }
    expect(await isOn()).to.equal(true);
    expect(await isOn("-compat", "qemu=7.2")).to.equal(false);
    expect(await isOn("-machine", "pc-q35-10.2", "-machine", "accel=kvm")).to.equal(false);
    expect(await isOn("-machine", "pc-q35-10.2", "-M", "q35")).to.equal(true);
  });

  it("says why there is no block driver for iSCSI where a disk of ours uses one", async () => {
    const node = "driver=iscsi,transport=tcp,portal=192.0.2.1,target=iqn.2000-01.example:a,node-name=i";
    const argv = ["-device", "virtio-scsi-pci", "-blockdev", node, "-device", "scsi-block,drive=i"];
    const refused = await refusal(() => Machine.create(argv));
    expect(refused.hint).to.contain("initiator");
  });
});
