/** Device numbers. */

import { expect } from "chai";
import { statSync } from "node:fs";
import { deviceName, splitDeviceNumber } from "#src/base/device-number.js";

describe("a device number", () => {
  it("has the names that the kernel writes", () => {
    for (const [rdev, name] of [
      [0x0810, "8:16"],
      [0xfd00, "253:0"],
      [0x8000, "128:0"],
      [0x0010_fd01, "253:257"],
      [0xfff0_0fff, "15:1048575"],
    ] as const) {
      expect(deviceName(splitDeviceNumber(rdev))).to.equal(name);
    }
  });

  it("is that of /dev/null as every Linux has it", () => {
    expect(splitDeviceNumber(statSync("/dev/null").rdev)).to.deep.equal({ major: 1, minor: 3 });
  });
});
