/**
 * A disk for tests on machines that have none: it stands where SG_IO is called and answers as it is told. The node is /dev/null, which a
 * host_device opens like any other character device, and which is not locked, since every test has the same. What a real kernel and a real
 * target do is the laboratory's business (docs/lab.md).
 */

import "reflect-metadata";
import { container } from "tsyringe";
import type { DependencyContainer } from "tsyringe";
import { Machine } from "qom-pr";
import { SgIoExecutor } from "#src/native/sg-io/sg-io.js";
import type { SgIoOutcome, SgIoRequest, SgVersionOutcome } from "#src/native/sg-io/sg-io.js";
import { encodeCapacity10 } from "#src/scsi/capacity.js";
import { encodeInquiry } from "#src/scsi/inquiry.js";
import { fixedSense, Sense } from "#src/scsi/sense.js";
import type { SenseCode } from "#src/scsi/sense.js";
import { encodeSupportedPages } from "#src/scsi/vpd.js";

/** Answers a command, or leaves it to the disk's usual manner. */
export type Script = (request: SgIoRequest) => SgIoOutcome | Promise<SgIoOutcome> | undefined;

/** GOOD with data. */
export function goodData(request: SgIoRequest, data: Uint8Array): SgIoOutcome {
  const length = request.dataInLength ?? 0;
  const dataIn = data.slice(0, length);
  return { status: 0, hostStatus: 0, driverStatus: 0, residual: length - dataIn.length, sense: new Uint8Array(0), dataIn };
}

/** CHECK CONDITION. */
export function failed(sense: SenseCode): SgIoOutcome {
  return { status: 2, hostStatus: 0, driverStatus: 8, residual: 0, sense: fixedSense(sense), dataIn: new Uint8Array(0) };
}

/** See the file text. Without a script it is a disk of 1000 blocks without page B0h whose other commands are all GOOD. */
export class ScriptedDisk implements SgIoExecutor {
  readonly requests: SgIoRequest[] = [];
  script: Script = () => undefined;
  version = 30_536;
  deviceType = 0;
  scsiVersion = 6;
  blockSizeBytes = 512;
  lastLba = 999;
  vpdPages: readonly number[] = [0x00, 0x83];

  async execute(_fd: number, request: SgIoRequest): Promise<SgIoOutcome> {
    this.requests.push(request);
    return (await this.script(request)) ?? this.#answer(request);
  }

  sgVersion(): Promise<SgVersionOutcome> {
    return Promise.resolve({ version: this.version });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Where a machine finds it. */
  get container(): DependencyContainer {
    const own = container.createChildContainer();
    own.register(SgIoExecutor, { useValue: this });
    return own;
  }

  /** A machine with a device on it, named disk0; the requests of the probe are forgotten. */
  async machine(device: string, nodeOptions = ""): Promise<Machine> {
    const machine = await Machine.create(
      [
        ["-device", "virtio-scsi,id=s"],
        ["-blockdev", `driver=host_device,node-name=hd,filename=/dev/null,locking=off${nodeOptions}`],
        ["-device", `${device},drive=hd,id=disk0`],
      ].flat(),
      { container: this.container },
    );
    this.requests.length = 0;
    return machine;
  }

  #answer(request: SgIoRequest): SgIoOutcome {
    const [opcode, flags = 0, page = 0] = request.cdb;
    if (opcode === 0x25) return goodData(request, encodeCapacity10({ lastLba: this.lastLba, blockSizeBytes: this.blockSizeBytes }));
    if (opcode !== 0x12) return goodData(request, new Uint8Array(request.dataInLength ?? 0));
    if ((flags & 1) === 0) return goodData(request, this.#inquiry());
    return page === 0 ? goodData(request, encodeSupportedPages(this.vpdPages)) : failed(Sense.INVALID_FIELD_IN_CDB);
  }

  #inquiry(): Uint8Array {
    return encodeInquiry({
      peripheralQualifier: 0,
      deviceType: this.deviceType,
      removable: false,
      version: this.scsiVersion,
      targetPortGroups: 0,
      thirdPartyCopy: false,
      protection: false,
      multiPort: false,
      commandQueuing: true,
      vendor: "QOM-PR",
      product: "SCRIPTED DISK",
      revision: "1",
      versionDescriptors: [],
    });
  }
}
