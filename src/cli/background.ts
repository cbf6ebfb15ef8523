/**
 * `-daemonize`: a process of node cannot fork, so another one is started, in a session of its own; the one in the foreground passes on what it
 * says until the machine stands, and ends then. From there on nobody hears what it says.
 */
import { spawn } from "node:child_process";
import { fstatSync, writeSync, closeSync } from "node:fs";
import { QomError } from "../base/errors.js";
import type { Output } from "./output.js";

/** In the environment of the process that is started: its descriptor to say that the machine stands. */
const READY_VARIABLE = "QOM_PR_READY";

/** Descriptors from here on are not passed on: each one below takes a place in a list. */
const PASSED_DESCRIPTOR_MAX = 1023;

/** The standard streams come before. */
const FIRST_DESCRIPTOR = 3;

/**
 * Signals that end a machine in good order: QEMU's. SIGHUP comes when the terminal is closed. What ends the foreground ends the process that
 * was started, too.
 */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Says that the machine stands; null in a process that is not in the background. The variable is gone then. */
export function takeReady(): (() => void) | null {
  const text = process.env[READY_VARIABLE];
  if (text === undefined) return null;
  delete process.env[READY_VARIABLE];
  const fd = Number(text);
  return () => {
    try {
      writeSync(fd, "\n");
    } catch {
      // whoever waited is gone, and the machine stands nevertheless
    }
    closeSync(fd);
  };
}

/**
 * Starts this program again, and waits until its machine stands.
 * @param argv the words of the command line, in which character devices may name descriptors that are to be passed on
 * @returns the exit status: 0 when the machine stands, else that of the process, which has said why
 * @throws QomError `io` when it cannot be started or was killed
 */
export function runInBackground(argv: readonly string[], { error }: Pick<Output, "error">): Promise<number> {
  const passed = socketsNamedIn(argv);
  let ready = FIRST_DESCRIPTOR;
  while (passed.has(ready)) ready += 1;
  const last = Math.max(ready, ...passed);
  const stdio = Array.from({ length: last + 1 }, (_, fd) => (fd === ready || fd === 2 ? "pipe" : passed.has(fd) ? fd : "ignore"));
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [READY_VARIABLE]: String(ready) },
    stdio,
  });
  return new Promise((resolve, reject) => {
    const end = (signal: NodeJS.Signals): void => void child.kill(signal);
    const settle = (): void => {
      for (const name of END_SIGNALS) process.off(name, end);
      child.stderr?.destroy();
      child.unref();
    };
    for (const name of END_SIGNALS) process.on(name, end);
    child.stderr?.setEncoding("utf8").on("data", error);
    child.stdio[ready]?.once("data", () => {
      child.stdio[ready]?.destroy();
      // what it has said before is read by now, or in the same turn
      setImmediate(() => {
        settle();
        resolve(0);
      });
    });
    child.once("error", (cause) => {
      settle();
      reject(new QomError("io", "cannot start the process in the background", { cause }));
    });
    child.once("close", (code, signal) => {
      settle();
      if (code !== null) resolve(code);
      else reject(new QomError("io", `the process in the background was ended by ${signal ?? "a signal"} before its machine stood`));
    });
  });
}

/** Descriptors that `fd=N` of a -chardev names and that are sockets here. */
function socketsNamedIn(argv: readonly string[]): ReadonlySet<number> {
  const texts = argv.filter((_, index) => /^--?chardev$/.test(argv[index - 1] ?? ""));
  const named = texts.flatMap((text) => [...text.matchAll(/(?:^|,)fd=(\d{1,4})(?=,|$)/g)].map(([, digits]) => Number(digits)));
  return new Set(named.filter((fd) => fd >= FIRST_DESCRIPTOR && fd <= PASSED_DESCRIPTOR_MAX && isSocket(fd)));
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
