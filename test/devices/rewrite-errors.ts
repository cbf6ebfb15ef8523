/**
 * `npm run record:error-policy`: what QEMU 11.1 does about errors of a disk, as test/devices/error-policy.json. It takes a loop device, whose SG_IO
 * is answered by a stand-in (support/canned-disk.c), and thus root.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeCapacity10 } from "#src/scsi/capacity.js";
import { compileShim } from "../support/c-compiler.js";
import { NewerQemu } from "../support/newer-qemu.js";
import { ANSWERS, COMMANDS, OPERATIONS, POLICIES, recordName } from "./support/disk-errors.js";
import { commandText, send } from "./support/peer.js";
import { QemuPeer } from "./support/qemu.js";
import type { ScsiResult } from "qom-pr";

const RECORD = fileURLToPath(new URL("../../../test/devices/error-policy.json", import.meta.url));
const SHIM = fileURLToPath(new URL("../../../test/support/canned-disk.c", import.meta.url));
const [UNIT, TEST_UNIT_READY, READ_CAPACITY] = [[0, 0] as const, { cdb: "000000000000" }, { cdb: "25000000000000000000", inBytes: 8 }];
const OPCODES = { read: 0x28, write: 0x2a } as const;

const folder = process.argv[2] ?? join(tmpdir(), "qom-pr-qemu-11");
const scratch = mkdtempSync(join(tmpdir(), "qom-pr-errors-"));
const newer = NewerQemu.fetch(folder);
compileShim(SHIM, join(scratch, "disk.so"));

/** What the disk answers from now on. */
function script(opcode: number, { status, hostStatus = 0, sense }: ScsiResult, data: Uint8Array = new Uint8Array()): void {
  const bytes = Uint8Array.of(status, hostStatus, 0, 0, sense.length, ...sense, ...data);
  writeFileSync(join(scratch, `answer-${opcode.toString(16).padStart(2, "0")}`), bytes);
}

const GOOD: ScsiResult = { status: 0, dataIn: new Uint8Array(), residual: 0, sense: new Uint8Array() };
script(0x12, GOOD, Uint8Array.of(0, 0, 5, 2, 31, ...new Uint8Array(31)));
script(0x25, GOOD, encodeCapacity10({ lastLba: 0xffff, blockSizeBytes: 512 }));

/** One command: how it is answered, or why the machine stopped. */
async function one({ peer, heard }: Listening, operation: "read" | "write", result: ScsiResult): Promise<string> {
  script(OPCODES[operation], result);
  heard.length = 0;
  let text: string | undefined;
  const answered = send(peer, UNIT, COMMANDS[operation]).then((answer) => (text = commandText(answer)));
  for (;;) {
    const { status } = (await peer.monitor.run("query-status")) as { readonly status: string };
    if (status !== "running") return afterStop({ peer, heard }, operation, status, answered);
    if (text !== undefined) return text;
  }
}

async function afterStop(
  { peer, heard }: Listening,
  operation: "read" | "write",
  status: string,
  answered: Promise<string>,
): Promise<string> {
  const reason = /"reason": "([^"]*)"/.exec(heard.join(""))?.[1] ?? "";
  script(OPCODES[operation], GOOD);
  await peer.monitor.run("cont");
  await answered;
  return `stops: ${status}, ${reason}`;
}

/** A QEMU, and all that its monitor has said since the last command. */
interface Listening {
  readonly peer: QemuPeer;
  readonly heard: string[];
}

const record: string[] = [];
for (const policy of POLICIES) {
  const policies = policy === "enospc" ? "werror=enospc" : `rerror=${policy},werror=${policy}`;
  const peer = await QemuPeer.start({
    qemu: newer,
    accel: "qtest",
    options: () => [
      ...["-blockdev", "driver=host_device,node-name=n0,filename=/dev/loop0"],
      ...["-device", `scsi-block,drive=n0,id=d0,scsi-id=0,lun=0,${policies}`],
    ],
    environment: { LD_PRELOAD: join(scratch, "disk.so"), CANNED_DISK_FOLDER: scratch },
  });
  const heard: string[] = [];
  peer.monitor.socket.on("data", (text: string) => void heard.push(text));
  try {
    await peer.monitor.run("cont");
    await send(peer, UNIT, TEST_UNIT_READY);
    await send(peer, UNIT, READ_CAPACITY);
    for (const operation of policy === "enospc" ? (["write"] as const) : OPERATIONS) {
      for (const [what, result] of ANSWERS) {
        record.push(
          `  ${JSON.stringify(recordName(operation, policy, what))}: ${JSON.stringify(await one({ peer, heard }, operation, result))}`,
        );
      }
    }
  } finally {
    await peer.close();
  }
}
writeFileSync(RECORD, `{\n${record.join(",\n")}\n}\n`);
console.log(`${record.length} answers`);
