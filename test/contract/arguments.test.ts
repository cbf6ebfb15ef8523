/**
 * What callers without a type checker pass: every function of the API, each argument and each member of an object of options with values of
 * every kind. What is wrong is one QomError that names the argument, and nothing has happened.
 */
import { expect } from "chai";
import * as api from "qom-pr";
import { Fabric, Machine, QomError, ScsiFabric } from "qom-pr";
import { machineArguments, WWN } from "../support/machine.js";
import { ROWS } from "./support/api-table.js";
import type { Context, Parameter, Row } from "./support/parameters.js";
import { VALUES } from "./support/wrong-values.js";
import type { Accepts } from "./support/wrong-values.js";

/** One wrong call: the arguments, and what the message has to name. */
interface WrongCall {
  readonly title: string;
  readonly args: readonly unknown[];
  /** What the message has to name: one of these. */
  readonly names: readonly string[];
}

function* wrongCalls({ parameters }: Row, context: Context): Generator<WrongCall> {
  const right = parameters.map((each) => each.right(context));
  for (const [at, parameter] of parameters.entries()) {
    for (const { title, value, names } of wrongArguments(parameter, right[at])) {
      yield { title, args: right.with(at, value), names };
    }
  }
}

function* wrongArguments(parameter: Parameter, right: unknown): Generator<{ title: string; value: unknown; names: string[] }> {
  const { name, accepts, members = {} } = parameter;
  for (const [title, value] of VALUES) if (!isTaken(accepts, value)) yield { title: `${name}: ${title}`, value, names: [name] };
  for (const [member, acceptsMember] of Object.entries(members)) {
    for (const [title, value] of VALUES) {
      if (isTaken(acceptsMember, value)) continue;
      yield { title: `${name}.${member}: ${title}`, value: { ...Object(right), [member]: value }, names: [member, name] };
    }
  }
}

/** A revoked Proxy answers no question, and is right nowhere. */
function isTaken(accepts: Accepts, value: unknown): boolean {
  try {
    return accepts(value);
  } catch {
    return false;
  }
}

/** What is wrong with the way in which a call was refused; null when all is well. */
async function fault(call: () => unknown, names: readonly string[]): Promise<string | null> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof QomError)) return `threw ${String(error)}`;
    if (/[\r\n]/.test(error.message)) return `has several lines: ${error.message}`;
    if (error.message.length > 400) return `has ${error.message.length} characters`;
    return names.some((name) => error.message.includes(name)) ? null : `does not name ${names.join(" or ")}: ${error.message}`;
  }
  return "was taken";
}

/** Functions of the API that have no row, and why. */
const WITHOUT_ROW: Readonly<Record<string, string>> = {
  "new LogicalUnit": "made by Fabric#attach",
  "new CompositionTree": "made with a machine",
  "new BlockGraph": "made with a machine",
  "new QmpExecutor": "made with a machine",
  "new ScsiFabric": "its dependencies come from the container",
  "new QomObject": "it takes nothing",
  "new PrManager": "it takes nothing",
  "new ScsiDevice": "its dependencies come from the container",
  "new VirtioScsi": "its dependencies come from the container",
  "CompositionTree#resolveLink": "for the object model",
  "LogicalUnit#isOn": "for the fabric, which has checked the medium",
  "BlockGraph#openChild": "for nodes that are being opened",
  "BlockGraph#closeChild": "for nodes",
  "QmpExecutor#run": "for monitors",
  "QmpExecutor#negotiate": "for monitors",
  "ScsiDevice#drain": "for the machine",
  "ScsiDevice#settle": "for the machine",
  "ScsiDevice#dispatch": "protected",
  "ScsiDevice#dispatchForGuest": "protected",
  "ScsiDevice#hold": "protected",
  "ScsiDevice#answer": "for host adapters, which answer for the command's shape",
  "ScsiDevice#ask": "protected",
  "ScsiDevice#sendOwn": "protected",
  "ScsiDevice#requireOpen": "protected",
  "PrManager#connectionChanged": "protected",
  "Hold#keep": "for the unit",
  "PrManager#executeChecked": "for block nodes, after the device's checks",
  "LogicalUnit#executeChecked": "for devices and managers, after their own checks",
};

