/** The part of the table of the API (api-table.ts) that concerns storage and machines. */
import { Fabric, Machine } from "qom-pr";
import {
  UNIT,
  parameter,
  text,
  aFunction,
  bytes,
  nexus,
  options,
  unit,
  command,
  optionalSense,
  object,
  map,
  form,
  fabricMembers,
  registry,
  method,
  made,
} from "./parameters.js";
import type { Row } from "./parameters.js";
import { accepts, orNothing } from "./wrong-values.js";

const spec = parameter("spec", { wwn: "naa.5000000000000099" }, accepts.nothing, {
  wwn: accepts.text,
  sizeBytes: orNothing(accepts.number),
  filename: orNothing(accepts.text),
  blockSizeBytes: orNothing(accepts.number),
  physicalBlockSizeBytes: orNothing(accepts.number),
  serial: orNothing(accepts.text),
  writeProtected: orNothing(accepts.flag),
  thinProvisioned: orNothing(accepts.flag),
  locking: orNothing(accepts.text),
  sharesWrites: orNothing(accepts.flag),
});

const account = parameter(
  "account",
  { owner: "x", ledger: { hasRoom: () => true, change: () => undefined, ownerOf: () => null } },
  accepts.nothing,
  { owner: accepts.text, ledger: accepts.nothing },
);

const imageAccess = parameter("access", { writes: true, sharesWrites: true }, accepts.nothing, {
  writes: accepts.flag,
  sharesWrites: accepts.flag,
});

/** What concerns a fabric and its units. */
export const storageRows: readonly Row[] = [
  made("new Fabric", Fabric, options("options", fabricMembers)),
  made(
    "new Fabric, behaviour",
    class extends Fabric {
      constructor(behaviour: object) {
        super({ behaviour });
      }
    },
    parameter("behaviour", {}, (value) => value === undefined || accepts.object(value), {
      taskAbortedStatus: orNothing(accepts.flag),
      allTargetPorts: orNothing(accepts.flag),
      types: orNothing(accepts.nothing),
      registrationsMax: orNothing((value) => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 1_000_000),
    }),
  ),
  method(
    "Fabric.open",
    () => Fabric,
    parameter("options", { stateDir: "/proc/nowhere" }, accepts.nothing, { stateDir: accepts.text, ...fabricMembers, store: () => true }),
  ),
  method("Fabric#unit", (c) => c.fabric, text("wwn")),
  method("Fabric#attach", (c) => c.fabric, spec, parameter("onCreate", undefined, orNothing(accepts.function))),
  method(
    "Fabric#attachPath",
    (c) => c.fabric,
    spec,
    parameter("options", { writes: true, warn: () => undefined, onCreate: () => undefined }, accepts.nothing, {
      writes: accepts.flag,
      warn: accepts.function,
      onCreate: accepts.function,
    }),
  ),
  method("Fabric#discard", (c) => c.fabric, parameter("unit", UNIT, accepts.nothing)),
  method("Fabric#shadow", (c) => c.fabric, text("identity")),
  method("Fabric#shadowFor", (c) => c.fabric, text("identity"), account),
  method("Fabric#forgetNexus", (c) => c.fabric, nexus),
  method("Fabric#onReservationChange", (c) => c.fabric, aFunction("listener")),
  method("Fabric#onWarning", (c) => c.fabric, aFunction("listener")),
  method("ScsiFabric#onReservationChange", (c) => c.san, aFunction("listener")),
  method("ScsiFabric#onWarning", (c) => c.san, aFunction("listener")),
  method("LogicalUnit#attentionsOf", (c) => c.unit, nexus),
  method("LogicalUnit#login", (c) => c.unit, nexus, options("options", { powerOnUnitAttention: orNothing(accepts.flag) })),
  method("LogicalUnit#logout", (c) => c.unit, nexus),
  method(
    "LogicalUnit#execute",
    (c) => c.unit,
    nexus,
    command,
    options("path", { readOnly: orNothing(accepts.flag), account: orNothing(accepts.nothing) }),
  ),
  method("LogicalUnit#forgetIdle", (c) => c.unit, parameter("only", undefined, orNothing(accepts.nothing))),
  method("LogicalUnit#reset", (c) => c.unit, parameter("kind", "target", accepts.nothing), nexus),
  method("LogicalUnit#claimMedium", (c) => c.unit, imageAccess),
  method("LogicalUnit#checkMedium", (c) => c.unit, imageAccess),
  method(
    "LogicalUnit#hold",
    (c) => c.unit,
    parameter("filter", () => false, orNothing(accepts.function)),
  ),
  method(
    "LogicalUnit#disturb",
    (c) => c.unit,
    aFunction("filter"),
    parameter("disturbance", {}, accepts.object, {
      latencyMs: orNothing(accepts.duration),
      result: orNothing(accepts.nothing),
      pathLost: orNothing(accepts.flag),
    }),
  ),
  method("Hold#reached", (c) => c.hold, parameter("count", 0, accepts.count)),
];

