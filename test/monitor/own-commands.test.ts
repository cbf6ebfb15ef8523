/** QMP commands of the embedder's own: as good as the built-in ones, over a socket as in the program. */
import { dirname, join } from "node:path";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { anyValue, defineCommand, noArguments, nothing } from "qom-pr/extend";
import type { QmpCommand } from "qom-pr/extend";
import * as z from "zod";
import { makeFolder, removeFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import { refusal } from "../support/refusal.js";
import { QmpClient } from "./support/qmp-client.js";

const countNodes = defineCommand({
  name: "x-count-nodes",
  arguments: z.strictObject({ prefix: z.string().optional() }),
  result: z.strictObject({ count: z.int() }),
  run: ({ prefix = "" }, { host }) => ({ count: host.graph.nodes.filter(({ nodeName }) => nodeName.startsWith(prefix)).length }),
});

const named = (name: string): QmpCommand => defineCommand({ name, arguments: noArguments, result: nothing, run: () => ({}) });

describe("a QMP command of one's own", () => {
  let machine: Machine | undefined;
  afterEach(() => machine?.close());

  const withCommands = async (...commands: QmpCommand[]): Promise<Machine> =>
    (machine = await Machine.create(machineArguments("blockdev", "pr-manager-memory,id=pr0"), { commands }));

  it("runs with checked arguments and sees the machine", async () => {
    const { qmp } = await withCommands(countNodes);
    expect(await qmp.execute("x-count-nodes", { prefix: "nothing-is-called-so" })).to.deep.equal({ count: 0 });
    const { count } = (await qmp.execute("x-count-nodes")) as { count: number }; // the shape is its schema
    expect(count).to.be.at.least(1);
    const { kind, message } = await refusal(() => qmp.execute("x-count-nodes", { prefix: 5 }));
    expect([kind, message]).to.deep.equal(["invalid-value", "invalid parameter 'prefix': expected string, not 5"]);
    expect((await refusal(() => qmp.execute("x-count-nodes", { suffix: "" }))).kind).to.equal("unknown-name");
  });

  it("is listed, with its schema", async () => {
    const { qmp } = await withCommands(countNodes);
    expect(await qmp.execute("query-commands")).to.deep.include({ name: "x-count-nodes" });
    const schema = (await qmp.execute("query-qmp-schema")) as readonly Readonly<Record<string, unknown>>[]; // the shape is its schema
    const entity = (name: unknown): unknown => schema.find((each) => each["name"] === name);
    const command = schema.find(({ name }) => name === "x-count-nodes");
    expect(entity(command?.["arg-type"])).to.deep.include({
      "meta-type": "object",
      members: [{ name: "prefix", type: "str", default: null }],
    });
    expect(entity(command?.["ret-type"])).to.deep.include({ "meta-type": "object", members: [{ name: "count", type: "int" }] });
  });

  it("may have any schema of zod; what QAPI has no word for is `any`", async () => {
    const everything = defineCommand({
      name: "__com.example_everything",
      arguments: z.strictObject({
        size: z.int().default(512),
        ratio: z.number().optional(),
        mode: z.enum(["one", "two"]).nullable().optional(),
        tags: z.record(z.string(), z.string()).optional(),
        free: anyValue.optional(),
      }),
      result: z.strictObject({ size: z.int() }),
      run: ({ size }) => ({ size }),
    });
    const { qmp } = await withCommands(everything);
    expect(await qmp.execute("__com.example_everything")).to.deep.equal({ size: 512 });
    const schema = (await qmp.execute("query-qmp-schema")) as readonly Readonly<Record<string, unknown>>[]; // the shape is its schema
    const argument = schema.find(({ name }) => name === schema.find((each) => each["name"] === "__com.example_everything")?.["arg-type"]);
    const types = Object.fromEntries(
      ((argument?.["members"] as readonly { name: string; type: string }[] | undefined) ?? []).map(({ name, type }) => [name, type]),
    );
    expect(types).to.include({ size: "int", ratio: "number", tags: "any", free: "any" });
    expect(schema.find(({ name }) => name === types["mode"])?.["meta-type"]).to.equal("alternate");
  });

  it("that fails is answered, and the machine goes on", async () => {
    const failing = defineCommand({
      name: "x-fail",
      arguments: noArguments,
      result: nothing,
      run: () => {
        throw new TypeError("not today");
      },
    });
    const { qmp } = await withCommands(failing);
    let thrown: unknown;
    await qmp.execute("x-fail").catch((error: unknown) => (thrown = error));
    expect(thrown).to.be.instanceOf(TypeError);
    expect(await qmp.execute("query-status")).to.deep.include({ running: true });
  });

  it("that fails once it is answered ends neither the session nor what comes after it", async () => {
    const path = join(makeFolder(), "qmp.sock");
    const done: string[] = [];
    const failing = defineCommand({
      name: "x-fail-later",
      arguments: noArguments,
      result: nothing,
      run: (_given, { afterReply }) => {
        afterReply(() => {
          throw new Error("too late");
        });
        afterReply(() => done.push("the next action"));
        return {};
      },
    });
    machine = await Machine.create(["-qmp", `unix:${path},server=on,wait=off`], { commands: [failing] });
    const client = await QmpClient.ready({ path });
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
    try {
      expect(await client.run("x-fail-later")).to.deep.equal({});
      expect(await uncaught).to.have.property("message", "too late");
      expect(await client.run("query-status")).to.deep.include({ running: true });
      expect(done).to.deep.equal(["the next action"]);
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
      await client.close();
      await machine.close();
      removeFolder(dirname(path));
    }
  });

  it("gives a value of JSON", async () => {
    const results: readonly (readonly [given: unknown, message: string])[] = [
      [undefined, "undefined is not a value of JSON"],
      [() => 1, "a function is not a value of JSON"],
      [[1, Symbol("2")], "a symbol is not a value of JSON"],
    ];
    for (const [given, message] of results) {
      const odd = defineCommand({ name: "x-odd", arguments: noArguments, result: z.unknown(), run: () => given });
      const { qmp } = await withCommands(odd);
      expect((await refusal(() => qmp.execute("x-odd"))).message).to.equal(message);
      await machine?.close();
    }
  });

  it("has a name that nobody else has, and that QMP allows", async () => {
    const cases: readonly (readonly [name: string, kind: string])[] = [
      ["quit", "duplicate"],
      ["query-commands", "duplicate"],
      ["qmp_capabilities", "duplicate"],
      ["", "invalid-value"],
      ["5th", "invalid-value"],
      ["two words", "invalid-value"],
      ["x".repeat(128), "invalid-value"],
    ];
    for (const [name, kind] of cases) expect((await refusal(() => withCommands(named(name)))).kind, name).to.equal(kind);
    expect((await refusal(() => withCommands(named("x-a"), named("x-a")))).kind).to.equal("duplicate");
    // Callers without TypeScript can pass anything.
    for (const wrong of [{}, { ...named("x-a"), run: 1 }, null]) {
      const { kind, message } = await refusal(() => Machine.create([], { commands: [wrong as unknown as QmpCommand] }));
      expect(kind, message).to.equal("invalid-value");
    }
  });
});
