import "reflect-metadata";
import { expect } from "chai";
import { container, inject } from "tsyringe";
import { QomError } from "#src/base/errors.js";
import { declareLater, ownProperties, qomProperty, qomType } from "#src/qom/decorators.js";
import { USER_CREATABLE } from "#src/qom/interfaces.js";
import { QomObject } from "#src/qom/object.js";
import { qom } from "#src/qom/property-type.js";
import { TypeRegistry } from "#src/qom/type-registry.js";
import { refusal } from "../support/refusal.js";

@qomType({ name: "animal", description: "an animal", abstract: true, interfaces: [USER_CREATABLE] })
abstract class Animal extends QomObject {
  @qomProperty(qom.string(), { description: "what it is called" })
  accessor petName: string | undefined;
}

@qomType({ name: "dog", description: "a dog", aliases: ["hound"] })
class Dog extends Animal {
  @qomProperty(qom.uint8(), { description: "legs", default: 4 })
  accessor legs!: number;
}

describe("type registry", () => {
  it("knows object from the start", () => {
    const registry = new TypeRegistry();
    expect(registry.get("object").abstract).to.equal(true);
    expect([...registry.get("object").properties.keys()]).to.deep.equal(["type"]);
  });

  it("takes classes in any order and makes the superclass the parent", () => {
    const registry = new TypeRegistry();
    registry.registerAll([Dog, Animal]);
    expect(registry.get("dog").parent).to.equal("animal");
    expect([...registry.get("dog").properties.keys()]).to.deep.equal(["type", "pet-name", "legs"]);
  });

  it("lists by ancestor and by interface, abstract types only when asked", () => {
    const registry = new TypeRegistry();
    registry.registerAll([Dog, Animal]);
    const names = (filter: object): string[] => registry.list(filter).map((type) => type.name);
    expect(names({ implements: "animal" })).to.deep.equal(["dog"]);
    expect(names({ implements: "animal", abstract: true })).to.deep.equal(["animal", "dog"]);
    expect(names({ implements: "user-creatable" })).to.deep.equal(["dog"]);
    expect(names({ implements: "nope" })).to.deep.equal([]);
  });

  it("resolves an alias", () => {
    const registry = new TypeRegistry();
    registry.registerAll([Dog, Animal]);
    expect(registry.get("hound").name).to.equal("dog");
    expect(registry.isA("hound", "animal")).to.equal(true);
  });

  it("refuses a second type of the same name", async () => {
    const registry = new TypeRegistry();
    registry.register(Animal);
    expect((await refusal(() => registry.register(Animal))).kind).to.equal("duplicate");
  });

  it("refuses a type whose superclass is not registered", async () => {
    const error = await refusal(() => new TypeRegistry().register(Dog));
    expect(error.kind).to.equal("unknown-type");
    expect(error.message).to.contain("Animal").and.to.contain("dog");
  });

  it("refuses a class without @qomType of its own, and one that is no QOM object", async () => {
    class Plain extends QomObject {}
    expect((await refusal(() => new TypeRegistry().register(Plain))).kind).to.equal("type-definition");
  });

  for (const name of ["x", "-ab", "0ab", "a b", "", "ä-b", "a/b"]) {
    it(`refuses the type name '${name}'`, async () => {
      @qomType({ name, description: "badly named" })
      class Named extends QomObject {}
      expect((await refusal(() => new TypeRegistry().register(Named))).kind).to.equal("type-definition");
    });
  }

  it("refuses a property that a parent type has", async () => {
    @qomType({ name: "cat", description: "a cat" })
    class Cat extends Animal {
      @qomProperty(qom.string(), { name: "pet-name", description: "again" })
      accessor other: string | undefined;
    }
    const registry = new TypeRegistry();
    registry.register(Animal);
    const error = await refusal(() => registry.register(Cat));
    expect(error.message).to.contain("pet-name").and.to.contain("animal");
  });

  it("refuses an interface with the name of a type or of another interface", async () => {
    const implementing = (name: string, description: string): (() => unknown) => {
      @qomType({ name: "claimant", description: "claims an interface", interfaces: [{ name, description }] })
      class Claimant extends QomObject {}
      const registry = new TypeRegistry();
      registry.registerAll([Animal, Dog]);
      return () => registry.register(Claimant);
    };
    for (const name of ["dog", "hound", "object", "claimant", "user-creatable"]) {
      expect((await refusal(implementing(name, "not what it is"))).kind, name).to.equal("duplicate");
    }
    expect((await refusal(implementing("a b", ""))).kind).to.equal("type-definition");
    implementing("barks", "can bark")();
    implementing(USER_CREATABLE.name, USER_CREATABLE.description)();
  });

  it("a copy has the same types, and others are added to it alone", async () => {
    @qomType({ name: "cat", description: "a cat", aliases: ["tom"] })
    class Cat extends Animal {}
    const registry = new TypeRegistry();
    registry.registerAll([Animal, Dog]);
    const copy = registry.copy();
    expect(copy.list({ abstract: true })).to.deep.equal(registry.list({ abstract: true }));
    expect(copy.get("hound")).to.equal(registry.get("dog"));
    copy.register(Cat);
    expect([copy.find("tom")?.name, registry.find("tom"), registry.find("cat")]).to.deep.equal(["cat", undefined, undefined]);
    expect((await refusal(() => copy.register(Dog))).kind).to.equal("duplicate");
  });

  it("adds nothing to a copy either, once there is one", () => {
    const registry = new TypeRegistry();
    registry.register(Animal);
    const copy = registry.copy();
    registry.register(Dog);
    expect(copy.find("dog")).to.equal(undefined);
    expect(copy.find("animal")).to.equal(registry.find("animal"));
  });

  it("looks at properties when they are needed, where it is told to", () => {
    let asked = 0;
    @qomType({ name: "cat", description: "a cat" })
    class Cat extends Animal {}
    declareLater(Cat, () => (asked += 1));
    const registry = new TypeRegistry();
    registry.registerAll([Cat, Animal], "needed");
    expect(registry.isA("cat", "animal")).to.equal(true);
    expect(asked).to.equal(0);
    expect([...registry.get("cat").properties.keys()]).to.deep.equal(["type", "pet-name"]);
    expect(asked).to.equal(1);
  });

  it("hints at the nearest type", async () => {
    const registry = new TypeRegistry();
    registry.registerAll([Animal, Dog]);
    expect((await refusal(() => registry.get("dgo"))).hint).to.contain("'dog'");
  });
});