/** Functions that take no argument. */
const TAKES_NOTHING: ReadonlySet<string> = new Set([
  ...["QomObject#describe", "QomObject#complete", "QomObject#finalize", "QomObject#busyWith", "QomObject#canBeDeleted"],
  ...["PrManager#busyWith", "ScsiFabric#complete", "ScsiFabric#finalize", "ScsiDevice#complete", "ScsiDevice#finalize"],
  "ScsiDevice#quiet",
  ...["ScsiDevice#probeHostDisk", "VirtioScsi#complete", "VirtioScsi#finalize", "VirtioScsi#busyWith", "VirtioScsi#reset"],
  ...["Fabric#powerCycle", "Fabric#close", "LogicalUnit#powerCycle", "LogicalUnit#close", "Hold#release"],
  ...["TransportId#format", "TransportId#toString", "TransportId#encode", "Machine#toArgs", "Machine#toJson", "Machine#close"],
  ...["Machine#stop", "Machine#cont"],
  "createContainer",
  ...["CompositionTree#deleteAll", "CompositionTree#requireOpen", "BlockGraph#closeAll", "qom.string", "qom.bool", "qom.list"],
]);

/** The functions of a class or of an object of functions, by name. */
function functionsOf(name: string, value: unknown): string[] {
  if (typeof value !== "function") {
    const members: object = typeof value === "object" && value !== null ? value : {};
    return Object.entries(members).flatMap(([key, member]) => (typeof member === "function" ? [`${name}.${key}`] : []));
  }
  if (!String(value).startsWith("class ")) return [name];
  const statics = Object.getOwnPropertyNames(value).filter((key) => typeof Reflect.get(value, key) === "function");
  return [`new ${name}`, ...statics.map((key) => `${name}.${key}`), ...methodsOf(name, Reflect.get(value, "prototype") as object)];
}

function methodsOf(name: string, prototype: object): string[] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return own.flatMap(([key, { value }]) => (key !== "constructor" && typeof value === "function" ? [`${name}#${key}`] : []));
}

describe("arguments of another kind", () => {
  let context: Context;
  let earlier: string;
  let machines = 0;

  before(async () => {
    const fabric = new Fabric();
    const argv = [...machineArguments("blockdev", "pr-manager-memory,id=pr0"), "-object", "scsi-fabric,id=san0"];
    const machine = await Machine.create([...argv, "-device", "virtio-scsi,id=hba"], { fabric });
    const unit = fabric.unit(WWN);
    const manager = machine.object("pr0");
    const san = machine.object("san0");
    if (!(manager instanceof api.PrManager && san instanceof ScsiFabric)) throw new Error("the objects are of their types");
    const hold = unit.hold(() => false);
    context = { fabric, unit, machine, device: machine.scsiDevice("disk0"), hba: machine.hba("hba"), manager, san, hold };
    earlier = state(context);
    machines += 1;
  });
  after(async () => {
    expect(machines).to.equal(1);
    await context.machine.close();
    await context.fabric.close();
  });

  function state({ fabric, machine }: Context): string {
    const units = [...fabric.units, ...fabric.shadows].map(({ wwn, reservations }) => [wwn, reservations]);
    const objects = ["/objects", "/machine", "/machine/peripheral"].map((path) => machine.qom.list(path));
    return JSON.stringify([units, objects, machine.graph.nodes.map(({ nodeName }) => nodeName), machine.toArgs(), machine.warnings]);
  }

  for (const row of ROWS) {
    it(`${row.name} refuses, and nothing has happened`, async () => {
      const faults: string[] = [];
      let calls = 0;
      for (const { title, args, names } of wrongCalls(row, context)) {
        calls += 1;
        const found = await fault(() => row.call(context, args), names);
        if (found !== null) faults.push(`${title} ${found}`);
      }
      expect(faults, `of ${calls} calls`).to.deep.equal([]);
      expect(calls).to.be.greaterThan(0);
      expect(state(context)).to.equal(earlier);
    });
  }

  it("has a row for every function", () => {
    const reached = { ...context, hold: context.hold };
    const found = [
      ...Object.entries(api).flatMap(([name, value]) => functionsOf(name, value)),
      ...methodsOf("LogicalUnit", Object.getPrototypeOf(reached.unit) as object),
      ...methodsOf("Hold", Object.getPrototypeOf(reached.hold) as object),
      ...methodsOf("CompositionTree", Object.getPrototypeOf(reached.machine.qom) as object),
      ...methodsOf("BlockGraph", Object.getPrototypeOf(reached.machine.graph) as object),
      ...methodsOf("QmpExecutor", Object.getPrototypeOf(reached.machine.qmp) as object),
    ];
    const rows = new Set(ROWS.map(({ name }) => name));
    const missing = found.filter((name) => !rows.has(name) && WITHOUT_ROW[name] === undefined && !TAKES_NOTHING.has(name));
    expect(missing).to.deep.equal([]);
  });
});
