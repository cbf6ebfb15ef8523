/** Scripts whose answers are others here than QEMU's, each with its reason. docs/qmp.md tells the same to users, in the same words. */
export const EXEMPTIONS: ReadonlyMap<string, string> = new Map([
  ["the greeting", "No command can be run out of band, so the capability `oob` is not offered"],
  ["negotiation of out-of-band commands", "No command can be run out of band, so the capability `oob` is not offered"],
  ["query-named-block-nodes", "`actual-size` of an image, an optional member, is left out"],
  ["a manager that a node uses", "`object-del` of a PR manager that a node uses is refused, and says by whom"],
  ["qom-list of the root", "`/objects` is there before the first object"],
  ["qom-list-types", "There are more PR managers"],
  ["qom-list of objects", "`pr-manager-helper` has `connections`, `timeout` and `handshake-timeout` as well as `path`"],
  ["properties of types", "`pr-manager-helper` has `connections`, `timeout` and `handshake-timeout` as well as `path`"],
  ["properties of devices", "devices have properties of their own, all with descriptions"],
  ["blockdev-reopen to read-only", "`blockdev-reopen` changes no option, `read-only` neither"],
  ["a number as text", "`device_add` takes JSON types as they are, as QEMU does since 9.2"],
]);
