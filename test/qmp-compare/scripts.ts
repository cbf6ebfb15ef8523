/**
 * Scripts of QMP commands that are sent to QEMU and to this library in the same words.
 *
 * Words that stand for what differs in name alone: `$FILE` a file of 1 MiB, `$OTHER` another one, `$HELPER` the socket of a helper,
 * `$DISK` a SCSI disk device type, and the member `"$node": true` of blockdev-add for the options of a disk that such a device drives.
 */

import { BLOCK, DEVICES } from "./block-scripts.js";
import { CAPABILITIES, DISK_NODE, HELPED_NODE, HELPER, NODE_MEMBERS, raw, run, script } from "./steps.js";
import type { Script } from "./steps.js";

/** What a machine made with -S says of itself. */
const STATUS = run("query-status", undefined, ["status", "running"]);

const PROTOCOL: readonly Script[] = [
  { ...raw("the greeting", CAPABILITIES), greeting: true },
  raw("commands before negotiation", { execute: "query-status" }, { execute: "nope", id: 1 }, CAPABILITIES, {
    execute: "query-pr-managers",
    id: 2,
  }),
  raw("negotiation twice", CAPABILITIES, CAPABILITIES),
  raw(
    "negotiation with wrong arguments",
    { ...CAPABILITIES, arguments: { enable: ["nope"] } },
    { ...CAPABILITIES, arguments: { x: 1 } },
    CAPABILITIES,
  ),
  raw("negotiation with an empty list", { ...CAPABILITIES, arguments: { enable: [] } }, { ...CAPABILITIES, arguments: {} }),
  raw("negotiation of out-of-band commands", { ...CAPABILITIES, arguments: { enable: ["oob"] } }),
  script(
    "ids of every kind",
    ...[1, "x", null, true, [1, [2]], { a: { b: [] } }, 1.5, -0.5].map((id) => ({ send: { ...CAPABILITIES, id } })),
    { send: '{"execute": "qmp_capabilities", "id": 18446744073709551615}' },
    { send: '{"execute": "qmp_capabilities", "id": -9223372036854775808}' },
  ),
  script("ids of errors", { send: { execute: "nope", id: { deep: [1] } } }, { send: { id: 7 } }, { send: { execute: 5, id: "five" } }),
  script("messages that are no commands", { send: "5 " }, { send: '"text"' }, { send: "[1, 2]" }, { send: "null " }, { send: "{}" }),
  script("unexpected members", { send: { execute: "query-status", x: 1 } }, { send: { execute: "query-status", arguments: [], id: 1 } }),
  script(
    "arguments that are no object",
    { send: { execute: "query-status", arguments: 5 } },
    { send: { execute: "query-status", arguments: null } },
  ),
  script("out-of-band command without the capability", { send: { "exec-oob": "query-status", id: 1 } }),
  script(
    "syntax errors",
    { send: "{bad}\n" },
    { send: '{"execute": }\n' },
    { send: '{"a": 1,}\n' },
    run("qom-get", { path: "/", property: "type" }),
  ),
  script("a bracket too many", { send: "}\n" }, run("qom-get", { path: "/", property: "type" })),
  script("text that is no JSON", { send: "hello\n" }, run("qom-get", { path: "/", property: "type" })),
  script("single quotes", { send: "{'execute': 'qom-get', 'arguments': {'path': '/', 'property': 'type'}, 'id': 'it''s'}" }),
  script("escapes in strings", {
    send: '{"execute": "qom-get", "arguments": {"path": "\\u002f", "property": "type"}, "id": "\\ud83d\\ude00\\n"}',
  }),
  script("blanks everywhere", { send: ' \t\r\n {\r\n "execute" :\t"qom-get" , "arguments": {"path":"/","property":"type"} } \r\n' }),
  script("unknown command", run("nope"), run(""), run("QUERY-STATUS"), run("query_status")),
  script("no arguments where none are taken", run("query-status", { x: 1 }), run("query-version", { y: null })),
];

