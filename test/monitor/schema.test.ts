/** query-qmp-schema says what commands take and give. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import { allCommands } from "#src/monitor/commands/all.js";
import { toPlain, fromPlain } from "#src/monitor/values.js";
import { machineArguments } from "../support/machine.js";

interface Entity {
  readonly name: string;
  readonly "meta-type": string;
  readonly "arg-type"?: string;
  readonly "ret-type"?: string;
  readonly "element-type"?: string;
  readonly "json-type"?: string;
  readonly members?: readonly { readonly name?: string; readonly type?: string; readonly default?: null }[];
  readonly variants?: readonly { readonly case: string; readonly type: string }[];
  readonly values?: readonly string[];
  readonly tag?: string;
}

/** Whether a value is of a type, as a client that has nothing but the answer of query-qmp-schema finds out; undefined, or the first mistake. */
function mistake(schema: ReadonlyMap<string, Entity>, type: string | undefined, value: unknown, at: string): string | undefined {
  const entity = schema.get(type ?? "");
  const first = (mistakes: readonly (string | undefined)[]): string | undefined => mistakes.find((each) => each !== undefined);
  switch (entity?.["meta-type"]) {
    case "builtin": {
      const kind = typeof value === "bigint" || Number.isInteger(value) ? "int" : value === null ? "null" : typeof value;
      return entity["json-type"] === "value" || entity["json-type"] === kind ? undefined : `${at} is no ${entity["json-type"]}`;
    }
    case "enum":
      return entity.values?.includes(String(value)) === true ? undefined : `${at} has no such value`;
    case "array":
      if (!Array.isArray(value)) return `${at} is no list`;
      return first(value.map((each, index) => mistake(schema, entity["element-type"], each, `${at}[${index}]`)));
    case "object": {
      if (typeof value !== "object" || value === null) return `${at} is no object`;
      const given = new Map(Object.entries(value));
      const members = entity.members ?? [];
      const missing = members.find(({ name = "", default: left }) => left === undefined && !given.has(name));
      if (missing !== undefined) return `${at} lacks ${missing.name}`;
      return first(
        [...given].map(([name, each]) => {
          const member = members.find((known) => known.name === name);
          return member === undefined ? `${at} has ${name}` : mistake(schema, member.type, each, `${at}.${name}`);
        }),
      );
    }
    default:
      return `${at} is of an unknown type`;
  }
}

describe("query-qmp-schema", () => {
  let machine: Machine;
  let schema: ReadonlyMap<string, Entity>;
  before(async () => {
    machine = await Machine.create(machineArguments("blockdev", "pr-manager-memory,id=pr0"));
    const entities = (await machine.qmp.execute("query-qmp-schema")) as unknown as readonly Entity[]; // what is tested here
    schema = new Map(entities.map((entity) => [entity.name, entity]));
    expect(schema.size, "every name once").to.equal(entities.length);
  });
  after(() => machine.close());

  const members = (name: string | undefined): Readonly<Record<string, string>> =>
    Object.fromEntries((schema.get(name ?? "")?.members ?? []).map((each) => [each.name ?? "", each.type ?? ""]));

  it("names every type that it uses, and only known kinds of entities", () => {
    for (const entity of schema.values()) {
      expect(entity["meta-type"]).to.be.oneOf(["command", "event", "object", "enum", "array", "builtin", "alternate"]);
      const used = [entity["arg-type"], entity["ret-type"], entity["element-type"]];
      used.push(...(entity.members ?? []).flatMap((member) => (entity["meta-type"] === "enum" ? [] : [member.type])));
      used.push(...(entity.variants ?? []).map(({ type }) => type));
      for (const name of used) if (name !== undefined) expect(schema.has(name), `${entity.name} uses ${name}`).to.equal(true);
    }
  });

  it("has every command, with its arguments", async () => {
    const commands = (await machine.qmp.execute("query-commands")) as readonly { name: string }[]; // the shape is its schema
    for (const { name } of commands) expect(schema.get(name)?.["meta-type"], name).to.equal("command");
    expect(commands).to.have.lengthOf(allCommands().length);
    expect(members(schema.get("qom-set")?.["arg-type"])).to.deep.equal({ path: "str", property: "str", value: "any" });
    expect(members(schema.get("x-scsi-execute")?.["arg-type"])).to.deep.equal({
      device: "str",
      cdb: "str",
      "data-out": "str",
      "allocation-length": "int",
      "timeout-ms": "int",
    });
  });

  it("has the properties of types as variants", () => {
    const add = schema.get(schema.get("object-add")?.["arg-type"] ?? "");
    expect(add?.tag).to.equal("qom-type");
    expect(members(add?.variants?.find((variant) => variant.case === "pr-manager-helper")?.type)).to.include({ path: "str" });
    const node = schema.get(schema.get("blockdev-add")?.["arg-type"] ?? "");
    const simulated = members(node?.variants?.find((variant) => variant.case === "sim-lun")?.type);
    expect(simulated).to.include({ wwn: "str", size: "int", "target-port": "int", "pr-manager": "str" });
    const nested = schema.get(members(node?.variants?.find((variant) => variant.case === "raw")?.type)["file"] ?? "");
    expect(nested?.["meta-type"], "a node's options, or its name").to.equal("alternate");
    expect(nested?.members?.map(({ type }) => type)).to.deep.equal([node?.name, "str"]);
  });

  it("is kept by what commands give", async () => {
    const asked: Readonly<Record<string, object>> = {
      "qom-list": { path: "/objects/pr0" },
      "qom-list-get": { paths: ["/objects/pr0", "/machine/peripheral/disk0"] },
      "qom-get": { path: "/objects/pr0", property: "type" },
      "qom-list-types": { abstract: true },
      "qom-list-properties": { typename: "scsi-block" },
      "device-list-properties": { typename: "scsi-block" },
      "x-scsi-execute": { device: "disk0", cdb: "000000000000" },
    };
    let checked = 0;
    for (const { name, result } of allCommands()) {
      if (!name.includes("query-") && asked[name] === undefined) continue;
      const given = await machine.qmp.execute(name, { ...asked[name] });
      const parsed = result.safeParse(given);
      expect(parsed.success, `${name}: ${parsed.error?.message}`).to.equal(true);
      expect(mistake(schema, schema.get(name)?.["ret-type"], given, name)).to.equal(undefined);
      checked += 1;
    }
    expect(checked).to.be.at.least(15);
  });

  it("converts values to and fro without loss", () => {
    const value = { a: [1, 2n ** 63n, null, { ["__proto__"]: "x" }], b: 1.5 };
    expect(fromPlain(toPlain(value))).to.deep.equal(value);
    expect(() => toPlain(() => 1)).to.throw(/not a value of JSON/);
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(() => toPlain(ring)).to.throw(/nests deeper/);
  });
});
