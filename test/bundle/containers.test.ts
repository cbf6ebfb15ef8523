/** Types made by containers: of a tsyringe of the user's own, which is another copy than the bundled one, and of `createContainer`. */
import { expect } from "chai";
import { UserFolder } from "./support/folder.js";

/** A type with one dependency, as a compiler writes it. */
const TYPE = `
  const holderOf = (decorate) => {
    class Holder extends QomObject {
      constructor(given) { super(); this.given = given; }
    }
    decorate(Holder, undefined, 0);
    qomType({ name: "holder", description: "has something", interfaces: [USER_CREATABLE] })(Holder);
    return Holder;
  };
  const given = async (decorate, container) => {
    const options = { types: [holderOf(decorate)], container };
    const machine = await Machine.create(["-object", "holder,id=a"], options);
    const { given } = machine.object("a");
    await machine.close();
    return given;
  };
`;
const LIBRARY = `import { Clock, createContainer, inject, Machine, QomObject, qomType, USER_CREATABLE } from "qom-pr";`;
const TSYRINGE = `import "reflect-metadata"; import * as di from "tsyringe";`;

describe("a type's dependencies", () => {
  let folder: UserFolder;

  before(() => (folder = new UserFolder(["koffi", "reflect-metadata", "tsyringe", "tslib"])));
  after(() => folder.remove());

  /** What the expressions give, in a program that imports the library before or after a tsyringe of its own. */
  const results = (imports: readonly string[], expressions: string): unknown =>
    folder.evaluate(`${imports.join("\n")}${TYPE}console.log(JSON.stringify(${expressions}));`);

  for (const [order, imports] of [
    ["before", [TSYRINGE, LIBRARY]],
    ["after", [LIBRARY, TSYRINGE]],
  ] as const) {
    it(`come from a container of the user's own tsyringe, loaded ${order} the library`, () => {
      const seen = results(
        imports,
        `await (async () => {
          class Inner { constructor(name) { this.name = name; } }
          di.inject("name")(Inner, undefined, 0);
          di.injectable()(Inner);
          class Shout { transform(text, mark) { return text.toUpperCase() + mark; } }
          const container = di.container.createChildContainer();
          container.register("name", { useValue: "a name" });
          container.registerSingleton("inner", Inner);
          return {
            ours: await given(inject("name"), container),
            theirs: await given(di.inject("name"), container),
            made: await given(inject(Inner), container),
            single: (await given(inject("inner"), container)) === container.resolve("inner"),
            all: await given(di.injectAll("name"), container),
            transformed: await given(di.injectWithTransform("name", Shout, "!"), container),
            delayed: (await given(inject(di.delay(() => Inner)), container)).name,
            absent: (await given(inject("nothing", { isOptional: true }), container)) === undefined,
            machines: typeof (await given(inject(Clock), container)).nowMs,
          };
        })()`,
      );
      expect(seen).to.deep.equal({
        ours: "a name",
        theirs: "a name",
        made: { name: "a name" },
        single: true,
        all: ["a name"],
        transformed: "A NAME!",
        delayed: "a name",
        absent: true,
        machines: "function",
      });
    });
  }

  it("come from a container of createContainer, where nobody has tsyringe", () => {
    const seen = results(
      [LIBRARY],
      `await (async () => {
        const container = createContainer();
        container.register(Clock, { useValue: "a clock of the user's" });
        container.register("made", { useFactory: () => ["made"] });
        const other = createContainer();
        return [await given(inject(Clock), container), await given(inject("made"), container), other.isRegistered("made", true)];
      })()`,
    );
    expect(seen).to.deep.equal(["a clock of the user's", ["made"], false]);
  });

  it("are named when they cannot be had", () => {
    const seen = results(
      [LIBRARY],
      `await given(inject("nothing"), createContainer()).catch((error) => ({ kind: error.kind, message: error.message }))`,
    );
    expect(seen).to.have.property("kind", "type-definition");
    expect(seen)
      .to.have.property("message")
      .that.matches(/parameter 0 of the constructor of .*\(type 'holder'\) has a dependency that cannot be resolved/);
  });

  it("are what the container has for the type, when that is registered", () => {
    const seen = results(
      [TSYRINGE, LIBRARY],
      `await (async () => {
        const type = holderOf(inject("nothing"));
        const container = di.container.createChildContainer();
        container.register(type, { useFactory: () => new type("by hand") });
        const machine = await Machine.create(["-object", "holder,id=a"], { types: [type], container });
        const { given } = machine.object("a");
        await machine.close();
        return given;
      })()`,
    );
    expect(seen).to.equal("by hand");
  });
});
