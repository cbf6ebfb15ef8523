/** Words of a command line that are not options: the program with its environment, the image of a disk; and monitors as QEMU takes them. */
import { connect } from "node:net";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { takeRunWords } from "#src/cli/run-options.js";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";
import { shellWords } from "./support/shell-words.js";

const LEFT_OUT = "left out, since QEMU has it and this machine does not: ";

/** The warnings of a machine that is closed at once. */
async function warningsOf(...argv: readonly string[]): Promise<readonly string[]> {
  const machine = await Machine.create(argv);
  await machine.close();
  return machine.warnings;
}

describe("words before the options", () => {
  const PROGRAMS: readonly (readonly string[])[] = [
    ["qemu-system-x86_64"],
    ["LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/a b", "/usr/bin/qemu-system-aarch64"],
    ["/usr/libexec/qemu-kvm"],
    ["_X1=", "kvm"],
  ];
  for (const words of PROGRAMS) {
    it(`are the program and what it is given: ${words.join(" ")}`, async () => {
      expect(await warningsOf(...words, "-device", "virtio-scsi")).to.deep.equal([]);
      const taken = takeRunWords(["--check", ...words, "-device", "virtio-scsi"]);
      expect([taken.check, taken.machine]).to.deep.equal([true, ["-device", "virtio-scsi"]]);
      expect(takeRunWords([...words, "-device", "virtio-scsi", "--check"])).to.deep.equal(taken);
      expect(takeRunWords([...words, "--check"]).machine).to.deep.equal([]);
    });
  }

  const SLIPS: readonly (readonly string[])[] = [
    ["LC_ALL=C"],
    ["LC_ALL=C", "-device", "virtio-scsi"],
    ["LC_ALL=C", "LANG=C", "bash"],
    ["qemu-system"],
    ["qemu-system-x86_64", "qemu-system-x86_64"],
    ["-device", "virtio-scsi", "qemu-system-x86_64"],
    ["-device", "virtio-scsi", "id=s"],
    ["-device", "virtio-scsi,", "id=s"],
    ["-device", "virtio-scsi", ",id=s"],
    ["-device", "scsi-block,drive=hd", "/dev/sdb,lun=1"],
    ["-blockdev", "null-co,node-name=a", '"/dev/sdb"}'],
    ["{driver:", "-device", "virtio-scsi"],
    ["disk"],
    ["7.2"],
    [""],
    ["-"],
    ["a\nb.img"],
  ];
  for (const words of SLIPS) {
    it(`are refused where they are nothing of the kind: ${JSON.stringify(words)}`, async () => {
      const errors = [await refusal(() => Machine.create(words)), await refusal(async () => Promise.resolve(takeRunWords(words)))];
      for (const error of errors) {
        expect(error.kind).to.equal("unknown-name");
        expect(error.message).to.contain("is not an option");
      }
    });
  }
});

describe("a word that is an image", () => {
  for (const word of ["disk.img", "/dev/vg0/root", "images/my disk", "./x", "~/a.qcow2"]) {
    it(`is left out as -hda is, and refused by a strict machine: ${word}`, async () => {
      expect(await warningsOf("-device", "virtio-scsi", word, "-m", "1G")).to.deep.equal([`${LEFT_OUT}options -hda, -m`]);
      expect(takeRunWords(["--check", word, "-m", "1G"]).machine).to.deep.equal([word, "-m", "1G"]);
      expect((await refusal(() => Machine.create([word], { strict: true }))).kind).to.equal("unknown-name");
    });
  }
});

