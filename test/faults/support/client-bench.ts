/** What the tests of faults have in common: compiled C, helper processes that may die at any moment, and a manager without a machine. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ATTEMPT_PAUSE_MS } from "#src/backends/helper-socket/connector.js";
import { systemClock } from "#src/base/clock.js";
import { Clock, createContainer, Machine, PrManager } from "qom-pr";
import type { ScsiCommand, ScsiUnit } from "qom-pr";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { compileC, requireCompiler } from "../../support/c-compiler.js";
import { findPrHelper, greets } from "../../support/pr-helper.js";
import { mortalCommand, OUR_PROGRAM } from "../../helper/support/helper-process.js";
import { outcome } from "../../support/outcome.js";

/** Root of the project, seen from build/test/faults/support. */
const ROOT = new URL("../../../../", import.meta.url);

const SOAK = process.env["SOAK"] === "1";

/** The count for a soak run, or the one for somebody who waits. */
export function soakCount(soak: number, otherwise: number): number {
  return SOAK ? soak : otherwise;
}

/** The helper programs that there are. */
export const HELPERS: Readonly<Record<string, string | null>> = { "qemu-pr-helper": findPrHelper(), "qom-pr-helper": OUR_PROGRAM };

/** How long our client pauses here between two attempts to connect: a helper that was killed is often back after a tenth of a second. */
const SHORT_PAUSE_MS = 50;

/** The real clock but for these pauses. */
const IMPATIENT_CLOCK: Clock = {
  nowMs: () => systemClock.nowMs(),
  after: (delayMs, action, options) => systemClock.after(delayMs === ATTEMPT_PAUSE_MS ? SHORT_PAUSE_MS : delayMs, action, options),
};

/** A folder with a disk, compiled C and helpers, for the tests of this `describe`. */
export class ClientBench {
  #folder = "";
  #fd = -1;
  readonly #children = new Set<ChildProcess>();
  readonly #machines: Machine[] = [];

  constructor() {
    before(function () {
      requireCompiler(this);
    });
    before(() => {
      this.#folder = makeFolder();
      this.#fd = openSync(this.path("disk"), "w+");
    });
    afterEach(() => this.#clean());
    after(() => {
      if (this.#fd < 0) return;
      closeSync(this.#fd);
      removeFolder(this.#folder);
    });
  }

  /** Path of a file in the folder. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Compiles a C file that lies beside this one. */
  compile(source: string, flags: readonly string[]): string {
    const target = this.path(source.replace(/\.c$/, ""));
    const file = fileURLToPath(new URL(`test/faults/support/${source}`, ROOT));
    compileC(file, target, flags);
    return target;
  }

  /** Starts a program that is killed with the test; does not wait for anything. */
  spawn(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const words = mortalCommand([program, ...args], environment, "before");
    const child = spawn("setpriv", words, { stdio: "ignore", env: { ...process.env, ...environment } });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** Starts a helper on the socket `helper` of the folder, whatever was there before. */
  helper(program: string, environment: NodeJS.ProcessEnv = {}): ChildProcess {
    rmSync(this.path("helper"), { force: true });
    return this.spawn(program, ["-k", this.path("helper")], environment);
  }

  /** Waits until a helper serves. */
  async listening(): Promise<void> {
    while (!(await greets(this.path("helper")))) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Kills a process and waits until it is gone. */
  async kill(child: ChildProcess): Promise<void> {
    child.kill("SIGKILL");
    await ended(child);
  }

  /**
   * A manager for the socket `helper`, which may not be there yet: only an attempt that the helper has seen counts. It pauses shortly
   * between attempts.
   * @throws QomError when the helper has refused
   */
  async manager(properties = ""): Promise<PrManager> {
    for (;;) {
      try {
        const container = createContainer();
        container.register(Clock, { useValue: IMPATIENT_CLOCK });
        const options = `pr-manager-helper,id=pr0,path=${this.path("helper")},handshake-timeout=60${properties}`;
        const machine = await Machine.create(["-object", options], { container });
        this.#machines.push(machine);
        const manager = machine.object("pr0");
        if (manager instanceof PrManager) return manager;
      } catch (error) {
        if (!(error instanceof Error && /no such file|no process listens/.test(error.message))) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** A command through a manager, in one word. */
  async run(manager: PrManager, command: ScsiCommand): Promise<string> {
    const unit: ScsiUnit = {
      fd: this.#fd,
      readOnly: false,
      identity: "disk",
      nexus: null,
      sgio: () => Promise.reject(new Error("by no way")),
    };
    return outcome(await manager.execute(unit, command));
  }

  async #clean(): Promise<void> {
    await Promise.all(this.#machines.splice(0).map((machine) => machine.close()));
    await Promise.all([...this.#children].map((child) => this.kill(child)));
  }
}

/** Resolves when a process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}
