/** The nodes of SCSI devices of this kernel. */

import { existsSync, readdirSync } from "node:fs";
import { eventually } from "./wait.js";

/** The device nodes of one I_T_L nexus. */
export interface DeviceNodes {
  /** Host, channel, target and LUN: `0:0:1:0`. */
  readonly address: string;
  /** `/dev/sgN`. */
  readonly generic: string;
  /** `/dev/sdX`, or what else there is as a block device; null for a device type without. */
  readonly block: string | null;
}

/** Waits until the SCSI device at `address` has its nodes; those without a block device are told by `hasBlockDevice`. */
export async function deviceNodes(address: string, hasBlockDevice = true): Promise<DeviceNodes> {
  const folder = `/sys/class/scsi_device/${address}/device`;
  const node = (kind: string): string | null => {
    const [name] = existsSync(`${folder}/${kind}`) ? readdirSync(`${folder}/${kind}`) : [];
    return name !== undefined && existsSync(`/dev/${name}`) ? `/dev/${name}` : null;
  };
  return eventually(() => {
    const generic = node("scsi_generic");
    const block = node("block");
    return generic === null || (hasBlockDevice && block === null) ? null : { address, generic, block };
  });
}

/** Addresses of all SCSI devices. */
export function deviceAddresses(): readonly string[] {
  return existsSync("/sys/class/scsi_device") ? readdirSync("/sys/class/scsi_device") : [];
}
