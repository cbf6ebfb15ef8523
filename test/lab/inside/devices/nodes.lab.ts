import { expect } from "chai";
import { deviceAddresses } from "../support/scsi-host.js";

describe("the guest", () => {
  it("has no disk of its own", () => {
    expect(deviceAddresses()).to.deep.equal([]);
  });
});
