/** Plays a script against this library, on streams that stand for standard input and output. */
import { PassThrough } from "node:stream";
import { Machine } from "qom-pr";
import type { QemuVersion } from "#src/qemu/compat.js";
import { TYPES } from "../qemu-options/ours.js";
import { WWN } from "../support/machine.js";
import { converse } from "./conversation.js";
import type { Transcript, Words } from "./conversation.js";
import type { Script } from "./steps.js";

const NODE = { driver: "sim-lun", wwn: WWN };

/** What this library answers that follows that QEMU. */
export async function askOurselves(script: Script, words: Omit<Words, "disk" | "node">, compat: QemuVersion): Promise<Transcript> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const argv = script.hba === true ? ["-device", "virtio-scsi-pci,id=s0"] : [];
  const machine = await Machine.create([...argv, "-S", "-qmp", "stdio"], { stdio: { input, output }, types: TYPES, compat });
  try {
    const conversation = converse(script, { ...words, disk: "scsi-block", node: NODE }, input, output);
    void machine.ended.then(() => output.destroy());
    return await conversation;
  } finally {
    await machine.close();
  }
}
