/**
 * The real qemu-pr-helper, for tests against it.
 *
 *     const helper = usePrHelper();      // inside describe(); starts it before the suite, ends it afterwards
 *     it("...", () => connect(helper.path));
 *
 * Where it is not installed the suite is skipped, with a line that says how to install it; with REQUIRE_SYSTEM=1 the suite fails.
 */

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { makeFolder, removeFolder } from "./folder.js";
import { skipUnlessRequired } from "./requirement.js";

const PROGRAM = "qemu-pr-helper";

/** Between two looks whether the socket is there; the look decides, not the pause. */
const POLL_INTERVAL_MS = 5;

/** A qemu-pr-helper on a socket in a folder of its own. */
export class PrHelper {
  /** Absolute path of its socket; the same after a restart. */
  readonly path: string;
  readonly #program: string;
  readonly #options: readonly string[];
  readonly #folder = makeFolder();
  readonly #killAtExit = (): void => void this.#child?.kill("SIGKILL");
  #child: ChildProcess | null = null;
  #output = "";

  /** @param options besides the one that names the socket, which comes last */
  constructor(program: string, options: readonly string[] = []) {
    this.#program = program;
    this.#options = options;
    this.path = join(this.#folder, "socket");
  }

  /** Starts the program, which must not be running, and waits until it greets clients. */
  async start(): Promise<void> {
    const child = spawn(this.#program, [...this.#options, "-k", this.path], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    process.once("exit", this.#killAtExit);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    const failed = new Promise<never>((_resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${PROGRAM} ended with status ${code}: ${this.#output}`)));
    });
    // Once it runs, its end is nobody's failure.
    failed.catch(() => {});
    while (!(await Promise.race([failed, greets(this.path)]))) await pause(POLL_INTERVAL_MS);
  }

  /** What it has written since it was first started. */
  get output(): string {
    return this.#output;
  }

  /** Kills it and waits for its end; the socket file stays behind. It may be started again. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off("exit", this.#killAtExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills it and removes its folder. */
  async dispose(): Promise<void> {
    await this.kill();
    removeFolder(this.#folder);
  }
}

/** The version of the program on PATH, `7.2.22`; null where there is none. */
export function prHelperVersion(): string | null {
  const { stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  return /(\d+\.\d+\.\d+) /.exec(stdout)?.[1] ?? null;
}

/** Path of the program, or null where it is not installed, or cannot run since it has no privileges to drop. */
export function findPrHelper(): string | null {
  if (process.getuid?.() !== 0) return null;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/libexec", "/usr/lib/qemu"];
  for (const folder of folders) {
    const program = join(folder, PROGRAM);
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      // the next folder may have it
    }
  }
  return null;
}

/** Skips the suite of `context` with a line that says what to install; with REQUIRE_SYSTEM=1 it fails instead. */
export function skipWithoutPrHelper(context: Mocha.Context): never {
  const reason = process.getuid?.() === 0 ? `there is no ${PROGRAM}: apt-get install qemu-system-common` : `${PROGRAM} runs for root only`;
  skipUnlessRequired(context, reason);
}

/** One running helper for the tests of this `describe`; usable from the first `before` or `it` on. */
export function usePrHelper(): PrHelper {
  const program = findPrHelper();
  const helper = new PrHelper(program ?? PROGRAM);
  before(async function () {
    if (program === null) skipWithoutPrHelper(this);
    await helper.start();
  });
  after(() => helper.dispose());
  return helper;
}

/** Whether a helper serves the socket at `path`: it has the first word. */
export function greets(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once("data", () => settle(true));
    for (const event of ["end", "error"] as const) socket.once(event, () => settle(false));
  });
}

/** Whether something accepts connections at `path`. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
