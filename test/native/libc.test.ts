import { expect } from "chai";
import { Errno, errnoName, errnoText, SystemCallError } from "#src/native/errno.js";
import { declareFunctions, libc, unsupportedPlatform } from "#src/native/libc.js";
import { NativeMemory } from "#src/native/memory.js";
import { isErrnoError } from "#src/base/errors.js";

describe("native: libc", () => {
  it("is supported on 64-bit little-endian Linux alone, and says what is missing elsewhere", () => {
    expect(unsupportedPlatform("linux", "x64")).to.equal(null);
    expect(unsupportedPlatform("linux", "arm64")).to.equal(null);
    for (const architecture of ["ia32", "arm", "s390x", "ppc64", "mips"])
      expect(unsupportedPlatform("linux", architecture)).to.include(architecture);
    for (const platform of ["darwin", "win32", "freebsd"]) expect(unsupportedPlatform(platform, "x64")).to.include(platform);
  });

  it("loads once", () => {
    expect(libc()).to.equal(libc());
  });

  it("returns minus errno where C returns -1", () => {
    expect(libc().close(-1)).to.equal(-Errno.EBADF);
    expect(libc().ioctl(-1, 0, new Uint8Array(8))).to.equal(-Errno.EBADF);
  });

  it("hands out addresses that stay the same while garbage is collected and are those of the bytes", () => {
    const { memset } = declareFunctions<{ readonly memset: (address: bigint, value: number, length: number) => unknown }>({
      memset: "void *memset(void *address, int value, size_t length)",
    });
    const blocks = Array.from({ length: 1000 }, () => new NativeMemory(40));
    for (let i = 0; i < 200; i += 1) Array.from({ length: 1000 }, () => new Uint8Array(100));
    for (const [i, block] of blocks.entries()) memset(block.address, i % 256, 40);
    for (const [i, block] of blocks.entries()) expect([...new Set(block.bytes)]).to.deep.equal([i % 256]);
  });

  it("describes error numbers, those unknown to node too", () => {
    expect(errnoName(2)).to.equal("ENOENT");
    expect(errnoText(2)).to.equal("no such file or directory");
    expect(errnoName(Errno.ENOMEDIUM)).to.equal("ENOMEDIUM");
    expect(errnoName(4242)).to.equal("errno 4242");
    const error = new SystemCallError("sendmsg", Errno.EPIPE);
    expect(isErrnoError(error)).to.equal(true);
    expect(error).to.include({ code: "EPIPE", errno: -32, syscall: "sendmsg", message: "sendmsg: broken pipe (EPIPE)" });
  });

  it("has the numbers that node has, wherever node has them", async () => {
    const { constants } = await import("node:os");
    const known: Record<string, number> = constants.errno;
    for (const [name, value] of Object.entries(Errno)) {
      expect(errnoName(value)).to.equal(name);
      if (name in known) expect(known[name], name).to.equal(value);
    }
  });
});
