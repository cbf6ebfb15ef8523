/** Socket activation as systemd does it (sd_listen_fds(3)): the program is started with sockets that are listening already. */

/** The first descriptor that systemd passes; others follow it. */
const FIRST_DESCRIPTOR = 3;

const VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] as const;

/** A socket that was passed. */
export interface ActivatedSocket {
  readonly fd: number;
  /** What FileDescriptorName= of its unit says, by default the unit's name; empty if it was not passed. */
  readonly name: string;
}

/**
 * The sockets that were passed to process `pid`; null when none were. The variables are removed from `environment`, so that no child process
 * takes them for its own.
 */
export function takeActivation(environment: NodeJS.ProcessEnv, pid: number): readonly ActivatedSocket[] | null {
  const [forProcess, count] = [numberIn(environment["LISTEN_PID"]), numberIn(environment["LISTEN_FDS"])];
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  for (const variable of VARIABLES) delete environment[variable];
  if (forProcess !== pid || count === 0) return null;
  return Array.from({ length: Math.min(count, SOCKETS_LOOKED_AT) }, (_, i) => ({ fd: FIRST_DESCRIPTOR + i, name: names[i] ?? "" }));
}

/** More than are ever served; an invented number must not take memory. */
const SOCKETS_LOOKED_AT = 4096;

/** 0 for text that is not a number. */
function numberIn(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
}
