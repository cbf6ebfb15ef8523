/** Scripts whose answers are others here than QEMU's. */
import type { QemuVersion } from "#src/qemu/compat.js";

/** A difference on purpose. */
interface Exemption {
  readonly scripts: readonly string[];
  /** Why; docs/qmp.md tells the same to users, in the same words. */
  readonly reason: string;
  /** The one version whose answers are others. */
  readonly only?: QemuVersion;
}

/** All of them. */
export const EXEMPTIONS: readonly Exemption[] = [
  {
    scripts: ["the greeting", "negotiation of out-of-band commands"],
    reason: "No command can be run out of band, so the capability `oob` is not offered",
  },
  { scripts: ["query-named-block-nodes"], reason: "`actual-size` of an image, an optional member, is left out" },
  {
    scripts: ["a manager that a node uses"],
    reason: "`object-del` of a PR manager that a node uses is refused, and says by whom",
  },
  { scripts: ["qom-list of the root"], reason: "`/objects` is there before the first object" },
  { scripts: ["qom-list-types"], reason: "There are more PR managers" },
  {
    scripts: ["qom-list of objects", "properties of types"],
    reason: "`pr-manager-helper` has `connections`, `timeout` and `handshake-timeout` as well as `path`",
  },
  { scripts: ["properties of devices"], reason: "devices have properties of their own, all with descriptions" },
  { scripts: ["blockdev-reopen to read-only"], reason: "`blockdev-reopen` changes no option, `read-only` neither" },
  {
    scripts: ["blockdev-reopen to inactive"],
    reason: "QEMU 11.1 takes another value of `active` there, and nothing comes of it",
    only: "11.1",
  },
];
