/** Plays a script against QEMU, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { converse } from "./conversation.js";
import type { QemuVersion } from "#src/qemu/compat.js";
import type { Json, Transcript, Words } from "./conversation.js";
import type { Script } from "./steps.js";

/** The program, and the package of Debian and Ubuntu that has it. */
export const PROGRAM = "qemu-system-x86_64";
export const PACKAGE = "qemu-system-x86";

/** A disk without medium to speak of, which SCSI disks of QEMU drive: the real disks of scsi-block are not to be had here. */
const NODE = { driver: "null-co", "read-zeroes": true };

/** Events that QEMU 11.1 sends before or after the reply to the command that causes them, as it happens. */
const RACING_EVENT = "DEVICE_DELETED";

/** A transcript without what varies from one time to the next in that version. */
export function comparable(transcript: Transcript, version: QemuVersion): Transcript {
  if (version === "7.2") return transcript;
  const isRacing = (event: Json): boolean => (event as { readonly event?: Json }).event === RACING_EVENT; // events are objects
  const steps = transcript.steps.map(({ replies, eventsBefore }) => ({
    replies,
    eventsBefore: eventsBefore.filter((event) => !isRacing(event)),
  }));
  return { ...transcript, steps };
}

/**
 * What QEMU answers. It connects to a socket of this process: its standard input is not safe, since a failing lookup of a manager closes
 * descriptor 0 (QEMU 7.2).
 */
export async function askQemu(script: Script, words: Omit<Words, "disk" | "node">): Promise<Transcript> {
  const machine = script.hba === true ? ["-M", "pc,accel=tcg", "-device", "virtio-scsi-pci,id=s0"] : ["-M", "none,accel=tcg"];
  const path = `${words.file}.qmp`;
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connected = once(server, "connection");
  const argv = [...machine, "-nodefaults", "-display", "none", "-S", "-qmp", `unix:${path}`];
  const child = spawn(PROGRAM, argv, { stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "close");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  try {
    const failed = closed.then(() => Promise.reject(new Error("QEMU ended at once")));
    failed.catch(() => undefined);
    const [socket] = (await Promise.race([connected, failed])) as [Socket]; // what the event "connection" has
    socket.on("end", () => socket.end());
    return await converse(script, { ...words, disk: "scsi-hd", node: NODE }, socket, socket);
  } catch (error) {
    throw new Error(`${script.name}: ${stderr}`, { cause: error });
  } finally {
    child.kill("SIGKILL");
    await closed;
    server.close();
    rmSync(path, { force: true });
  }
}
