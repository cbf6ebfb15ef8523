/**
 * The way from a command line to a helper that serves. The order is qemu-pr-helper's: socket, background, pid file, privileges; only that
 * the process in the background makes the socket itself, and that the pid file comes before it: who can connect can read it.
 *
 *     started           reads the options; with -d: starts the next one, waits until it serves, ends
 *     in the background
 *       socket and pid file, with the privileges the program was started with
 *     the same process, without privileges
 *       the threads, and service
 */

import { constants, openSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { present } from "../../base/assert.js";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { missingFolder } from "../../base/missing-folder.js";
import { libc as loadLibc } from "../../native/libc.js";
import { loadServerLibc } from "../../native/server/libc.js";
import { ProcessControl } from "../../native/server/process.js";
import { restoreDefaults } from "../../native/signals.js";
import { takeActivation } from "../activation.js";
import type { ActivatedSocket } from "../activation.js";
import { leaveForeground, serveInBackground } from "./background.js";
import { cleanEnvironment, foreignHandover, takeHandover, withHandover } from "./handover.js";
import type { BackgroundHandover, Handover, ServiceHandover } from "./handover.js";
import { Helper } from "../serving/helper.js";
import type { Station } from "../serving/helper.js";
import { Log, LogLevel } from "../log.js";
import { objectHelp } from "../managers/manager-host.js";
import type { ManagerStation } from "../managers/manager-station.js";
import { DEFAULT_SOCKET, parseHelperOptions } from "./options.js";
import type { HelperOptions } from "../settings/settings.js";
import { PidFile } from "../pid-file.js";
import { adoptPosts, descriptorsOf, handoverOf, openPosts, placesOf, resumePosts } from "../serving/posts.js";
import type { PostTools } from "../serving/posts.js";
import { findSurplus, mayReserve, shedPrivileges, unshedOf } from "./privileges.js";
import type { Unshed } from "./privileges.js";
import { checkSocketNames } from "../socket-names.js";
import { askStatus } from "../serving/status.js";
import { STOP_SIGNALS } from "../stop-signals.js";
import { threadPrivileges } from "./thread-privileges.js";
import type { ThreadPrivileges } from "./thread-privileges.js";

/** Standard input, output and error; node has them closed on exec. */
const STANDARD_DESCRIPTORS = [0, 1, 2] as const;

const TRACE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND | constants.O_NONBLOCK;

/** Only its owner can read it: traces show every client's commands. */
const TRACE_MODE = 0o600;

/** What became of a start: a helper that serves, or nothing more to be done than to end with a status. */
export type StartOutcome = { readonly helper: Helper } | { readonly status: number; readonly print?: string };

/**
 * Does what the command line asks for, up to the point where a helper serves.
 * @param args without node and program
 * @param stop aborted when the program is to end
 * @throws QomError for any error; nothing is left behind then
 */
export async function start(args: readonly string[], stop: AbortSignal): Promise<StartOutcome> {
  const undo = new Undo();
  try {
    return await attempt(args, stop, undo);
  } catch (error) {
    undo.all();
    if (error instanceof Stopped) return { status: 0 };
    throw error;
  }
}

/** The program was to end before it served. */
class Stopped extends Error {}

/** What has to be undone when a start fails. */
class Undo {
  readonly #actions: (() => void)[] = [];

  /** Adds an action, which comes before those that are there. */
  add(action: () => void): void {
    this.#actions.unshift(action);
  }

  /** Undoes what can be undone; as another user, some of it cannot. The error that is reported is why the start failed. */
  all(): void {
    for (const action of this.#actions) {
      try {
        action();
      } catch {
        // the next start replaces what stays
      }
    }
  }
}

/** Ends the process although threads of it wait for something that may never come, which node would wait for. */
export function exitAtOnce(status: number): void {
  new ProcessControl(loadLibc()).exitAtOnce(status);
}

async function attempt(args: readonly string[], stop: AbortSignal, undo: Undo): Promise<StartOutcome> {
  const handover = takeHandover(process.env);
  if (handover !== null) return goOn(handover, stop, undo);
  const command = parseHelperOptions(args);
  if ("print" in command) return { status: 0, print: command.print };
  if ("status" in command) return { status: 0, print: await askStatus(command.status) };
  const { serve: options, warnings } = command;
  const help = await objectHelp(options.objects);
  if (help !== null) return { status: 0, print: help };
  for (const warning of warnings) new Log(options.logLevel).write(LogLevel.WARNING, warning);
  const activated = takeActivation(process.env, process.pid);
  if (activated !== null) checkActivation(activated, options);
  if (options.background) return { status: await serveInBackground(options, activated, stop) };
  return prepare({ options, activated, ready: null }, stop, undo);
}

/** @throws QomError `conflict`, `limit`, `missing`, `duplicate` when the sockets that were passed do not fit the options */
function checkActivation(sockets: readonly ActivatedSocket[], { initiatorFrom, sockets: chosen }: HelperOptions): void {
  if (chosen.length > 0) {
    throw new QomError("conflict", "option '--socket': the socket is passed by LISTEN_FDS, and cannot be chosen");
  }
  if (initiatorFrom === "path") {
    const unnamed = sockets.filter(({ name }) => name === "").length;
    if (unnamed > 0) throw new QomError("missing", `LISTEN_FDNAMES: ${unnamed} of ${sockets.length} sockets have no name`);
    checkSocketNames(
      sockets.map(({ name }) => name),
      "LISTEN_FDNAMES",
    );
  } else if (sockets.length > 1) {
    const text = `LISTEN_FDS: ${sockets.length} sockets are passed, and the helper serves one unless '--initiator-from path' is given`;
    throw new QomError("limit", text);
  }
}

async function goOn(handover: Handover, stop: AbortSignal, undo: Undo): Promise<StartOutcome> {
  try {
    return await (handover.stage === "background" ? prepare(handover, stop, undo) : resume(handover, stop, undo));
  } catch (error) {
    // What this program wrote leads to no other errors.
    throw error instanceof QomError || error instanceof Stopped ? error : foreignHandover(error);
  }
}

/** A helper that has what it needs from outside. */
interface ServingParts extends Omit<Station, "manager"> {
  readonly options: HelperOptions;
  /** Descriptor of the process that waits in the foreground, null if there is none. */
  readonly ready: number | null;
  /** What another run says it could not shed; null when nothing has been shed yet. */
  readonly unshed: Unshed | null;
}

async function prepare(
  given: Pick<BackgroundHandover, "options" | "activated"> & Pick<ServingParts, "ready">,
  stop: AbortSignal,
  undo: Undo,
): Promise<StartOutcome> {
  const { options, activated, ready } = given;
  const chosen = options.sockets.length > 0 ? options.sockets : [DEFAULT_SOCKET];
  requireFolders(options, activated === null ? chosen : []);
  const pidFile = options.pidFile === null ? null : PidFile.create(loadLibc(), options.pidFile);
  undo.add(() => pidFile?.remove());
  const tools = postTools(options, undo);
  const posts = activated === null ? await openPosts(chosen, tools) : await adoptPosts(activated, tools);
  // Not before the socket is ours: another helper may be writing the file.
  const traceFd = options.trace.file === null ? null : openTrace(options.trace.file);
  return serve({ options, posts, pidFile, traceFd, ready, unshed: null }, stop, undo);
}

function postTools({ logLevel }: HelperOptions, undo: Undo): PostTools {
  return { libc: loadLibc(), server: loadServerLibc(), log: new Log(logLevel), undo: (action) => undo.add(action) };
}

/** The error for a missing folder names the option. */
function requireFolders(options: HelperOptions, sockets: readonly string[]): void {
  const paths: readonly (readonly [option: string, path: string | null])[] = [
    ["pidfile", options.pidFile],
    ...sockets.map((path) => ["socket", path] as const),
    ["trace", options.trace.file],
  ];
  for (const [option, path] of paths) {
    const missing = path === null ? undefined : missingFolder(path);
    if (missing !== undefined) throw new QomError("io", `option '--${option}': ${missing}`, { context: { option } });
  }
}

/** Opens a file for traces, emptied. It does not wait for a reader of a pipe, now or later: traces are lost instead. */
function openTrace(path: string): number {
  try {
    return openSync(path, TRACE_FLAGS, TRACE_MODE);
  } catch (cause) {
    throw new QomError("io", `option '--trace': cannot write '${printable(path)}'`, { cause });
  }
}

function resume(handover: ServiceHandover, stop: AbortSignal, undo: Undo): Promise<StartOutcome> {
  const { options, traceFd, ready, unshed } = handover;
  const pidFile = handover.pidFile === null ? null : PidFile.resume(handover.pidFile);
  undo.add(() => pidFile?.remove());
  const posts = resumePosts(handover.posts, postTools(options, undo));
  return serve({ options, posts, pidFile, traceFd, ready, unshed }, stop, undo);
}

async function serve(service: ServingParts, stop: AbortSignal, undo: Undo): Promise<StartOutcome> {
  const { options, ready } = service;
  const control = new ProcessControl(loadLibc());
  const main = await limitPrivileges(control, service, stop);
  const manager = await managerStation(options);
  // Other managers send nothing by SG_IO that takes privileges.
  if (manager === null && !mayReserve(main)) {
    const text = "CAP_SYS_RAWIO is missing: the system will refuse reservation commands for real disks";
    new Log(options.logLevel).write(LogLevel.WARNING, text);
  }
  const helper = new Helper(options, { ...service, manager });
  undo.add(() => helper.stop());
  new Log(options.logLevel).write(LogLevel.WARNING, `listening on ${placesOf(service.posts, loadServerLibc())}`);
  if (ready !== null) leaveForeground(control, ready);
  helper.open();
  return { helper };
}

/** The manager of the options: made last, so that what it has it was given without privileges. */
async function managerStation({ objects, logLevel }: HelperOptions): Promise<ManagerStation | null> {
  if (objects.length === 0) return null;
  const log = new Log(logLevel);
  // Most helpers have none, and are smaller without what that takes.
  const { openManagerStation } = await import("../managers/manager-station.js");
  return openManagerStation(objects, (line) => log.write(LogLevel.WARNING, line));
}

/**
 * Returns, with the privileges of the main thread, in a process that has only what the helper needs.
 * @throws QomError when privileges that were shed are still there, Stopped when the program is to end
 */
async function limitPrivileges(control: ProcessControl, service: ServingParts, stop: AbortSignal): Promise<ThreadPrivileges> {
  const threads = threadPrivileges();
  const main = present(threads[0], "a process has a thread");
  const unshed = service.unshed ?? unshedOf(main);
  const surplus = findSurplus(threads, service.options, unshed);
  await hearSignals(stop);
  if (surplus === null) return main;
  if (service.unshed !== null) throw new QomError("unsupported", `privileges cannot be dropped on this system: ${surplus}`);
  // From here on a signal ends the process. It cannot be held back: node unblocks all signals and resets their actions when it starts.
  restoreDefaults(STOP_SIGNALS);
  // One that came before that is still heard of, and would be lost with this run.
  await hearSignals(stop);
  shedPrivileges(control, main, service.options, ownFiles());
  return runAgain(control, { ...service, unshed });
}

/**
 * Lets the listeners of signals run that came while this thread was busy: the next run of the program would not know of them.
 * @throws Stopped when the program is to end
 */
async function hearSignals(stop: AbortSignal): Promise<void> {
  // The system is asked for events between one turn of the event loop and the next, and only then for certain.
  await setImmediate();
  await setImmediate();
  if (stop.aborted) throw new Stopped();
}

/** What another user has to be able to read or run, by access(2) modes: not all of it, but that much tells. */
function ownFiles(): ReadonlyMap<string, number> {
  return new Map([
    [process.execPath, constants.X_OK],
    [fileURLToPath(import.meta.url), constants.R_OK],
    [programPath(), constants.R_OK],
  ]);
}

function programPath(): string {
  return present(process.argv[1], "node was started with a program");
}

function runAgain(control: ProcessControl, service: ServingParts & { readonly unshed: Unshed }): never {
  const { options, posts, pidFile, traceFd, ready, unshed } = service;
  const handover: ServiceHandover = {
    stage: "service",
    options,
    posts: posts.map(handoverOf),
    pidFile: pidFile?.handover ?? null,
    traceFd,
    ready,
    unshed,
  };
  const kept = [...STANDARD_DESCRIPTORS, ...posts.flatMap(descriptorsOf), pidFile?.fd, pidFile?.lockFd, traceFd, ready].filter(
    (fd) => typeof fd === "number",
  );
  const words = [process.argv0, ...process.execArgv, ...process.argv.slice(1)];
  return control.execute(process.execPath, words, withHandover(cleanEnvironment(process.env), handover), kept);
}