const QUERIES: readonly Script[] = [
  script("query-version", run("query-version", undefined, "shape")),
  script("query-status", run("query-status", undefined, "shape")),
  script("the machine runs and stops", ...["stop", "cont", "cont", "stop", "stop", "cont"].flatMap((command) => [run(command), STATUS])),
  script("query-commands", run("query-commands", undefined, "shape")),
  script("query-pr-managers without any", run("query-pr-managers")),
  script("query-block without any", run("query-block"), run("query-named-block-nodes")),
  script("query-named-block-nodes", run("blockdev-add", DISK_NODE), run("query-named-block-nodes", { flat: true }, "shape")),
  script(
    "values of query-named-block-nodes",
    run("blockdev-add", { ...DISK_NODE, file: { ...DISK_NODE.file, "node-name": "f" } }),
    run("query-named-block-nodes", undefined, NODE_MEMBERS),
  ),
];

const OBJECTS: readonly Script[] = [
  script(
    "a manager comes and goes",
    run("object-add", HELPER),
    run("query-pr-managers"),
    run("object-del", { id: "h0" }),
    run("query-pr-managers"),
  ),
  script(
    "a manager twice",
    run("object-add", HELPER),
    run("object-add", HELPER),
    run("object-add", { "qom-type": "secret", id: "h0", data: "x" }),
  ),
  script(
    "a manager without its helper",
    run("object-add", { ...HELPER, path: "/nonexistent/socket" }),
    run("object-add", { ...HELPER, path: "" }),
    run("query-pr-managers"),
  ),
  script(
    "a manager without path",
    run("object-add", { "qom-type": "pr-manager-helper", id: "h0" }),
    run("object-add", { ...HELPER, x: 1 }),
    run("object-add", { ...HELPER, path: 5 }),
  ),
  script(
    "objects without type or id",
    run("object-add", {}),
    run("object-add", { id: "a" }),
    run("object-add", { "qom-type": "secret" }),
    run("object-add", { "qom-type": 5, id: "a" }),
  ),
  script(
    "types that are not to be created",
    ...["nope", "pr-manager", "container", "scsi-block", "object"].map((type) => run("object-add", { "qom-type": type, id: "a" })),
  ),
  script(
    "ids of objects",
    ...["1a", "_a", "-a", "a b", "a/b", "", "é", "a.b", "A9-._", "x".repeat(200)].map((id) =>
      run("object-add", { "qom-type": "secret", id, data: "x" }),
    ),
  ),
  script("the id type is taken", run("object-add", { "qom-type": "secret", id: "type", data: "x" })),
  script(
    "values of properties",
    ...[5, "5", "0x10", null, true, 1.5, -1].map((value) => run("object-add", { "qom-type": "iothread", id: "i", "poll-max-ns": value })),
    run("object-del", { id: "i" }),
  ),
  script(
    "object-del",
    run("object-del", { id: "nope" }),
    run("object-del", {}),
    run("object-del", { id: 5 }),
    run("object-del", { id: "a", x: 1 }),
    run("object-del", { id: "/objects/a" }),
  ),
  script("a manager that a node uses", run("object-add", HELPER), run("blockdev-add", HELPED_NODE), run("object-del", { id: "h0" })),
];

const OBJECTS_TO_LIST = [
  { "qom-type": "secret", id: "a", data: "x" },
  { "qom-type": "iothread", id: "i" },
  { "qom-type": "authz-list", id: "l" },
];