/** What concerns a machine and its parts. */
export const machineRows: readonly Row[] = [
  method("PrManager#admit", (c) => c.manager, unit),
  method("PrManager#execute", (c) => c.manager, unit, command),
  method("PrManager#onConnectionChange", (c) => c.manager, aFunction("listener"), options("options", { current: orNothing(accepts.flag) })),
  method("PrManager#nexusGone", (c) => c.manager, nexus),
  method("PrManager#onExecute", (c) => c.manager, aFunction("listener")),
  method("ScsiDevice#execute", (c) => c.device, command),
  method("BlockGraph#policiesOf", (c) => c.machine.graph, text("name")),
  method("ScsiDevice#executeAnyway", (c) => c.device, command),
  method("ScsiDevice#reset", (c) => c.device, parameter("scope", "target", accepts.nothing)),
  method("ReservationMigration#save", (c) => c.device.migration, options("options", { attentions: orNothing(accepts.flag) })),
  method("ReservationMigration#restore", (c) => c.device.migration, bytes("bytes")),
  method("ScsiDevice#routeOf", (c) => c.device, parameter("opcode", 0, orNothing(accepts.number))),
  method("ScsiDevice#countsBlocks", (c) => c.device, bytes("cdb")),
  method("VirtioScsi#start", (c) => c.hba, parameter("acceptedFeatures", 0n, accepts.bigint)),
  method(
    "VirtioScsi#submit",
    (c) => c.hba,
    parameter("queue", 0, accepts.count),
    parameter("chain", { readable: [], writable: [] }, accepts.nothing, { readable: accepts.emptyArray, writable: accepts.emptyArray }),
  ),
  method("VirtioScsi#writeConfig", (c) => c.hba, parameter("offset", 0, accepts.number), bytes("bytes")),
  method("VirtioScsi#onNeedsReset", (c) => c.hba, aFunction("listener")),
  method("VirtioScsi#reportChange", (c) => c.hba, { name: "device", right: (c) => c.device, accepts: accepts.nothing }, optionalSense),
  made("new Machine", Machine, parameter("Machine.create", 5, accepts.nothing)),
  method(
    "Machine.create",
    () => Machine,
    parameter("argv", [], accepts.emptyArray),
    options("options", {
      fabric: orNothing(accepts.nothing),
      ...registry,
      stdio: orNothing(accepts.nothing),
      notify: orNothing(accepts.function),
      warn: orNothing(accepts.function),
      folderUse: orNothing(accepts.nothing),
      wait: orNothing(accepts.flag),
      signal: orNothing(accepts.nothing),
      container: orNothing(accepts.nothing),
    }),
  ),
  method("Machine.help", () => Machine, parameter("argv", [], accepts.emptyArray), options("options", registry)),
  method("Machine#abovePrompt", (c) => c.machine, aFunction("print")),
  ...["object", "device", "scsiDevice", "hba"].map((name) =>
    method(`Machine#${name}`, (c) => c.machine, text(name === "object" ? "id" : "idOrPath")),
  ),
  method("BlockGraph#node", (c) => c.machine.graph, text("name")),
  method("BlockGraph#has", (c) => c.machine.graph, text("name")),
  method("BlockGraph#isDrive", (c) => c.machine.graph, text("id")),
  method("BlockGraph#closeUnused", (c) => c.machine.graph, text("name")),
  method("BlockGraph#open", (c) => c.machine.graph, map("values"), form),
  method("BlockGraph#check", (c) => c.machine.graph, map("values"), form),
  method("BlockGraph#openDrive", (c) => c.machine.graph, map("values")),
  method("BlockGraph#close", (c) => c.machine.graph, text("name")),
  method("BlockGraph#nestedIn", (c) => c.machine.graph, object("owner")),
  method("BlockGraph#childrenOf", (c) => c.machine.graph, object("node")),
  method(
    "BlockGraph#setActive",
    (c) => c.machine.graph,
    parameter("name", null, (value) => value === null || typeof value === "string"),
    parameter("active", true, accepts.flag),
  ),
  method("BlockGraph#isProtocol", (c) => c.machine.graph, text("driver")),
  method("BlockGraph#typeOf", (c) => c.machine.graph, object("node")),
  method(
    "QmpExecutor#execute",
    (c) => c.machine.qmp,
    text("command"),
    parameter("args", {}, (value) => value === undefined || accepts.object(value)),
  ),
  method("QmpExecutor#onEvent", (c) => c.machine.qmp, aFunction("listener")),
];