describe("types that are registered later", () => {
  let made: string[];
  const registryWith = (...types: (typeof QomObject)[]): TypeRegistry => {
    made = [];
    const later = (name: string): [string, () => typeof QomObject] => {
      @qomType({ name, description: "does nothing" })
      class Idle extends QomObject {}
      return [name, () => (made.push(name), Idle)];
    };
    const registry = new TypeRegistry();
    registry.registerLater(new Map([later("idle-one"), later("idle-two")]));
    const copy = registry.copy();
    copy.registerAll(types);
    return copy;
  };

  it("are made when they are named, once", () => {
    const registry = registryWith();
    expect(registry.find("animal")).to.equal(undefined);
    expect(made).to.deep.equal([]);
    expect(registry.get("idle-one").description).to.equal("does nothing");
    expect(registry.get("idle-one")).to.equal(registry.find("idle-one"));
    expect(made).to.deep.equal(["idle-one"]);
    expect(registry.isA("idle-two", "object")).to.equal(true);
  });

  it("are listed as all others", () => {
    expect(
      registryWith()
        .list()
        .map(({ name }) => name),
    ).to.deep.equal(["idle-one", "idle-two"]);
  });

  it("leave their name to a type, an alias or an interface that is registered", () => {
    @qomType({ name: "idle-one", description: "works", interfaces: [{ name: "idle-two", description: "an interface" }] })
    class Working extends QomObject {}
    const registry = registryWith(Working);
    expect(registry.get("idle-one").description).to.equal("works");
    expect(registry.find("idle-two")).to.equal(undefined);
    expect(registry.list({ implements: "idle-two" }).map(({ name }) => name)).to.deep.equal(["idle-one"]);
    @qomType({ name: "busy", description: "works", aliases: ["idle-two"] })
    class Busy extends QomObject {}
    expect(
      registryWith(Busy)
        .list()
        .map(({ name }) => name),
    ).to.deep.equal(["busy", "idle-one"]);
  });
});

