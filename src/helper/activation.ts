/** Socket activation as systemd does it (sd_listen_fds(3)): the program is started with sockets that are listening already. */

import { QomError } from "../base/errors.js";

/** The first descriptor that systemd passes; others follow it. */
const FIRST_DESCRIPTOR = 3;

const VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] as const;

/**
 * The descriptor that was passed to process `pid`; null when none was. The variables are taken out of `environment`, so that nobody else
 * thinks they are meant.
 * @throws QomError `limit` when there are several
 */
export function takeActivation(environment: NodeJS.ProcessEnv, pid: number): number | null {
  const [forProcess, count] = [numberIn(environment["LISTEN_PID"]), numberIn(environment["LISTEN_FDS"])];
  for (const variable of VARIABLES) delete environment[variable];
  if (forProcess !== pid || count === 0) return null;
  if (count > 1) throw new QomError("limit", `LISTEN_FDS: ${count} sockets are passed, and the helper serves one`);
  return FIRST_DESCRIPTOR;
}

/** 0 for what is no number. */
function numberIn(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
}
