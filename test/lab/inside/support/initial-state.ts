/** Brings the unit of the recordings into the state that every recorded sequence begins with. */

import { expect } from "chai";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ScsiDevice, ScsiResult } from "qom-pr";

const TEST_UNIT_READY = new Uint8Array(6);
const RELEASE_6 = Uint8Array.of(0x17, 0, 0, 0, 0, 0);
/** WRITE(10) of LBA 0 to 63. */
const WRITE_64 = Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 64, 0);
const ZEROS = new Uint8Array(64 * 512);
const KEY = 0x5a5a_5a5a_5a5a_5a5an;

/** More unit attentions than a nexus can have. */
const ATTENTIONS_MAX = 20;

/** Clears everything on all nexuses and returns PRgeneration. */
export async function reachInitialState(devices: readonly ScsiDevice[]): Promise<number> {
  const [first] = devices;
  if (first === undefined) throw new Error("there is no device");
  for (const device of devices) await takeAttentions(device);
  for (const device of devices) await device.execute({ cdb: RELEASE_6 });
  for (const device of devices) await takeAttentions(device);
  await clearRegistrations(devices);
  for (const device of devices) expect((await takeAttentions(device)).status).to.equal(0);
  expect((await first.execute({ cdb: WRITE_64, dataOut: ZEROS })).status).to.equal(0);
  const { cdb, allocationLength } = PersistentReserveIn.readKeys(8192);
  const keys = await first.execute({ cdb, allocationLength });
  const parsed = PersistentReserveIn.parse("read-keys", keys.dataIn);
  expect(parsed.keys).to.deep.equal([]);
  return parsed.generation;
}

async function takeAttentions(device: ScsiDevice): Promise<ScsiResult> {
  let result = await device.execute({ cdb: TEST_UNIT_READY });
  for (let asked = 1; result.status !== 0 && asked < ATTENTIONS_MAX; asked += 1) result = await device.execute({ cdb: TEST_UNIT_READY });
  return result;
}

/** CLEAR from whoever may: a nexus that registered for all target ports must say so again. */
async function clearRegistrations(devices: readonly ScsiDevice[]): Promise<void> {
  for (const device of devices) {
    for (const allTargetPorts of [false, true]) {
      const register = PersistentReserveOut.encode({
        action: "register-and-ignore-existing-key",
        serviceActionKey: KEY,
        allTargetPorts,
      });
      if ((await device.execute(register)).status !== 0) continue;
      if ((await device.execute(PersistentReserveOut.encode({ action: "clear", key: KEY }))).status === 0) return;
    }
  }
  throw new Error("no nexus can clear the registrations");
}