describe("a name that options use for themselves", () => {
  const reserved = [{ kind: "user-creatable", names: ["qom-type", "id"] }];

  it("is none for a property that can be set, and none of the type's ancestors may have it", async () => {
    @qomType({ name: "numbered", description: "has an id of its own" })
    class Numbered extends QomObject {
      @qomProperty(qom.string(), { description: "no option reaches it", name: "id" })
      accessor own: string | undefined;
    }
    @qomType({ name: "numbered-for-users", description: "a user may make it", interfaces: [USER_CREATABLE] })
    class ForUsers extends Numbered {}
    const registry = new TypeRegistry(reserved);
    registry.register(Numbered);
    const error = await refusal(() => registry.register(ForUsers));
    expect(error.kind).to.equal("type-definition");
    expect(error.message).to.contain("'id'").and.to.contain("'numbered-for-users'");
    expect(registry.isInterface("user-creatable")).to.equal(false);
    expect(new TypeRegistry().registerAll([Numbered, ForUsers])).to.equal(undefined);
  });

  it("may be that of a property that is only read", () => {
    @qomType({ name: "labelled", description: "tells its id", interfaces: [USER_CREATABLE] })
    class Labelled extends QomObject {
      @qomProperty(qom.string(), { description: "its id", name: "id" })
      get label(): string {
        return this.id ?? "";
      }
    }
    expect(new TypeRegistry(reserved).register(Labelled).name).to.equal("labelled");
  });
});

describe("decorators", () => {
  it("refuse a plain field and say what to write", () => {
    const decorate = (): void => {
      class Wrong extends QomObject {
        @qomProperty(qom.string(), { description: "plain" })
        path!: string;
      }
      void Wrong;
    };
    expect(decorate).to.throw(QomError, "accessor path");
  });

  for (const name of ["", "a=b", "a,b", "a/b", "a b"]) {
    it(`refuse the property name '${name}', which no option can have`, async () => {
      const error = await refusal(() => {
        class Wrong extends QomObject {
          @qomProperty(qom.string(), { description: "x", name })
          accessor text: string | undefined;
        }
        return Wrong;
      });
      expect(error.kind).to.equal("type-definition");
    });
  }

  it("refuse a default that the property does not take", async () => {
    const error = await refusal(() => {
      class Wrong extends QomObject {
        @qomProperty(qom.uint8({ max: 10 }), { description: "x", default: 11 })
        accessor small!: number;
      }
      return Wrong;
    });
    expect(error.kind).to.equal("type-definition");
    expect(error.message).to.contain("small").and.to.contain("from 0 to 10");
  });

  it("leave further properties of a class until they are asked for, once", () => {
    class Late extends QomObject {
      @qomProperty(qom.string(), { description: "of the class" })
      accessor own: string | undefined;
    }
    let times = 0;
    declareLater(Late, () => {
      times += 1;
      const descriptor = { get: (): string => "later" };
      qomProperty(qom.string(), { description: "of a table" })(Late.prototype, "further", descriptor);
    });
    expect(times).to.equal(0);
    for (let round = 0; round < 2; round += 1) expect([...ownProperties(Late).keys()]).to.deep.equal(["own", "further"]);
    expect(times).to.equal(1);
  });

  it("refuse two properties of one name in a class", () => {
    const decorate = (): void => {
      class Wrong extends QomObject {
        @qomProperty(qom.string(), { description: "one" })
        accessor somePath: string | undefined;

        @qomProperty(qom.string(), { name: "some-path", description: "another" })
        accessor other: string | undefined;
      }
      void Wrong;
    };
    expect(decorate).to.throw(QomError, "'some-path'");
  });

  it("refuse a constructor parameter without a token", () => {
    const decorate = (): void => {
      @qomType({ name: "needy", description: "needs something" })
      class Needy extends QomObject {
        constructor(readonly something: string) {
          super();
        }
      }
      void Needy;
    };
    expect(decorate).to.throw(QomError, "@inject");
  });

  it("let a class without a constructor inherit its superclass's dependencies", () => {
    const TOKEN = Symbol("token");
    @qomType({ name: "base-type", description: "has a dependency", abstract: true })
    abstract class Base extends QomObject {
      constructor(@inject(TOKEN) readonly dependency: string) {
        super();
      }
    }
    @qomType({ name: "derived-type", description: "has none of its own" })
    class Derived extends Base {}
    const child = container.createChildContainer();
    child.register(TOKEN, { useValue: "given" });
    expect(child.resolve(Derived).dependency).to.equal("given");
  });

  it("give a default until a value is set, and keep instances apart", () => {
    const [rex, tripod] = [new Dog(), new Dog()];
    tripod.legs = 3;
    expect([rex.legs, tripod.legs]).to.deep.equal([4, 3]);
  });
});
