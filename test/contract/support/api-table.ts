/** THE table of what can be called by a user of the library, and of what kinds the arguments are. */
import * as api from "qom-pr";
import { PersistentReserveIn, PersistentReserveOut, QomError, TransportId, qom } from "qom-pr";
import { machineRows, storageRows } from "./api-storage-and-machines.js";
import {
  NEXUS,
  parameter,
  text,
  bytes,
  optionalBytes,
  count,
  options,
  sense,
  object,
  map,
  form,
  optionalForm,
  propertyType,
  linkTarget,
  numbers,
  bigints,
  method,
  made,
} from "./parameters.js";
import type { Row } from "./parameters.js";
import { accepts, isEmpty, orNothing } from "./wrong-values.js";

const values: readonly Row[] = [
  method("parseSense", () => api, bytes("bytes")),
  method("formatSense", () => api, sense),
  method(
    "senseResult",
    () => api,
    sense,
    options("options", {
      fieldPointer: orNothing(accepts.nothing),
      information: orNothing(accepts.count),
      deferred: orNothing(accepts.flag),
    }),
  ),
  made("new TransportId", TransportId, parameter("TransportId.parse", 5, accepts.nothing)),
  method(
    "TransportId.parse",
    () => TransportId,
    parameter("input", "naa.5000000000000001", (value) => accepts.text(value) || accepts.bytes(value)),
  ),
  method(
    "TransportId.decode",
    () => TransportId,
    bytes("bytes"),
    parameter("offset", 0, orNothing(accepts.count)),
    parameter("end", 8, orNothing(accepts.number)),
  ),
  method("TransportId#encodeInto", () => NEXUS.initiator, bytes("target"), count("offset")),
  method("TransportId#equals", () => NEXUS.initiator, parameter("other", NEXUS.initiator, accepts.nothing)),
  method(
    "TransportId#keyAt",
    () => NEXUS.initiator,
    parameter("targetPort", 1, (value) => typeof value === "number"),
  ),
  ...["readKeys", "readReservation", "reportCapabilities", "readFullStatus"].map((name) =>
    method(
      `PersistentReserveIn.${name}`,
      () => PersistentReserveIn,
      parameter("allocationLength", 8, (value) => value === 0),
    ),
  ),
  ...["parse", "completeLength"].map((name) =>
    method(
      `PersistentReserveIn.${name}`,
      () => PersistentReserveIn,
      parameter("PERSISTENT RESERVE IN", "read-keys", (value) => value === 0),
      bytes("bytes"),
    ),
  ),
  method(
    "PersistentReserveIn.encodeKeys",
    () => PersistentReserveIn,
    count("generation"),
    parameter(
      "keys",
      [1n],
      (value) => accepts.iterable(value) && !accepts.bytes(value) && !types16(value) && !(Array.isArray(value) && value.length > 0),
    ),
    count("count"),
    parameter("allocationLength", 800, accepts.count),
    optionalBytes("into"),
  ),
  method(
    "PersistentReserveIn.encodeReservation",
    () => PersistentReserveIn,
    count("generation"),
    parameter("reservation", { key: 1n, scope: 0, type: 5 }, (value) => value === null, {
      key: accepts.bigint,
      scope: accepts.count,
      type: accepts.count,
    }),
    count("allocationLength"),
    optionalBytes("into"),
  ),
  method(
    "PersistentReserveIn.encodeCapabilities",
    () => PersistentReserveIn,
    parameter("capabilities", PersistentReserveIn.parse(2, Uint8Array.of(0, 8, 0, 0x80, 0, 0, 0, 0)), accepts.nothing, {
      replaceLostReservation: accepts.flag,
      allowCommands: accepts.count,
      types: (value) => value === null || accepts.emptyArray(value),
    }),
    count("allocationLength"),
    optionalBytes("into"),
  ),
  method(
    "PersistentReserveIn.encodeFullStatus",
    () => PersistentReserveIn,
    count("generation"),
    parameter(
      "entries",
      [],
      (value) => accepts.iterable(value) && !accepts.bytes(value) && !types16(value) && !(Array.isArray(value) && value.length > 0),
    ),
    count("count"),
    count("allocationLength"),
    optionalBytes("into"),
  ),
  method(
    "PersistentReserveOut.encode",
    () => PersistentReserveOut,
    parameter("request", { action: "register" }, accepts.nothing, {
      action: accepts.nothing,
      key: (value) => value === undefined || value === 5n,
      serviceActionKey: (value) => value === undefined || value === 5n,
      type: (value) => value === undefined || value === 0,
      scope: (value) => value === undefined || value === 0,
      aptpl: orNothing(accepts.flag),
      allTargetPorts: orNothing(accepts.flag),
      transportIds: orNothing(accepts.emptyArray),
    }),
  ),
  method(
    "PersistentReserveOut.parse",
    () => PersistentReserveOut,
    bytes("cdb"),
    bytes("dataOut"),
    parameter("settings", {}, (value) => value === undefined || accepts.object(value)),
  ),
];