const MODEL: readonly Script[] = [
  script("qom-list of the root", run("qom-list", { path: "/objects" }), run("qom-list", { path: "//objects/" })),
  script(
    "qom-list of objects",
    run("object-add", HELPER),
    run("qom-list", { path: "/objects" }, ["name"]),
    run("qom-list", { path: "/objects/h0" }, ["name"]),
  ),
  script(
    "qom-list of nothing",
    run("qom-list", { path: "/nope" }),
    run("qom-list", { path: "" }),
    run("qom-list", {}),
    run("qom-list", { path: 5 }),
  ),
  script(
    "qom-get",
    run("object-add", HELPER),
    run("qom-get", { path: "/objects/h0", property: "type" }),
    run("qom-get", { path: "h0", property: "type" }),
    run("qom-get", { path: "/objects", property: "h0" }),
  ),
  script(
    "qom-get of nothing",
    run("qom-get", { path: "/nope", property: "type" }),
    run("qom-get", { path: "/", property: "nope" }),
    run("qom-get", { path: "/" }),
    run("qom-get", { path: "", property: "type" }),
  ),
  script(
    "qom-list-get",
    ...OBJECTS_TO_LIST.map((object) => run("object-add", object)),
    run("qom-list-get", { paths: ["/objects/a", "i", "/objects/l"] }),
    run("qom-list-get", { paths: [] }),
    run("qom-get", { path: "a", property: "file" }),
  ),
  script(
    "qom-list-get of nothing",
    run("object-add", { "qom-type": "secret", id: "a", data: "x" }),
    run("qom-list-get", { paths: ["/objects/a", "/nope"] }),
    run("qom-list-get", { paths: [""] }),
    run("qom-list-get", { paths: "a" }),
    run("qom-list-get", {}),
  ),
  script(
    "qom-set",
    run("object-add", HELPER),
    run("qom-set", { path: "/objects/h0", property: "path", value: "/elsewhere" }),
    run("qom-get", { path: "/objects/h0", property: "path" }),
  ),
  script(
    "qom-set of what cannot be",
    run("object-add", HELPER),
    run("qom-set", { path: "/objects/h0", property: "path", value: 5 }),
    run("qom-set", { path: "/objects/h0", property: "path", value: null }),
    run("qom-set", { path: "/objects/h0", property: "path" }),
    run("qom-set", { path: "/objects/h0", property: "nope", value: 1 }),
    run("qom-set", { path: "/nope", property: "path", value: "x" }),
    run("qom-set", { path: "/objects/h0", property: "type", value: "x" }),
    run("qom-set", { path: "/objects", property: "h0", value: "x" }),
  ),
  script(
    "integers of qom-set",
    run("object-add", { "qom-type": "iothread", id: "i" }),
    ...[7, 0, -1, "7", 1000.0, 1.5, null, false].map((value) => run("qom-set", { path: "/objects/i", property: "poll-max-ns", value })),
    run("qom-get", { path: "/objects/i", property: "poll-max-ns" }),
  ),
  script(
    "paths that fit twice",
    run("object-add", { "qom-type": "secret", id: "peripheral", data: "x" }),
    run("qom-list", { path: "peripheral" }),
    run("qom-list", { path: "" }),
    run("qom-list", { path: "peripheral/nope" }),
    run("qom-get", { path: "objects/peripheral", property: "type" }),
    run("qom-get", { path: "peripheral", property: "type" }),
    run("qom-set", { path: "peripheral", property: "data", value: "x" }),
  ),
  script(
    "qom-list-types",
    run("qom-list-types", { implements: "nope" }),
    run("qom-list-types", { implements: "pr-manager", abstract: true }, ["name"]),
    run("qom-list-types", { abstract: "yes" }),
    run("qom-list-types", { x: 1 }),
  ),
  script(
    "properties of types",
    run("qom-list-properties", { typename: "pr-manager-helper" }, ["name"]),
    run("qom-list-properties", { typename: "pr-manager" }, ["name"]),
    run("qom-list-properties", { typename: "nope" }),
    run("qom-list-properties", { typename: "user-creatable" }),
    run("qom-list-properties", {}),
  ),
  script(
    "properties of devices",
    run("device-list-properties", { typename: "nope" }),
    run("device-list-properties", { typename: "device" }),
    run("device-list-properties", { typename: "secret" }),
    run("device-list-properties", {}),
    run("device-list-properties", { typename: "scsi-block" }, "shape"),
  ),
];

/** All scripts. */
export const SCRIPTS: readonly Script[] = [...PROTOCOL, ...QUERIES, ...OBJECTS, ...MODEL, ...BLOCK, ...DEVICES];
