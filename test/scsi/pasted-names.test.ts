/** Names of disks and ports as other programs print them. */
import { expect } from "chai";
import { Fabric, TransportId } from "qom-pr";
import { refusal } from "../support/refusal.js";

describe("names that are pasted", () => {
  const ports: readonly (readonly [string, string])[] = [
    ["20:00:00:25:b5:00:00:0f", "fc.20000025b500000f"],
    ["20:00:00:25:B5:00:00:0F", "fc.20000025b500000f"],
    ["50:01:43:80:12:34:56:78", "fc.5001438012345678"],
    ["0x20000025b500000f", "fc.20000025b500000f"],
    ["10000000c9f3a571", "fc.10000000c9f3a571"],
    ["fc.20:00:00:25:b5:00:00:0f", "fc.20000025b500000f"],
    ["fc.0x20000025b500000f", "fc.20000025b500000f"],
    ["fcp.20000025b500000f", "fc.20000025b500000f"],
    ["sas.5000c50005b32001", "naa.5000c50005b32001"],
    ["SAS.0x5000C50005B32001", "naa.5000c50005b32001"],
    ["naa.0x5000c50005b32001", "naa.5000c50005b32001"],
    ["naa.50:00:c5:00:05:b3:20:01", "naa.5000c50005b32001"],
    ["sbp.00:01:02:03:04:05:06:07", "sbp.0001020304050607"],
    ["naa.6000000000000000000E000000010001,i,0x1", "iscsi.naa.6000000000000000000E000000010001,i,0x000000000001"],
    ["iqn.2026-11.org.example:A", "iqn.2026-11.org.example:A"],
  ];
  for (const [given, expected] of ports) {
    it(`port ${given}`, () => {
      expect(TransportId.parse(given).format()).to.equal(expected);
    });
  }

  it("asks which transport has a name that may be of either", async () => {
    for (const given of ["0x5000c50005b32001", "5000c50005b32001"]) {
      const { hint } = await refusal(() => TransportId.parse(given));
      expect(hint).to.equal("write 'fc.5000c50005b32001' for a port of Fibre Channel, 'sas.5000c50005b32001' for one of SAS");
    }
  });

  it("says where commas are doubled", async () => {
    expect((await refusal(() => TransportId.parse("iqn.2026-11.x:a,,i,,0x1"))).hint).to.match(/twice in option strings only/);
  });

  it("refuses what only looks so", async () => {
    for (const given of [
      "20:00:00:25:b5:00:00",
      "20:00:00:25:b5:00:00:0f:01",
      "2:0:0:25:b5:0:0:f",
      "fc.20:00",
      "sas.5000",
      "sas.",
      "tcp.5000c50005b32001",
    ]) {
      await refusal(() => TransportId.parse(given));
    }
  });

  const disks: readonly (readonly [string, string])[] = [
    ["360000000000000000e00000000010001", "naa.60000000000000000e00000000010001"],
    ["35000C50005B32001", "naa.5000c50005b32001"],
    ["32000000000000001", "naa.2000000000000001"],
    ["20025384b71c0a3e1", "eui.0025384b71c0a3e1"],
    ["scsi-360000000000000000e00000000010001", "naa.60000000000000000e00000000010001"],
    ["wwn-0x5000c50005b32001", "naa.5000c50005b32001"],
    ["0x60000000000000000e00000000010001", "naa.60000000000000000e00000000010001"],
    ["NAA.5000C50005B32001", "naa.5000c50005b32001"],
  ];
  for (const [given, expected] of disks) {
    it(`disk ${given}`, async () => {
      const fabric = new Fabric();
      const unit = await fabric.attach({ wwn: given });
      expect(unit.wwn).to.equal(expected);
      expect(fabric.unit(given)).to.equal(unit);
      expect(fabric.unit(expected)).to.equal(unit);
      await fabric.close();
    });
  }

  it("refuses numbers that are no WWID of a disk", async () => {
    const fabric = new Fabric();
    for (const wwn of ["3600", "37000c50005b32001", "5000c50005b32001", "0x5000", "3naa.5000c50005b32001", "1ATA_disk"]) {
      expect((await refusal(() => fabric.attach({ wwn }))).message).to.contain("is not the name of a logical unit");
    }
    await fabric.close();
  });
});
