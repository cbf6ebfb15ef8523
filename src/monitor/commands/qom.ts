/** Commands that look into the object model (QEMU: qapi/qom.json). */
import * as z from "zod";
import { lazily } from "../../base/lazily.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { DEVICE_TYPE } from "../../devices/set/device-set.js";
import type { PropertyListing } from "../../qom/properties.js";
import type { RegisteredType } from "../../qom/type-registry.js";
import type { PlainValue } from "../../options/value.js";
import { anyValueSchema, defineCommand, nothingSchema } from "../command.js";
import type { QmpCommand } from "../command.js";
import type { MonitorHost } from "../host.js";

const propertyInfoSchema = lazily(() =>
  z.strictObject({
    name: z.string(),
    type: z.string(),
    description: z.string().optional(),
    "default-value": anyValueSchema().optional(),
  }),
);

type PropertyInfo = z.output<ReturnType<typeof propertyInfoSchema>>;

function propertyInfo({ name, type, description, defaultValue }: PropertyListing): PropertyInfo {
  return {
    name,
    type,
    ...(description === undefined ? {} : { description }),
    ...(defaultValue === undefined ? {} : { "default-value": defaultValue }),
  };
}

const qomList = defineCommand({
  name: "qom-list",
  arguments: () => z.strictObject({ path: z.string() }),
  result: () => z.array(propertyInfoSchema()),
  run: ({ path }, { host }) => {
    // The empty path is one that every object fits.
    if (path === "") throw new QomError("ambiguous", "path '' fits more than one object", { context: { value: path } });
    return host.tree.list(path).map(propertyInfo);
  },
});

/** As in QEMU, a path that fits several objects is to these two commands one that fits none. */
function unlessAmbiguous<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof QomError) || error.kind !== "ambiguous") throw error;
    throw new QomError("not-found", error.message, { context: { value: path }, qmpClass: "DeviceNotFound" });
  }
}

/** What QEMU calls the types of texts. */
const TEXT_TYPES: readonly string[] = ["str", "string"];

/** A text that was never set reads as an empty one, as in QEMU. @param type of the property, where it is known */
function readProperty(host: MonitorHost, path: string, property: string, type?: string): PlainValue {
  const value = host.tree.get(path, property);
  if (value !== null) return value;
  const itsType = type ?? host.tree.list(path).find(({ name }) => name === property)?.type;
  return itsType !== undefined && TEXT_TYPES.includes(itsType) ? "" : null;
}

const qomGet = defineCommand({
  name: "qom-get",
  arguments: () => z.strictObject({ path: z.string(), property: z.string() }),
  result: anyValueSchema,
  run: ({ path, property }, { host }) => unlessAmbiguous(path, () => readProperty(host, path, property)),
});

const qomSet = defineCommand({
  name: "qom-set",
  arguments: () => z.strictObject({ path: z.string(), property: z.string(), value: anyValueSchema() }),
  result: nothingSchema,
  run: ({ path, property, value }, { host }) => {
    unlessAmbiguous(path, () => host.tree.set(path, property, value));
    return {};
  },
});

/** Objects of one qom-list-get: each is answered with all of its properties. */
const LISTED_PATHS_MAX = 1024;

/** Values of all properties of several objects in one command (QEMU 10.1). A property that cannot be read has no value. */
const qomListGet = defineCommand({
  name: "qom-list-get",
  arguments: () => z.strictObject({ paths: z.array(z.string()).max(LISTED_PATHS_MAX) }),
  result: () =>
    z.array(
      z.strictObject({
        properties: z.array(z.strictObject({ name: z.string(), type: z.string(), value: anyValueSchema().optional() })),
      }),
    ),
  run: ({ paths }, { host }) =>
    paths.map((path) => ({
      properties: host.tree.list(path).map(({ name, type }) => ({ name, type, ...readable(host, path, name, type) })),
    })),
});

function readable(host: MonitorHost, path: string, name: string, type: string): { readonly value?: PlainValue } {
  try {
    const value = readProperty(host, path, name, type);
    return value === null ? {} : { value };
  } catch (error) {
    if (error instanceof QomError) return {};
    throw error;
  }
}

const qomListTypes = defineCommand({
  name: "qom-list-types",
  arguments: () => z.strictObject({ implements: z.string().optional(), abstract: z.boolean().optional() }),
  result: () => z.array(z.strictObject({ name: z.string(), parent: z.string().optional(), abstract: z.boolean().optional() })),
  run: (given, { host }) => {
    const filter = {
      ...(given.implements === undefined ? {} : { implements: given.implements }),
      ...(given.abstract === undefined ? {} : { abstract: given.abstract }),
    };
    return host.tree.listTypes(filter).map(({ name, parent, abstract }) => ({
      name,
      ...(parent === null ? {} : { parent }),
      ...(abstract ? { abstract } : {}),
    }));
  },
});

const qomListProperties = defineCommand({
  name: "qom-list-properties",
  arguments: () => z.strictObject({ typename: z.string() }),
  result: () => z.array(propertyInfoSchema()),
  run: ({ typename }, { host }) => {
    if (host.objectTypes.isInterface(typename)) {
      throw new QomError("wrong-type", `'${printable(typename)}' is an interface, which has no properties`, {
        context: { value: typename },
      });
    }
    return host.tree.listProperties(typename).map(propertyInfo);
  },
});

/** Properties of every object, which a list for -device leaves out. */
const PROPERTIES_OF_ALL_OBJECTS = ["type"];

const deviceListProperties = defineCommand({
  name: "device-list-properties",
  arguments: () => z.strictObject({ typename: z.string() }),
  result: () => z.array(propertyInfoSchema()),
  run: ({ typename }, { host }) => {
    const { name } = concreteDevice(host, typename);
    return host.tree
      .listProperties(name)
      .filter((property) => !PROPERTIES_OF_ALL_OBJECTS.includes(property.name))
      .map(propertyInfo);
  },
});

function concreteDevice(host: MonitorHost, name: string): RegisteredType {
  const context = { value: name };
  const type = host.objectTypes.find(name);
  if (type === undefined) {
    throw new QomError("unknown-type", `no device type '${printable(name)}'`, { context, qmpClass: "DeviceNotFound" });
  }
  if (!host.objectTypes.isA(type.name, DEVICE_TYPE)) throw new QomError("wrong-type", `'${type.name}' is not a device type`, { context });
  if (type.abstract) throw new QomError("abstract-type", `device type '${type.name}' is abstract`, { context });
  return type;
}

/** See the file text. */
export const QOM_COMMANDS: readonly QmpCommand[] = [
  qomList,
  qomListGet,
  qomGet,
  qomSet,
  qomListTypes,
  qomListProperties,
  deviceListProperties,
];
