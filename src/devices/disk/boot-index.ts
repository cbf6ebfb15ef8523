/** `bootindex`: the place of a device in the boot order. */
import { QomError } from "../../base/errors.js";
import type { Device } from "../device.js";

/** The device is not booted from. */
export const BOOT_INDEX_NONE = -1;

/** @param devices those there are @throws QomError `in-use` if one of them has that place */
export function requireOwnBootIndex(bootindex: number, devices: readonly (Device & { readonly bootindex: number })[]): void {
  if (bootindex === BOOT_INDEX_NONE) return;
  const other = devices.find((device) => device.bootindex === bootindex);
  if (other === undefined) return;
  throw new QomError("in-use", `bootindex ${bootindex} is that of ${other.describe()}`, {
    context: { option: "bootindex", value: String(bootindex) },
  });
}
