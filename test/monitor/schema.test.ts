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
      checked += 1;
    }
    expect(checked).to.be.at.least(15);
  });

  it("converts values to and fro without loss", () => {
    const value = { a: [1, 2n ** 63n, null, { ["__proto__"]: "x" }], b: 1.5 };
    expect(fromPlain(toPlain(value))).to.deep.equal(value);
    expect(() => toPlain(() => 1)).to.throw(/no value of JSON/);
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(() => toPlain(ring)).to.throw(/nests deeper/);
  });
});
