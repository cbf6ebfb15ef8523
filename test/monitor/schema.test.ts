/** query-qmp-schema says what commands take and give. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import { allCommands } from "#src/monitor/commands/all.js";
import { toPlain, fromPlain } from "#src/monitor/values.js";
import { machineArguments } from "../support/machine.js";
import { QapiSchema } from "../support/qapi-schema.js";
import type { Entity } from "../support/qapi-schema.js";

describe("query-qmp-schema", () => {
  let machine: Machine;
  let schema: QapiSchema;
  before(async () => {
    machine = await Machine.create(machineArguments("blockdev", "pr-manager-memory,id=pr0"));
    const entities = (await machine.qmp.execute("query-qmp-schema")) as unknown as readonly Entity[]; // what is tested here
    schema = new QapiSchema(entities);
    expect(schema.entities.size, "every name once").to.equal(entities.length);
  });
  after(() => machine.close());

  const members = (name: string | undefined): Readonly<Record<string, string>> => schema.members(name);

  it("names every type that it uses, and only known kinds of entities", () => {
    for (const entity of schema.entities.values()) {
      expect(entity["meta-type"]).to.be.oneOf(["command", "event", "object", "enum", "array", "builtin", "alternate"]);
      for (const name of schema.uses(entity)) expect(schema.find(name), `${entity.name} uses ${name}`).not.to.equal(undefined);
    }
  });

  it("has every command, with its arguments", async () => {
    const commands = (await machine.qmp.execute("query-commands")) as readonly { name: string }[]; // the shape is its schema
    for (const { name } of commands) expect(schema.find(name)?.["meta-type"], name).to.equal("command");
    expect(commands).to.have.lengthOf(allCommands().length);
    expect(members(schema.find("qom-set")?.["arg-type"])).to.deep.equal({ path: "str", property: "str", value: "any" });
    expect(members(schema.find("x-scsi-execute")?.["arg-type"])).to.deep.equal({
      device: "str",
      cdb: "str",
      "data-out": "str",
      "allocation-length": "int",
      "timeout-ms": "int",
    });
  });

  it("has the properties of types as variants", () => {
    const add = schema.find(schema.find("object-add")?.["arg-type"] ?? "");
    expect(add?.tag).to.equal("qom-type");
    expect(members(add?.variants?.find((variant) => variant.case === "pr-manager-helper")?.type)).to.include({ path: "str" });
    const node = schema.find(schema.find("blockdev-add")?.["arg-type"] ?? "");
    const simulated = members(node?.variants?.find((variant) => variant.case === "sim-lun")?.type);
    expect(simulated).to.include({ wwn: "str", size: "int", "target-port": "int", "pr-manager": "str" });
    const nested = schema.find(members(node?.variants?.find((variant) => variant.case === "raw")?.type)["file"] ?? "");
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
      expect(schema.mistake(schema.find(name)?.["ret-type"], given, name)).to.equal(undefined);
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