function types16(value: unknown): boolean {
  return value instanceof Uint16Array;
}

const model: readonly Row[] = [
  made(
    "new QomError",
    QomError,
    parameter("kind", "io", accepts.nothing),
    text("message"),
    parameter("options", {}, (value) => value === undefined || accepts.object(value)),
  ),
  method("QomError#within", () => new QomError("io", "x"), parameter("context", {}, accepts.object)),
  method("QomError#nestedIn", () => new QomError("io", "x"), text("name")),
  method(
    "inject",
    () => api,
    parameter("token", "x", (value) => accepts.text(value) || accepts.function(value) || typeof value === "symbol"),
  ),
  method(
    "qomType",
    () => api,
    parameter("metadata", { name: "x", description: "x" }, accepts.nothing, {
      name: accepts.text,
      description: accepts.text,
      abstract: orNothing(accepts.flag),
      interfaces: orNothing(accepts.emptyArray),
      aliases: orNothing(accepts.emptyArray),
    }),
  ),
  method(
    "qomProperty",
    () => api,
    propertyType("type"),
    parameter("options", { description: "x" }, accepts.nothing, {
      description: accepts.text,
      name: orNothing(accepts.text),
      required: orNothing(accepts.flag),
      access: orNothing(accepts.nothing),
    }),
  ),
  method(
    "hold",
    () => api,
    object("object"),
    parameter("holder", { describe: () => "x" }, accepts.nothing, { describe: accepts.function }),
  ),
  method("addChild", () => api, object("parent"), text("name"), object("child")),
  method("addAlias", () => api, object("object"), text("name"), object("target"), text("targetName")),
  method(
    "addProperty",
    () => api,
    object("object"),
    text("name"),
    propertyType("type"),
    parameter("property", { description: "x", get: () => undefined }, accepts.nothing, {
      description: accepts.text,
      get: accepts.function,
      set: orNothing(accepts.function),
    }),
  ),
  ...["int8", "int16", "int32", "uint8", "uint16", "uint32"].map((name) => method(`qom.${name}`, () => qom, numbers)),
  ...["int64", "uint64", "size"].map((name) => method(`qom.${name}`, () => qom, bigints)),
  method("qom.enumeration", () => qom, text("name"), parameter("values", ["a"], accepts.nothing)),
  method("qom.listOf", () => qom, propertyType("element")),
  method(
    "qom.object",
    () => qom,
    text("name"),
    parameter("required", {}, (value) => isEmpty(value), { x: accepts.nothing }),
    parameter("optional", {}, (value) => value === undefined || isEmpty(value), {
      x: accepts.nothing,
    }),
  ),
  method("qom.nested", () => qom, text("name"), text("expects")),
  method("qom.link", () => qom, linkTarget),
  method("qom.weakLink", () => qom, linkTarget),
  method("CompositionTree#resolve", (c) => c.machine.qom, text("path")),
  method("CompositionTree#get", (c) => c.machine.qom, text("path", "/objects/pr0"), text("property")),
  method(
    "CompositionTree#set",
    (c) => c.machine.qom,
    text("path", "/objects/pr0"),
    text("property"),
    parameter("property", "x", accepts.nothing),
    optionalForm,
  ),
  method("CompositionTree#list", (c) => c.machine.qom, text("path")),
  method(
    "CompositionTree#listTypes",
    (c) => c.machine.qom,
    parameter("filter", {}, (value) => value === undefined || accepts.object(value)),
  ),
  method("CompositionTree#listProperties", (c) => c.machine.qom, text("typeName")),
  method("CompositionTree#creatableType", (c) => c.machine.qom, text("name")),
  method(
    "CompositionTree#add",
    (c) => c.machine.qom,
    text("typeName"),
    text("id"),
    parameter("values", new Map(), orNothing(accepts.map)),
    optionalForm,
  ),
  method("CompositionTree#check", (c) => c.machine.qom, text("typeName"), text("id"), map("values"), form),
  method("CompositionTree#delete", (c) => c.machine.qom, text("id")),
  method("CompositionTree#object", (c) => c.machine.qom, text("id")),
  method("CompositionTree#isTaken", (c) => c.machine.qom, object("parent"), text("name")),
  method("CompositionTree#children", (c) => c.machine.qom, object("object")),
  method("CompositionTree#attach", (c) => c.machine.qom, object("parent"), text("name"), object("child")),
  method("CompositionTree#detach", (c) => c.machine.qom, object("child")),
];

/** All rows. */
export const ROWS: readonly Row[] = [...values, ...model, ...storageRows, ...machineRows];
