/** Whatever is wrong with an option, its error knows where in the text that is, so that a terminal can show a caret under it. */
import { expect } from "chai";
import { Machine, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import { caretLines } from "#src/options/caret-lines.js";
import { refusal } from "../support/refusal.js";

const rule = qom.object("Rule", { match: qom.string() });

@qomType({ name: "test-ruled", description: "has a list", interfaces: [USER_CREATABLE] })
class Ruled extends QomObject {
  @qomProperty(qom.listOf(rule), { description: "rules" })
  accessor rules: readonly unknown[] | undefined;
}

/** Arguments, and what stands where the caret does; the last argument is the wrong one. */
const ROWS: readonly (readonly [string, readonly string[], string])[] = [
  ["an unknown property", ["-object", "pr-manager-helper,id=a,pth=/x"], "pth=/x"],
  ["an unknown flag", ["-object", "pr-manager-helper,id=a,path=/x,pth"], "pth"],
  ["a negated unknown flag", ["-object", "pr-manager-helper,id=a,path=/x,nopth"], "nopth"],
  ["an unknown property given twice", ["-object", "pr-manager-memory,id=a,x=1,x=2"], "x=2"],
  ["an unknown type", ["-object", "pr-manager-helpr,id=a"], "pr-manager-helpr,id=a"],
  ["a type that is no user's", ["-object", "id=a,qom-type=container"], "container"],
  ["a bad id", ["-object", "pr-manager-memory,id=1a"], "1a"],
  ["an id that is taken", ["-object", "pr-manager-memory,id=a", "-object", "pr-manager-memory,id=a"], "a"],
  ["a link to nothing", ["-object", "pr-manager-memory,id=a,fabric=b,,c"], "b,,c"],
  ["an unknown member", ["-object", '{"qom-type":"pr-manager-helper","id":"a","pth":"/x"}'], '"pth":"/x"}'],
  ["a member of the wrong kind", ["-object", '{"qom-type":"pr-manager-helper","id":"a", "path": 5}'], "5}"],
  [
    "an unknown member of a list",
    ["-object", '{"qom-type":"test-ruled","id":"a","rules":[{"match":"x"},{"match":"y","mtch":1}]}'],
    '"mtch":1}]}',
  ],
  ["a wrong member of a list", ["-object", '{"qom-type":"test-ruled","id":"a","rules":[{"match":"x"},{"match":7}]}'], "7}]}"],
  ["a member that a list lacks", ["-object", '{"qom-type":"test-ruled","id":"a","rules":[{"match":"x"},{}]}'], "{}]}"],
  ["a device's unknown property", ["-device", "virtio-scsi,foo=1"], "foo=1"],
  ["a device's wrong value", ["-device", "virtio-scsi,num_queues=abc"], "abc"],
  ["an unknown device", ["-device", "nope"], "nope"],
  ["a device's node that is not there", ["-device", "virtio-scsi", "-device", "scsi-block,drive=hd"], "hd"],
  ["a device's bus that is not there", ["-device", "virtio-scsi", "-device", "scsi-block,bus=b,drive=hd"], "b,drive=hd"],
  ["a node's unknown property", ["-blockdev", "raw,node-name=a,file.driver=file,file.foo=1"], "file.foo=1"],
  ["a nested node's wrong value", ["-blockdev", "raw,node-name=a,file.driver=sim-lun,file.wwn=naa.5000000000000001,file.size=5x"], "5x"],
  ["a nested node's driver", ["-blockdev", '{"driver":"raw","node-name":"a","file":{"driver":"nope"}}'], '"nope"}}'],
  ["a nested node that lacks something", ["-blockdev", "raw,node-name=a,file.driver=sim-lun"], "sim-lun"],
  ["a node that is not there", ["-blockdev", "raw,node-name=a,file=zz"], "zz"],
  ["a bad node name", ["-blockdev", "raw,node-name=1a,file=zz"], "1a,file=zz"],
  ["a drive's unknown property", ["-drive", "if=none,id=h,file.driver=file,file.filename=/dev/null,file.foo=x"], "file.foo=x"],
  ["a drive's file", ["-drive", "if=none,id=h,format=raw,file=/nowhere"], "/nowhere"],
  ["a drive's interface", ["-drive", "if=ide,id=h"], "ide,id=h"],
  ["a gap in a list", ["-blockdev", "raw,x.1=a,node-name=a"], "x.1=a,node-name=a"],
];

describe("the position of a mistake", () => {
  for (const [what, argv, there] of ROWS) {
    it(`is known of ${what}`, async () => {
      const error = await refusal(async () => {
        const machine = await Machine.create(argv, { types: [Ruled], strict: true });
        await machine.close();
      });
      const { argument, text = "", position } = error.context;
      expect([`-${argument ?? ""}`, text]).to.deep.equal(argv.slice(-2));
      expect(position, error.message).to.be.a("number");
      expect(text.slice(position)).to.equal(there);
      expect(caretLines(error)).to.have.lengthOf(2);
    });
  }

  it("is not made up for what is not in the text", async () => {
    const error = await refusal(() => Machine.create(["-object", "pr-manager-helper,id=a"]));
    expect(error.kind).to.equal("missing");
    expect(error.context.position).to.equal(undefined);
  });
});
