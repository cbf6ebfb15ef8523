/** Commands as the tests of the laboratory write them. */

import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ReserveOutAction, ScsiCommand, ScsiDevice } from "qom-pr";
import { outcome } from "../../../support/outcome.js";

/** READ(10) or WRITE(10). */
export function transferCdb(opcode: 0x28 | 0x2a, lba: number, blocks: number): Uint8Array {
  const cdb = new Uint8Array(10);
  const view = new DataView(cdb.buffer);
  cdb[0] = opcode;
  view.setUint32(2, lba);
  view.setUint16(7, blocks);
  return cdb;
}

/** One block filled with `value` for LBA 0. */
export function writeBlock(value: number): ScsiCommand {
  return { cdb: transferCdb(0x2a, 0, 1), dataOut: new Uint8Array(512).fill(value) };
}

/** First byte of LBA 0. */
export async function firstByte(device: ScsiDevice): Promise<number | undefined> {
  return (await device.execute({ cdb: transferCdb(0x28, 0, 1) })).dataIn[0];
}

/** PERSISTENT RESERVE OUT; the answer in one word. */
export async function reserveOut(
  device: ScsiDevice,
  action: ReserveOutAction,
  rest: Omit<Parameters<typeof PersistentReserveOut.encode>[0], "action"> = {},
): Promise<string> {
  return outcome(await device.execute(PersistentReserveOut.encode({ action, ...rest })));
}

/** READ KEYS; throws when it fails. */
export async function registeredKeys(device: ScsiDevice): Promise<readonly bigint[]> {
  const result = await device.execute(PersistentReserveIn.readKeys(1024));
  if (result.status !== 0) throw new Error(`READ KEYS: ${outcome(result)}`);
  return PersistentReserveIn.parse("read-keys", result.dataIn).keys;
}

/** TEST UNIT READY until there is no unit attention any more; the last answer in one word. */
export async function ready(device: ScsiDevice): Promise<string> {
  let answer = outcome(await device.execute({ cdb: new Uint8Array(6) }));
  for (let asked = 1; answer.startsWith("06/") && asked < 20; asked += 1)
    answer = outcome(await device.execute({ cdb: new Uint8Array(6) }));
  return answer;
}
