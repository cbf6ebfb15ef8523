/** What the laboratory is made with, as far as that needs no kernel. */

import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { makeFolder, removeFolder } from "../support/folder.js";
import { CpioArchive } from "./cpio.js";
import { findProgram, withLibraries } from "./host.js";
import { InOrder } from "./in-order.js";
import { withoutSelfWait } from "./kernel-modules.js";
import { packageFolders } from "./packages.js";
import { skipUnlessRequired } from "../support/requirement.js";

describe("the laboratory's image", () => {
  const folder = makeFolder();
  after(() => removeFolder(folder));

  it("is an archive that cpio reads", function () {
    const busybox = findProgram("busybox");
    if (busybox === null) skipUnlessRequired(this, "there is no busybox: apt-get install busybox-static");
    const path = join(folder, "image.cpio");
    const archive = new CpioArchive(path);
    archive.add("/a/b/program", "12345", { executable: true });
    archive.add("/a/b/program", "added twice");
    archive.add("/a/empty", "");
    archive.link("/l", "a/b");
    archive.close();
    const tree = join(folder, "tree");
    mkdirSync(tree);
    const { status, stderr } = spawnSync(busybox, ["cpio", "-i"], { cwd: tree, input: readFileSync(path), encoding: "utf8" });
    expect(status, stderr).to.equal(0);
    expect(readFileSync(join(tree, "a/b/program"), "utf8")).to.equal("12345");
    expect(statSync(join(tree, "a/b/program")).mode & 0o777).to.equal(0o755);
    expect(statSync(join(tree, "a/empty")).size).to.equal(0);
    expect([lstatSync(join(tree, "l")).isSymbolicLink(), readlinkSync(join(tree, "l"))]).to.deep.equal([true, "a/b"]);
  });

  it("has programs with their libraries, and packages with what they need", () => {
    expect(withLibraries(process.execPath)[0]).to.equal(process.execPath);
    const names = packageFolders(process.cwd(), ["chai", "tsyringe"]).map((path) => path.split("/node_modules/").at(-1));
    expect(names).to.include.members(["chai", "tsyringe", "tslib"]);
    expect(() => packageFolders(process.cwd(), ["no-such-package"])).to.throw("no-such-package");
  });

  it("is not made of a kernel that is built in another way", () => {
    expect(() => withoutSelfWait(Buffer.alloc(64))).to.throw("no 64-bit little-endian ELF file");
  });
});

describe("output in order", () => {
  it("comes from the first at once, and from the others in their turn", () => {
    let text = "";
    const order = new InOrder((more) => (text += more));
    const [first, second, third] = [order.open(), order.open(), order.open()];
    second.write("b1 ");
    first.write("a1 ");
    expect(text).to.equal("a1 ");
    second.close();
    third.write("c1 ");
    first.write("a2 ");
    first.close();
    expect(text).to.equal("a1 a2 b1 c1 ");
    third.write("c2");
    third.close();
    expect(text).to.equal("a1 a2 b1 c1 c2");
  });
});
