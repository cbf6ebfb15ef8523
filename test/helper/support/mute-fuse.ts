/** A file system whose server does not answer when a file is closed: see mute-fuse.c. For root; the suite is skipped elsewhere. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { compileC, requireCompiler } from "../../support/c-compiler.js";
import { skipUnlessRequired } from "../../support/requirement.js";
import { sourceFile } from "./helper-process.js";
import { skipUnlessRoot } from "./process-status.js";

/** The compiled server, for the tests of this `describe`. */
export class MuteFuse {
  #folder = "";
  readonly #servers: MuteServer[] = [];

  constructor() {
    before(function () {
      skipUnlessRoot(this);
      requireCompiler(this);
    });
    before(() => {
      this.#folder = makeFolder();
      compileC(sourceFile("mute-fuse.c"), join(this.#folder, "mute-fuse"));
    });
    // Before the helpers of a workshop are waited for: they cannot end while a thread of theirs closes a file.
    afterEach(async () => {
      for (const server of this.#servers.splice(0)) await server.end();
    });
    after(() => {
      removeFolder(this.#folder);
    });
  }

  /** Starts a server, which ends with the test; skips the test where the system does not let root mount. */
  async serve(context: Mocha.Context): Promise<MuteServer> {
    const mountPoint = join(this.#folder, `mount-${this.#servers.length}`);
    mkdirSync(mountPoint, { recursive: true });
    const child = spawn(join(this.#folder, "mute-fuse"), [mountPoint], { stdio: ["ignore", "pipe", "pipe"] });
    let refusal = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (refusal += text));
    const serves = await new Promise<boolean>((resolve) => {
      child.stdout.once("data", () => resolve(true));
      child.once("close", () => resolve(false));
    });
    if (!serves) skipUnlessRequired(context, `FUSE cannot be mounted here: ${refusal.trim()}`);
    const server = new MuteServer(child, `/proc/${child.pid}/root${mountPoint}/file`);
    this.#servers.push(server);
    return server;
  }
}

/** A running server. */
export class MuteServer {
  readonly #child: ChildProcess;
  readonly #path: string;

  constructor(child: ChildProcess, path: string) {
    this.#child = child;
    this.#path = path;
  }

  /**
   * A descriptor of its file, which the caller closes before it starts a program: that would have it closed by a thread that is not
   * answered.
   */
  open(): number {
    return openSync(this.#path, "r+");
  }

  /** Ends the server: whoever waits for it goes on. Idempotent. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
