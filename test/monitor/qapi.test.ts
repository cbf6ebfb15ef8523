/** What this library answers, held against the schema of the QEMU that it follows: a client that was generated from that can decode it. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import { allCommands } from "#src/monitor/commands/all.js";
import type { QmpArguments } from "#src/monitor/values.js";
import { QEMU_VERSIONS } from "#src/qemu/compat.js";
import { withFile } from "../qemu-options/record.js";
import { QapiSchema } from "../support/qapi-schema.js";
import type { Entity } from "../support/qapi-schema.js";
import { WWN } from "../support/machine.js";
import { NAMES, recordedSchema } from "./support/recorded-schema.js";

/** A machine with a node of each driver, in a chain and alone, drives, disks, and every kind of object. */
const argvOf = (file: string): readonly string[] => [
  ...["-object", "pr-manager-memory,id=pr0", "-object", "iothread,id=io", "-object", "authz-list,id=a,policy=allow"],
  ...["-object", "memory-backend-ram,id=ram,size=1M", "-object", "secret,id=s,data=x"],
  ...["-blockdev", `raw,node-name=hd,cache.direct=on,file.driver=sim-lun,file.wwn=${WWN},file.pr-manager=pr0`],
  ...["-blockdev", `sim-lun,node-name=alone,wwn=naa.5000000000000002,block-size=4096,detect-zeroes=on`],
  ...["-blockdev", `file,node-name=f,filename=${file},read-only=on`, "-blockdev", "host_device,node-name=h,filename=/dev/null"],
  ...["-drive", `if=none,id=dr,driver=raw,file.driver=sim-lun,file.wwn=naa.5000000000000003`],
  ...["-device", "virtio-scsi,id=s0", "-device", "scsi-block,drive=hd,id=d0", "-device", "scsi-generic,drive=alone"],
  ...["-device", "scsi-block,drive=dr"],
];

/** What is asked; a command may be asked several times, in this order. */
const ASKED: readonly (readonly [command: string, args?: QmpArguments])[] = [
  ...["query-version", "query-commands", "query-name", "query-status", "query-pr-managers", "query-qmp-schema"].map(
    (name) => [name] as const,
  ),
  ["query-block"],
  ["query-named-block-nodes", { flat: true }],
  ["qom-list", { path: "/objects/pr0" }],
  ["qom-list", { path: "/machine/peripheral/d0" }],
  ["qom-list-get", { paths: ["/objects/pr0", "/objects/a", "/objects/ram", "/machine/peripheral/d0", "/machine/peripheral/s0"] }],
  ["qom-get", { path: "d0", property: "lun" }],
  ["qom-set", { path: "/objects/io", property: "poll-max-ns", value: 5 }],
  ["qom-list-types", { abstract: true }],
  ["qom-list-properties", { typename: "authz-list" }],
  ["device-list-properties", { typename: "scsi-block" }],
  ["blockdev-add", { driver: "raw", "node-name": "r", file: "f", "read-only": true }],
  ["blockdev-reopen", { options: [{ driver: "raw", "node-name": "r", file: "f", "read-only": true }] }],
  ["blockdev-set-active", { "node-name": "r", active: false }],
  ["query-named-block-nodes"],
  ["blockdev-del", { "node-name": "r" }],
  ["object-add", { "qom-type": "pr-manager-memory", id: "pr1" }],
  ["object-del", { id: "pr1" }],
  ["device_add", { driver: "virtio-scsi-pci", id: "s1" }],
  ["device_del", { id: "s1" }],
  ["stop"],
  ["cont"],
  ["quit"],
];

