/** What an open file is, without asking its file system. */
import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, linkSync, mkdirSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { present } from "#src/base/assert.js";
import { splitDeviceNumber } from "#src/base/device-number.js";
import { FileTypeReader } from "#src/native/file/type.js";
import { temporaryFolder } from "../support/folder.js";
import { skipUnlessRequired } from "../support/requirement.js";

/** Opens a name, whether there is a device behind it or not. */
const O_PATH = 0o10000000;

describe("native: what an open file is", () => {
  const folder = temporaryFolder();
  const reader = new FileTypeReader();

  /** Opens a file for the time of `action`. */
  function open<T>(path: string, flags: number, action: (fd: number) => T): T {
    const fd = openSync(path, flags);
    try {
      return action(fd);
    } finally {
      closeSync(fd);
    }
  }

  it("is told of files, folders and devices", () => {
    writeFileSync(folder.path("file"), "");
    for (const [path, kind] of [
      [folder.path("file"), "file"],
      [folder.path("."), "other"],
    ] as const) {
      expect(open(path, constants.O_RDONLY, (fd) => reader.read(fd)).kind, path).to.equal(kind);
    }
    expect(open("/dev/null", constants.O_RDWR, (fd) => reader.read(fd))).to.deep.equal({ kind: "character", major: 1, minor: 3 });
  });

  it("has the numbers of the device, however large", function () {
    for (const [kind, letter, major, minor] of [
      ["block", "b", 8, 16],
      ["block", "b", 253, 257],
      ["character", "c", 21, 1_048_575],
    ] as const) {
      const node = folder.path(`${major}-${minor}`);
      const made = spawnSync("mknod", [node, letter, `${major}`, `${minor}`]);
      if (made.status !== 0) skipUnlessRequired(this, "a device node cannot be made, which takes root");
      expect(open(node, O_PATH, (fd) => reader.read(fd))).to.deep.equal({ kind, major, minor });
    }
    return undefined;
  });

  it("has a place that is the file's, not the name's", () => {
    for (const name of ["one", "two"]) writeFileSync(folder.path(name), "");
    linkSync(folder.path("one"), folder.path("same"));
    const [one, same, two] = ["one", "same", "two"].map((name) =>
      open(folder.path(name), constants.O_RDONLY, (fd) => {
        const { dev, ino, birthtimeNs } = fstatSync(fd, { bigint: true });
        const place = reader.placeOf(fd);
        const { birthNs, generation, ...where } = present(place, "the file is open");
        expect(where).to.deep.equal({ fileSystem: splitDeviceNumber(Number(dev)), inode: ino });
        // where the file system of the test's folder keeps it
        expect(birthNs).to.be.oneOf([birthtimeNs, null]);
        if (birthNs !== null) expect(generation).to.equal(null);
        return where.inode;
      }),
    );
    expect([same === one, two === one]).to.deep.equal([true, false]);
  });

  it("has the generation of its inode where there is no time of birth", function () {
    const [image, folderOfIt] = [folder.path("ext2"), folder.path("mounted")];
    mkdirSync(folderOfIt);
    const script = `truncate -s 4M "${image}" && mke2fs -q -F -t ext2 -I 128 "${image}" 2>&1 && mount -o loop "${image}" "${folderOfIt}"`;
    if (spawnSync("sh", ["-c", script]).status !== 0) {
      skipUnlessRequired(this, "a file system cannot be mounted: run as root, apt-get install e2fsprogs");
    }
    try {
      const places = [1, 2].map(() => {
        writeFileSync(`${folderOfIt}/file`, "");
        const place = open(`${folderOfIt}/file`, constants.O_RDONLY, (fd) => present(reader.placeOf(fd), "the file is open"));
        unlinkSync(`${folderOfIt}/file`);
        expect(place.birthNs).to.equal(null);
        return place;
      });
      const [first, second] = places;
      expect(second?.inode, "the inode is used again").to.equal(first?.inode);
      expect(first?.generation).to.be.a("number");
      expect(second?.generation).not.to.equal(first?.generation);
    } finally {
      spawnSync("umount", [folderOfIt]);
    }
    return undefined;
  });

  it("has neither on a file system that would have to ask a server, or makes files up", () => {
    const place = open("/proc/self/status", constants.O_RDONLY, (fd) => reader.placeOf(fd));
    expect([place?.birthNs, place?.generation]).to.deep.equal([null, null]);
  });

  it("is unknown for what is not open", () => {
    expect(reader.read(999_999)).to.deep.equal({ kind: "other", major: 0, minor: 0 });
    expect(reader.placeOf(999_999)).to.equal(null);
  });
});
