/** Words of the table of the API: rows and arguments. */
import { PR_MANAGER_LINK, qom, QomObject, Sense, TransportId } from "qom-pr";
import type { Fabric, Hold, LogicalUnit, Machine, PrManager, ScsiDevice, ScsiFabric, VirtioScsi } from "qom-pr";
import { accepts, orNothing } from "./wrong-values.js";
import type { Accepts } from "./wrong-values.js";

/** An argument. */
export interface Parameter {
  /** As messages call it. */
  readonly name: string;
  /** One that would do. */
  readonly right: (context: Context) => unknown;
  /** Which of the wrong values are not wrong here. */
  readonly accepts: Accepts;
  /** Members of an object of options, each of which is tried with every value. */
  readonly members?: Readonly<Record<string, Accepts>>;
}

/** What functions are called on. */
export interface Context {
  readonly fabric: Fabric;
  readonly unit: LogicalUnit;
  readonly machine: Machine;
  readonly device: ScsiDevice;
  readonly hba: VirtioScsi;
  readonly manager: PrManager;
  readonly san: ScsiFabric;
  readonly hold: Hold;
}

/** A function of the API. */
export interface Row {
  /** As messages of a failing test call it; `Class#method`, `Class.function`, `new Class`, or the name of an export. */
  readonly name: string;
  readonly call: (context: Context, args: readonly unknown[]) => unknown;
  readonly parameters: readonly Parameter[];
}

/** A nexus that is one. */
export const NEXUS = { initiator: TransportId.parse("iqn.2026-11.org.example:a,i,0x000000000001"), targetPort: 1 };
/** A unit that is one for managers. */
export const UNIT = {
  fd: null,
  readOnly: false,
  identity: "x",
  nexus: null,
  sgio: (): Promise<never> => Promise.reject(new Error("not called")),
};
const COMMAND = { cdb: new Uint8Array(6) };

/** Any argument. */
export function parameter(name: string, right: unknown, kind: Accepts, members?: Readonly<Record<string, Accepts>>): Parameter {
  return { name, right: () => right, accepts: kind, ...(members === undefined ? {} : { members }) };
}

/** A text. */
export const text = (name: string, right = "x"): Parameter => parameter(name, right, accepts.text);
/** A function. */
export const aFunction = (name: string): Parameter => parameter(name, () => undefined, accepts.function);
/** Bytes. */
export const bytes = (name: string): Parameter => parameter(name, new Uint8Array(8), accepts.bytes);
/** Bytes, or none. */
export const optionalBytes = (name: string): Parameter => parameter(name, undefined, orNothing(accepts.bytes));
/** A number of things. */
export const count = (name: string): Parameter => parameter(name, 8, accepts.count);
/** A nexus. */
export const nexus = parameter("nexus", NEXUS, accepts.nothing, {
  initiator: accepts.nothing,
  targetPort: (value) => typeof value === "number",
});
/** Options that may all be left out. */
export const options = (name: string, members: Readonly<Record<string, Accepts>>): Parameter =>
  parameter(name, {}, (value) => value === undefined || accepts.object(value), members);
/** A unit for managers. */
export const unit = parameter("unit", UNIT, accepts.nothing, { identity: accepts.text, readOnly: accepts.flag, sgio: accepts.function });
/** A command. */
export const command = parameter("command", COMMAND, accepts.nothing, {
  cdb: accepts.bytes,
  dataOut: orNothing(accepts.bytes),
  into: orNothing(accepts.bytes),
  allocationLength: orNothing(accepts.count),
  timeoutMs: orNothing(accepts.duration),
  signal: orNothing(accepts.nothing),
});
/** A sense code. */
export const sense = parameter("sense", Sense.NO_SENSE, accepts.nothing);
/** A sense code that may be left out. */
export const optionalSense = parameter("sense", Sense.NO_SENSE, (value) => value === undefined);
/** An object of the model. */
export const object = (name: string): Parameter => parameter(name, new (class extends QomObject {})(), accepts.nothing);
/** Options as a Map. */
export const map = (name: string): Parameter => parameter(name, new Map(), accepts.map);
/** The language of a value. */
export const form = parameter("form", "json", accepts.nothing);
/** The same, which may be left out. */
export const optionalForm = parameter("form", "json", (value) => value === undefined);
/** A kind of property. */
export const propertyType = (name: string): Parameter => parameter(name, qom.string(), accepts.nothing);
/** What a link leads to. */
export const linkTarget = parameter("target", PR_MANAGER_LINK, accepts.nothing);
/** A range. */
export const numbers = options("range", { min: orNothing(accepts.number), max: orNothing(accepts.number) });
/** A range of bigints. */
export const bigints = options("range", { min: orNothing(accepts.bigint), max: orNothing(accepts.bigint) });
/** What both ways to a fabric take. */
export const fabricMembers = {
  clock: orNothing(accepts.nothing),
  behaviour: orNothing(accepts.object),
  store: orNothing(accepts.nothing),
};
/** What says which types there are. */
export const registry = { types: orNothing(accepts.emptyArray) };

/** `Class#method`, or any other function of an object. */
export function method(name: string, owner: (context: Context) => object, ...parameters: readonly Parameter[]): Row {
  const key = name.split(/[#.]/).at(-1) ?? "";
  return {
    name,
    parameters,
    call: (context, args) => {
      const target = owner(context);
      const found: unknown = Reflect.get(target, key);
      if (typeof found !== "function") throw new Error(`there is no ${name}`);
      return Reflect.apply(found, target, args) as unknown;
    },
  };
}

/** A constructor. */
export function made(name: string, type: object, ...parameters: readonly Parameter[]): Row {
  // Some constructors are private to TypeScript, and none to JavaScript.
  return { name, parameters, call: (_context, args) => Reflect.construct(type as new () => object, args) as unknown };
}
