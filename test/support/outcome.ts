/** Results of commands in one word, as tests compare them. */
import { parseSense, ScsiStatus } from "qom-pr";
import type { ScsiResult } from "qom-pr";

const NAMES: ReadonlyMap<number, string> = new Map([
  [ScsiStatus.GOOD, "GOOD"],
  [ScsiStatus.BUSY, "BUSY"],
  [ScsiStatus.RESERVATION_CONFLICT, "RC"],
  [ScsiStatus.TASK_SET_FULL, "FULL"],
  [ScsiStatus.TASK_ABORTED, "ABORTED"],
]);

/** `GOOD`, `RC`, `BUSY`, `FULL`, `ABORTED`; `0B/00/06` for a CHECK CONDITION; else the status in hexadecimal. */
export function outcome({ status, sense }: ScsiResult): string {
  const name = NAMES.get(status);
  if (name !== undefined) return name;
  const code = status === ScsiStatus.CHECK_CONDITION ? parseSense(sense) : null;
  if (code === null) return `${status.toString(16)}h`;
  return [code.key, code.asc, code.ascq].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("/");
}