for (const version of QEMU_VERSIONS) {
  describe(`answers and the schema of QEMU ${version}`, () => {
    const schema = recordedSchema(version);
    const commands = allCommands(version)
      .map(({ name }) => name)
      .filter((name) => NAMES.includes(name));

    it("has every command and event of QEMU's names", () => {
      expect(commands.filter((name) => schema.find(name)?.["meta-type"] !== "command")).to.deep.equal([]);
      expect([...schema.entities.values()].filter((entity) => entity["meta-type"] === "command")).to.have.lengthOf(commands.length);
      for (const name of NAMES) if (/^[A-Z_]+$/.test(name)) expect(schema.find(name)?.["meta-type"], name).to.equal("event");
    });

    it("is kept by every answer and every event", async () => {
      const mistakes: string[] = [];
      const events = new Set<string>();
      await withFile(async (file) => {
        const machine = await Machine.create(argvOf(file), { compat: version });
        machine.qmp.onEvent(({ event, data }) => {
          events.add(event);
          const mistake = NAMES.includes(event) ? schema.mistake(schema.find(event)?.["arg-type"], data, event) : undefined;
          if (mistake !== undefined) mistakes.push(mistake);
        });
        const asked = new Set<string>(["qmp_capabilities"]);
        for (const [name, args] of ASKED) {
          asked.add(name);
          if (!commands.includes(name)) continue;
          const answer = await machine.qmp.execute(name, args);
          const mistake = schema.mistake(schema.find(name)?.["ret-type"], answer, name);
          if (mistake !== undefined) mistakes.push(mistake);
        }
        expect(commands.filter((name) => !asked.has(name))).to.deep.equal([]);
        await machine.ended;
      });
      expect(mistakes).to.deep.equal([]);
      expect([...events]).to.include.members(["DEVICE_DELETED", "SHUTDOWN"]);
    });

    it("has the arguments that commands take here, and the same of them mandatory", async () => {
      const machine = await Machine.create([], { compat: version });
      const ours = new QapiSchema((await machine.qmp.execute("query-qmp-schema")) as unknown as readonly Entity[]); // held against its schema above
      await machine.close();
      for (const name of commands) {
        const theirs = schema.find(name)?.["arg-type"];
        if (theirs === undefined) continue;
        const listOf = (of: QapiSchema, type: string | undefined): readonly string[] =>
          (of.entities.get(type ?? "")?.members ?? []).map((member) => `${member.name}${"default" in member ? "?" : ""}`).toSorted();
        expect(listOf(ours, ours.find(name)?.["arg-type"]), name).to.deep.equal(listOf(schema, theirs));
      }
    });
  });
}

describe("the check of answers against a schema", () => {
  const schema = new QapiSchema([
    { name: "str", "meta-type": "builtin", "json-type": "string" },
    { name: "int", "meta-type": "builtin", "json-type": "int" },
    { name: "1", "meta-type": "enum", members: [{ name: "a" }, { name: "b" }] },
    { name: "2", "meta-type": "object", members: [{ name: "kind", type: "1" }], tag: "kind", variants: [{ case: "a", type: "3" }] },
    { name: "3", "meta-type": "object", members: [{ name: "n", type: "int" }] },
    { name: "4", "meta-type": "object", members: [{ name: "s", type: "str", default: null }] },
    { name: "[4]", "meta-type": "array", "element-type": "4" },
    { name: "5", "meta-type": "alternate", members: [{ type: "str" }, { type: "4" }] },
  ]);

  for (const [type, value, mistake] of [
    ["2", { kind: "a", n: 1 }, undefined],
    ["2", { kind: "a" }, "x lacks n"],
    ["2", { kind: "b", n: 1 }, "x has n"],
    ["2", { kind: "c" }, "x.kind has no value c"],
    ["[4]", [{}, { s: "t" }], undefined],
    ["[4]", [{ s: 5 }], "x[0].s is not a string"],
    ["[4]", {}, "x is not a list"],
    ["4", [], "x is not an object"],
    ["5", "t", undefined],
    ["5", { s: "t" }, undefined],
    ["5", 5, "x is none of the alternatives"],
    ["int", 1.5, "x is not a int"],
    ["6", 1, "x is of the unknown type 6"],
  ] as const) {
    it(`says ${mistake ?? "nothing"} of ${JSON.stringify(value)}`, () => expect(schema.mistake(type, value, "x")).to.equal(mistake));
  }
});