describe("-name and -trace, as QEMU takes them", () => {
  const NAMES: readonly (readonly [string, string, boolean])[] = [
    ["Windows 10", "Windows-10", true],
    ["vm1,debug-threads=on", "vm1", false],
    ["n".repeat(65), "n".repeat(64), true],
  ];
  for (const [given, name, isOther] of NAMES) {
    it(`gives the machine the name ${name}`, async () => {
      const machine = await Machine.create(["-name", given]);
      await machine.close();
      expect(machine.name).to.equal(name);
      expect(machine.warnings.length).to.equal(isOther ? 1 : 0);
    });
  }

  it("gives a machine a name of its own where there is none", async () => {
    expect(await warningsOf("-name", "")).to.deep.equal([]);
  });

  it("leaves -trace to the program", async () => {
    expect(await warningsOf("-trace", "pr_*")).to.deep.equal([`${LEFT_OUT}options -trace`]);
    expect((await refusal(() => Machine.create(["-trace", "pr_*"], { strict: true }))).kind).to.equal("unknown-name");
    expect(takeRunWords(["-trace", "pr_*"])).to.deep.include({ traces: ["pr_*"], machine: [] });
  });
});

describe("a monitor's device, as QEMU takes it", () => {
  const folder = temporaryFolder();
  const socket = (more: string): string => `socket,id=c,path=${folder.path("m")},server=on,wait=off,${more}`;

  for (const more of ["mux=on", "logfile=/nowhere/log,logappend=on", "ipv4=on,ipv6=off,to=5", "tight=off,telnet=off,abstract=no"]) {
    it(`has no other protocol with ${more}`, async () => {
      const machine = await Machine.create(["-chardev", socket(more), "-mon", "c,mode=control"]);
      const client = connect(folder.path("m"));
      const greeting = await new Promise<string>((resolve) => client.once("data", (bytes) => resolve(String(bytes))));
      expect(greeting).to.match(/^\{"QMP":/);
      client.destroy();
      await machine.close();
      expect(machine.warnings).to.deep.equal([]);
    });
  }

  for (const more of ["telnet=on", "tn3270=on", "websocket=on", "abstract=on", "tls-creds=t"]) {
    it(`is left out with its monitor where another protocol is asked for: ${more}`, async () => {
      const argv = ["-chardev", socket(more), "-mon", "c,mode=control"];
      expect(await warningsOf(...argv)).to.deep.equal([`${LEFT_OUT}options -mon; character devices socket 'c'`]);
      const option = more.replace(/=.*/, "");
      expect((await refusal(() => Machine.create(argv, { strict: true }))).message).to.contain(`option '${option}' is not supported`);
      expect(await warningsOf("-qmp", `unix:${folder.path("m")},server,nowait,${more}`)).to.deep.equal([`${LEFT_OUT}options -qmp`]);
    });
  }

  const fixed = (more: string): string => `socket,id=c,path=/nowhere/m,server=on,wait=off,${more}`;
  const REFUSED: readonly (readonly [string, readonly string[]])[] = [
    ["mux", ["-chardev", fixed("mux=maybe")]],
    ["logappend", ["-chardev", "stdio,id=c,logappend=1"]],
    ["to", ["-chardev", fixed("to=x")]],
    ["ipv4", ["-qmp", "tcp::0,server,nowait,ipv4=x"]],
    ["telnet", ["-chardev", fixed("telnet=x")]],
    ["reconnect", ["-chardev", fixed("reconnect=0")]],
    ["pretty", ["-chardev", fixed("mux=on"), "-mon", "c,mode=readline,pretty=on"]],
    ["default", ["-chardev", fixed("mux=on"), "-mon", "c,default=on"]],
    ["foo", ["-chardev", fixed("foo=1")]],
  ];
  for (const [option, argv] of REFUSED) {
    it(`is refused as QEMU refuses it: ${option}`, async () => {
      expect((await refusal(() => Machine.create(argv))).message).to.contain(`'${option}'`);
    });
  }
});

describe("the words of a command line in a text", () => {
  it("are those of a shell", () => {
    expect(
      shellWords(String.raw`a 'b "c"' "d 'e' \" \\ \f" g\ h i'j'"k" '' \
      -l`),
    ).to.deep.equal(["a", 'b "c"', String.raw`d 'e' " \ \f`, "g h", "ijk", "", "-l"]);
  });
});
