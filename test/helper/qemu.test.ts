/**
 * The real QEMU as a client. QEMU looks at its connection only when a guest sends a reservation command (it notices nothing of a restart
 * before), and there is no guest here: so after the restart the object is added again, which connects and greets by the same code.
 */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { askStatus } from "#src/helper/status.js";
import { HelperProcess, until, Workshop } from "./support/helper-process.js";

const QEMU = "qemu-system-x86_64";

/** A QMP connection that waits for each command's reply. */
class Qmp {
  readonly #socket: Socket;
  #text = "";

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.setEncoding("utf8").on("data", (text: string) => (this.#text += text));
  }

  /** The `return` of a command; events before it are passed over. */
  async execute(command: string, args: object = {}): Promise<unknown> {
    const begin = this.#text.length;
    this.#socket.write(JSON.stringify({ execute: command, arguments: args }));
    const replies = (): { readonly return?: unknown; readonly error?: unknown }[] =>
      this.#text
        .slice(begin)
        .split("\r\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as object)
        .filter((message) => "return" in message || "error" in message);
    await until(() => replies().length > 0);
    expect(replies()[0]).to.have.property("return");
    return replies()[0]?.return;
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe("QEMU as a client of qom-pr-helper", () => {
  const workshop = new Workshop();
  before(function () {
    if (spawnSync(QEMU, ["-version"]).status === 0) return;
    if (process.env["REQUIRE_SYSTEM"] === "1") throw new Error(`${QEMU} is not installed: apt-get install qemu-system-x86`);
    console.log(`    skipped, there is no ${QEMU}: apt-get install qemu-system-x86`);
    this.skip();
  });

  it("is connected, and again after the helper was started anew", async function () {
    this.timeout(60_000);
    const path = workshop.path("socket");
    const qmpPath = workshop.path("qmp");
    let helper = await workshop.start("socket");
    const qemu = new HelperProcess(QEMU, [
      ...["-M", "none", "-display", "none", "-nodefaults", "-qmp", `unix:${qmpPath},server=on,wait=off`],
      ...["-object", `pr-manager-helper,id=helper0,path=${path}`],
    ]);
    await until(() => existsSync(qmpPath));
    const qmp = new Qmp(qmpPath);
    try {
      await qmp.execute("qmp_capabilities");
      const isClient = async (): Promise<boolean> => (await askStatus(path)).includes(`"pid": ${qemu.pid},`);
      expect(await qmp.execute("query-pr-managers")).to.deep.equal([{ id: "helper0", connected: true }]);
      await until(isClient);
      await helper.stop();
      helper = await workshop.start("socket");
      expect(await isClient()).to.be.false;
      await qmp.execute("object-del", { id: "helper0" });
      await qmp.execute("object-add", { "qom-type": "pr-manager-helper", id: "helper0", path });
      expect(await qmp.execute("query-pr-managers")).to.deep.equal([{ id: "helper0", connected: true }]);
      await until(isClient);
    } finally {
      qmp.close();
      await qemu.stop();
      await helper.stop();
    }
  });
});
