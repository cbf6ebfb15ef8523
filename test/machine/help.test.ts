/** Help is what the registry knows: nothing that exists is missing from it, nothing in it does not exist. */
import { expect } from "chai";
import { Machine, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import { refusal } from "../support/refusal.js";

@qomType({ name: "greeter", description: "says hello", interfaces: [USER_CREATABLE], aliases: ["hello"] })
class Greeter extends QomObject {
  @qomProperty(qom.size(), { description: "how loud", default: 2048n })
  accessor volume!: bigint;

  @qomProperty(qom.string(), { description: "to whom", required: true })
  accessor name!: string;

  @qomProperty(qom.list(), { description: "in which languages", default: ["en"] })
  accessor languages!: readonly string[];

  @qomProperty(qom.bool(), { description: "computed" })
  get loud(): boolean {
    return this.volume > 0n;
  }
}

@qomType({ name: "painter", description: "has values to choose from", interfaces: [USER_CREATABLE] })
class Painter extends QomObject {
  @qomProperty(qom.enumeration("Colour", ["red", "green"]), { description: "what it paints with", default: "red" })
  accessor colour!: "red" | "green";

  @qomProperty(qom.listOf(qom.object("Spot", { at: qom.uint8() }, { colour: qom.string() })), { description: "where it paints" })
  accessor spots: readonly { at: number; colour?: string | undefined }[] | undefined;

  @qomProperty(qom.uint8({ max: 7 }), { description: "how thick", required: true })
  accessor thickness!: number;
}

const help = (...argv: string[]): string => Machine.help(argv, { types: [Greeter, Painter] }) ?? "";

/** First words of the lines below the first. */
const names = (text: string): string[] =>
  text
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim().split(/[ =]/)[0] ?? "");

describe("help", () => {
  it("lists the types that an option can make, the embedder's included", async () => {
    const machine = await Machine.create([], { types: [Greeter, Painter] });
    const known = (filter: string): string[] => machine.qom.listTypes({ implements: filter }).map((type) => type.name);
    expect(names(help("-object", "help"))).to.deep.equal(known("user-creatable"));
    expect(names(help("-device", "?"))).to.deep.equal(known("device"));
    await machine.close();
    expect(names(help("-blockdev", "help"))).to.deep.equal(["file", "host_device", "raw", "sim-lun"]);
    expect(help("-object", "help")).to.match(/\n {2}greeter +says hello \(alias hello\)\n/);
  });

  it("lists of values only those that are taken", async () => {
    for (const property of ["rerror", "werror"]) {
      expect(help("-device", "scsi-block,help")).to.match(
        new RegExp(`\n  ${property}=<BlockdevOnError> .*\\(one of report, ignore, enospc, stop, auto; default: auto\\)\n`),
      );
    }
    expect(() => qom.enumeration("None", ["a"], [])).to.throw("supported");
  });

  it("lists the properties of a type that can be set, with kind, description and default", () => {
    for (const text of ["greeter,help", "hello,help", "greeter,id=x,?"]) {
      expect(help("-object", text), text).to.equal(
        "greeter: says hello\n" +
          "  volume=<size>        how loud (default: 2K)\n" +
          "  name=<string>        to whom (required)\n" +
          '  languages=<strList>  in which languages (default: ["en"])\n',
      );
    }
    expect(names(help("-device", "scsi-block,help"))).to.include.members(["drive", "share-rw"]);
    expect(names(help("-blockdev", "sim-lun,help"))).to.include.members(["wwn", "pr-manager"]);
  });

  it("tells the values that a property takes", () => {
    expect(help("-object", "painter,help")).to.equal(
      "painter: has values to choose from\n" +
        "  colour=<Colour>    what it paints with (one of red, green; default: red)\n" +
        "  spots=<SpotList>   where it paints (each an object of at=<uint8>, colour=<str> (optional))\n" +
        "  thickness=<uint8>  how thick (0 to 7; required)\n",
    );
  });

  it("is given for the first option that asks, wherever it stands", () => {
    expect(help("-device", "virtio-scsi", "-object", "greeter,help", "-device", "help")).to.match(/^greeter: /);
  });

  it("is not given where nothing asks for it", () => {
    expect(Machine.help(["-device", "virtio-scsi"])).to.equal(null);
  });

  it("of an unknown type is refused, and a machine that asks for help is", async () => {
    const error = await refusal(() => help("-object", "greter,help"));
    expect([error.kind, error.hint, error.context.argument]).to.deep.equal(["unknown-type", "did you mean 'greeter'?", "object"]);
    expect((await refusal(() => Machine.create(["-object", "help"]))).kind).to.equal("syntax");
  });
});
