/** A helper program, ours or the C one, started with any options. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, constants, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { libc } from "#src/native/libc.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { listenUnixStream } from "#src/native/server/unix.js";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { greets } from "../../support/pr-helper.js";

/** Root of the project, seen from build/test/helper/support. */
const ROOT = new URL("../../../../", import.meta.url);

/** Our program as it is installed: the file in bin/, started by its first line. */
export const OUR_PROGRAM = fileURLToPath(new URL("bin/qom-pr-helper.js", ROOT));

/** Path of a file of the tests that is not compiled. */
export function sourceFile(name: string): string {
  return fileURLToPath(new URL(`test/helper/support/${name}`, ROOT));
}

/** Between two looks at something another process does; the look decides, not the pause. */
const POLL_INTERVAL_MS = 5;

/** Waits until `condition` holds; the test's own timeout ends it when it never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(POLL_INTERVAL_MS);
}

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a program finds when it is started. */
export interface Circumstances {
  /** Options of setpriv(1). */
  readonly privileges?: readonly string[];
  /** What it has as descriptors 3 and following. */
  readonly descriptors?: readonly number[];
  /** Who takes the privileges away that our program does not keep; by default the program itself. */
  readonly shedding?: Shedding;
}

/**
 * Options of setpriv(1), and a second one, that leave what our program keeps: with more, it would run a second time, without what its starter
 * had the dynamic loader add. For root; another user has nothing to shed but the privileges it could gain.
 */
const UNPRIVILEGED =
  process.getuid?.() === 0
    ? [
        ...["--inh-caps", "-all,+sys_rawio", "--ambient-caps", "-all,+sys_rawio"],
        ...["setpriv", "--bounding-set", "-all", "--clear-groups", "--no-new-privs"],
      ]
    : ["--no-new-privs"];

/** What a program that our helper is started with beside its options: it then finds no more privileges than it keeps, and runs once. */
export type Shedding = "before" | "itself";

/** Users and groups other than the starter's are taken by the program itself. */
const BECOMES_ANOTHER = /^(?:-[ug]|--user|--group)/;

/**
 * Words for setpriv(1) that start a command which is killed when the thread that started it ends. Our program may be a word of a shell's.
 * @param shedding whether our program is started with more privileges than it keeps, and sheds them itself. Not when something is loaded
 * before libc: it would be gone in the second run.
 */
export function mortalCommand(words: readonly string[], environment: NodeJS.ProcessEnv, shedding: Shedding = "itself"): readonly string[] {
  const isOurs = words.some((word) => word.endsWith("qom-pr-helper.js"));
  const before = environment["LD_PRELOAD"] !== undefined || (shedding === "before" && !words.some((word) => BECOMES_ANOTHER.test(word)));
  return ["--pdeathsig", "KILL", ...(isOurs && before ? UNPRIVILEGED : []), ...words];
}

/** A running program. It is killed when the thread that started it ends, however that ends. */
export class HelperProcess {
  /** Resolves when it has ended. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    { privileges = [], descriptors = [], shedding = "itself" }: Circumstances = {},
  ) {
    const child = spawn("setpriv", [...privileges, ...mortalCommand([program, ...args], environment, shedding)], {
      stdio: ["ignore", "pipe", "pipe", ...descriptors],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    // A program that a failed test leaves behind does not keep the tests from ending, which ends the program.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.ended.catch(() => {});
  }

  /** Starts it on a socket and waits until it serves: a socket that takes connections may still be waiting for its helper. */
  static async listening(
    program: string,
    path: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
    shedding: Shedding = "itself",
  ): Promise<HelperProcess> {
    const helper = new HelperProcess(program, ["-k", path, ...args], environment, { shedding });
    await helper.serves(path);
    return helper;
  }

  /** Waits until it serves the socket at `path`. */
  async serves(path: string): Promise<void> {
    await until(() => {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      return greets(path);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }

  /** Its sockets and open files, sorted: without what node's threads have for themselves, and read while they start. */
  get descriptors(): string[] {
    const folder = `/proc/${this.pid}/fd`;
    const targets = readdirSync(folder).flatMap((fd) => {
      try {
        return readlinkSync(join(folder, fd));
      } catch {
        return []; // closed in between
      }
    });
    return targets.filter((target) => !/^(?:anon_inode|pipe):|^\/(?:proc|sys)\/|\.(?:c?js|json|node)$/.test(target)).toSorted();
  }

  /** How many threads of the kernel it has. */
  get threads(): number {
    return Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to stop and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ending> {
    this.signal(signal);
    return this.ended;
  }
}

/** A program that should only say something and end is killed after this time: it is serving instead. */
const RUN_LIMIT_MS = 30_000;

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  circumstances: Circumstances = {},
): Promise<Ending & { stdout: string; stderr: string }> {
  const helper = new HelperProcess(program, args, environment, circumstances);
  const limit = setTimeout(() => helper.signal("SIGKILL"), RUN_LIMIT_MS);
  const ending = await helper.ended.finally(() => clearTimeout(limit));
  return { ...ending, stdout: helper.stdout, stderr: helper.stderr };
}

/** The words a process was started with; empty when it has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** The folder for temporary files. When root's is closed to other users, as libpam-tmpdir makes it, one that is not: tests go on as them. */
export function folderForAll(): string {
  const open = (folder: string): boolean => (statSync(folder).mode & constants.S_IXOTH) !== 0 && (folder === "/" || open(dirname(folder)));
  const usual = tmpdir();
  return process.getuid?.() !== 0 || open(realpathSync(usual)) ? usual : "/tmp";
}

/** For the tests of a `describe`: a folder, and programs that end with it. */
export class Workshop {
  #folder = "";
  readonly #processes: HelperProcess[] = [];
  readonly #listeners: number[] = [];
  readonly #adopted: number[] = [];
  readonly #shedding: Shedding;

  /** @param shedding of the programs that {@link start} starts: `itself` where handing over what it has opened belongs to what is tested */
  constructor(shedding: Shedding = "before") {
    this.#shedding = shedding;
    before(() => void (this.#folder = makeFolder(folderForAll())));
    after(async () => {
      for (const helper of this.#processes) await helper.stop("SIGKILL");
      for (const pid of this.#adopted) if (commandOf(pid).includes(this.#folder)) process.kill(pid, "SIGKILL");
      for (const fd of this.#listeners) closeSync(fd);
      removeFolder(this.#folder);
    });
  }

  /** Path of a file in the folder. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Takes charge of the process that a pid file names: it is killed with the folder. Returns its number. */
  adopt(pidFile: string): number {
    const pid = Number(readFileSync(pidFile, "utf8"));
    this.#adopted.push(pid);
    return pid;
  }

  /** A socket that listens on the file `name`, as systemd passes one; its descriptor is closed with the folder. */
  listener(name: string): number {
    const fd = listenUnixStream(libc(), loadServerLibc(), this.path(name));
    this.#listeners.push(fd);
    return fd;
  }

  /** Starts our program with any options. */
  spawn(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    circumstances: Circumstances = {},
    program = OUR_PROGRAM,
  ): HelperProcess {
    const helper = new HelperProcess(program, args, environment, circumstances);
    this.#processes.push(helper);
    return helper;
  }

  /** Starts `program` on the socket `name` and waits until it takes connections. */
  async start(
    name: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
    program = OUR_PROGRAM,
  ): Promise<HelperProcess> {
    const helper = await HelperProcess.listening(program, this.path(name), args, environment, this.#shedding);
    this.#processes.push(helper);
    return helper;
  }
}
