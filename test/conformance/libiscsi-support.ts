/** Two initiators on one disk, and what libiscsi's tests of reservations do with it. */

import { expect } from "chai";
import { Machine, PersistentReserveIn, PersistentReserveOut, ScsiStatus } from "qom-pr";
import type { Fabric, ReservationType, ScsiDevice, ScsiResult } from "qom-pr";
import { WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { openDurableFabric } from "./durable-fabric.js";
import type { DurableFabric } from "./durable-fabric.js";

/** Large enough for whatever the tests read. */
const ALLOCATION_LENGTH = 16_384;

const BLOCK_LENGTH = 512;

/** One of the two: a scsi-generic device of a machine of its own. */
export class Initiator {
  constructor(
    /** The device that sends its commands. */
    readonly device: ScsiDevice,
    readonly machine: Machine,
  ) {}

  /** The outcome of a command from hexadecimal digits. */
  async try(cdb: string): Promise<string> {
    return outcome(await this.send(cdb));
  }

  /** The result of a command from hexadecimal digits. */
  async send(cdb: string): Promise<ScsiResult> {
    return this.device.execute({ cdb: Uint8Array.from(Buffer.from(cdb.replaceAll(" ", ""), "hex")) });
  }

  /** The outcome of a PERSISTENT RESERVE OUT. */
  async reserveOut(...request: Parameters<typeof PersistentReserveOut.encode>): Promise<string> {
    return outcome(await this.device.execute(PersistentReserveOut.encode(...request)));
  }

  /** Registers `key` whatever was registered before. */
  async register(key: bigint): Promise<void> {
    expect(await this.reserveOut({ action: "register-and-ignore-existing-key", serviceActionKey: key })).to.equal("GOOD");
  }

  /** Gives up the registration with `key`. */
  async unregister(key: bigint): Promise<void> {
    expect(await this.reserveOut({ action: "register", key, serviceActionKey: 0n })).to.equal("GOOD");
  }

  /** RESERVE. */
  async reserve(key: bigint, type: ReservationType): Promise<void> {
    expect(await this.reserveOut({ action: "reserve", key, type })).to.equal("GOOD");
  }

  /** RELEASE. */
  async release(key: bigint, type: ReservationType): Promise<void> {
    expect(await this.reserveOut({ action: "release", key, type })).to.equal("GOOD");
  }

  /** READ KEYS. */
  async readKeys(): Promise<{ readonly generation: number; readonly keys: readonly bigint[] }> {
    return PersistentReserveIn.parse("read-keys", await this.#ask(PersistentReserveIn.readKeys(ALLOCATION_LENGTH)));
  }

  /** READ RESERVATION: type and key, or null. */
  async readReservation(): Promise<{ readonly type: number; readonly key: bigint } | null> {
    const data = await this.#ask(PersistentReserveIn.readReservation(ALLOCATION_LENGTH));
    const { reservation } = PersistentReserveIn.parse("read-reservation", data);
    return reservation === null ? null : { type: reservation.type, key: reservation.key };
  }

  /** REPORT CAPABILITIES, as it comes. */
  async reportCapabilities(): Promise<Uint8Array> {
    return this.#ask(PersistentReserveIn.reportCapabilities(ALLOCATION_LENGTH));
  }

  /** True when a READ(10) of LBA 1 ends GOOD. */
  async reads(): Promise<boolean> {
    return (await this.try("28 00 00 00 00 01 00 00 01 00")) === "GOOD";
  }

  /** True when a WRITE(10) of LBA 1 ends GOOD. */
  async writes(): Promise<boolean> {
    const cdb = Uint8Array.of(0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0);
    return (await this.device.execute({ cdb, dataOut: new Uint8Array(BLOCK_LENGTH) })).status === ScsiStatus.GOOD;
  }

  /** TEST UNIT READY until nothing is pending; what was reported on the way. */
  async settle(): Promise<readonly string[]> {
    const reported: string[] = [];
    for (let answer = await this.try(TEST_UNIT_READY); answer !== "GOOD"; answer = await this.try(TEST_UNIT_READY)) {
      reported.push(answer);
      expect(reported.length, `reported: ${reported.join(", ")}`).to.be.lessThan(PENDING_MAX);
    }
    return reported;
  }

  async #ask(command: { readonly cdb: Uint8Array; readonly allocationLength: number }): Promise<Uint8Array> {
    const result = await this.device.execute(command);
    expect(outcome(result)).to.equal("GOOD");
    return result.dataIn;
  }
}

const TEST_UNIT_READY = "00 00 00 00 00 00";

/** No test leaves more unit attentions than this to one initiator. */
const PENDING_MAX = 5;

/** A fabric with a disk and two initiators, each of its own name, as libiscsi's two sessions have. */
export interface Pair {
  readonly durable: DurableFabric;
  readonly first: Initiator;
  readonly second: Initiator;
}

/** An initiator of that name on the disk. */
async function login(fabric: Fabric, name: string): Promise<Initiator> {
  const path = `file.driver=sim-lun,file.wwn=${WWN},file.initiator=iqn.2007-10.com.github:${name},,i,,0x000001000000`;
  const machine = await Machine.create(
    [
      ["-device", "virtio-scsi"],
      ["-object", "pr-manager-memory,id=pr0"],
      ["-blockdev", `node-name=hd,driver=raw,${path},file.pr-manager=pr0`],
      ["-device", "scsi-generic,drive=hd,id=disk0"],
    ].flat(),
    { fabric },
  );
  return new Initiator(machine.scsiDevice("disk0"), machine);
}

/** Both, on a new fabric. */
export async function pair(): Promise<Pair> {
  const durable = await openDurableFabric();
  return { durable, first: await login(durable.fabric, "first"), second: await login(durable.fabric, "second") };
}

/** Ends all that {@link pair} began. */
export async function part({ durable, first, second }: Pair): Promise<void> {
  await first.machine.close();
  await second.machine.close();
  await durable.close();
}
