/** The one unit of this guest, with three initiators: the tests of all files share it and leave nothing behind. */

import { LinuxTarget } from "./linux-target.js";

let target: Promise<LinuxTarget> | undefined;

/** Made when it is first asked for. */
export function sharedTarget(): Promise<LinuxTarget> {
  target ??= LinuxTarget.create(["naa.60014050000000a1", "naa.60014050000000a2", "naa.60014050000000a3"], false);
  return target;
}
