/**
 * What one run of the program leaves to the next: with -d to the process in the background, and after shedding its privileges to itself.
 *
 * It travels as JSON in an environment variable. Setting that variable by hand gains nothing: it names descriptors that are already open, in
 * a process that has no more privileges than its starter gave it, and the claim that they were shed is checked.
 */

import { QomError } from "../../base/errors.js";
import type { ActivatedSocket } from "../activation.js";
import type { HelperOptions } from "../settings/settings.js";
import type { PidFileHandover } from "../pid-file.js";
import type { PostHandover } from "../serving/posts.js";
import type { Unshed } from "./privileges.js";

const VARIABLE = "QOM_PR_HELPER_HANDOVER";

/** From the process that was started with -d to the one in the background. */
export interface BackgroundHandover {
  readonly stage: "background";
  readonly options: HelperOptions;
  /** Sockets that systemd made, null if there are none. */
  readonly activated: readonly ActivatedSocket[] | null;
  /** Descriptor that the process in the background writes to once it serves. */
  readonly ready: number;
}

/** From a process that has everything it needs to itself, without privileges. */
export interface ServiceHandover {
  readonly stage: "service";
  readonly options: HelperOptions;
  readonly posts: readonly PostHandover[];
  readonly pidFile: PidFileHandover | null;
  /** Descriptor of the file for traces, null if there is none. */
  readonly traceFd: number | null;
  /** As in {@link BackgroundHandover}; null when not in the background. */
  readonly ready: number | null;
  readonly unshed: Unshed;
}

/** What the program finds when it starts. */
export type Handover = BackgroundHandover | ServiceHandover;

/** `environment` with `handover` in it. */
export function withHandover(environment: NodeJS.ProcessEnv, handover: Handover): NodeJS.ProcessEnv {
  return { ...environment, [VARIABLE]: JSON.stringify(handover) };
}

/**
 * Variables that make node or the dynamic loader run code or write files; the helper needs none of them. The last ones are those that
 * ld.so(8) and libc drop when a program gains privileges.
 */
const OF_THE_STARTER =
  /^(?:NODE_|LD_|SSL_|OPENSSL_|UV_|MALLOC_|GLIBC_|GCONV_PATH$|GETCONF_DIR$|HOSTALIASES$|LOCALDOMAIN$|LOCPATH$|NIS_PATH$|NLSPATH$|RESOLV_HOST_CONF$|RES_OPTIONS$|TMPDIR$|TZDIR$)/;

/** `environment` without the variables by which its starter could change how the program runs; for the run that serves. */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_THE_STARTER.test(name)));
}

/**
 * Takes the handover out of `environment`; null when the program was started from outside.
 * @throws QomError `syntax` for a text that this program did not write
 */
export function takeHandover(environment: NodeJS.ProcessEnv): Handover | null {
  const text = environment[VARIABLE];
  if (text === undefined) return null;
  delete environment[VARIABLE];
  try {
    const handover: unknown = JSON.parse(text);
    if (isHandover(handover)) return handover;
  } catch {
    // text that is not JSON is not a handover either
  }
  throw foreignHandover();
}

/** The error for a handover that this program cannot have written: one line, however that was found out. */
export function foreignHandover(cause?: unknown): QomError {
  const message = `the environment variable ${VARIABLE} is for this program only`;
  return new QomError("syntax", message, cause === undefined ? {} : { cause });
}

/** That it was written by {@link withHandover}; a forgery of the rest harms only its author's own process. */
function isHandover(value: unknown): value is Handover {
  return typeof value === "object" && value !== null && "stage" in value && (value.stage === "background" || value.stage === "service");
}
