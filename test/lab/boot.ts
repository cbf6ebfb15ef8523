/** The guest: started with an image, and gone with its exit status. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** A machine that hangs is ended after this; on a host with nothing else to do it ends by itself after a minute. */
const TIME_LIMIT_MS = 8 * 60_000;

/** The image lies in memory, packed and unpacked, beside what runs. */
const MEMORY_MB = 1536;

const KERNEL_ARGUMENTS = [
  "console=ttyS0",
  "quiet",
  "loglevel=3",
  // A kernel that panics resets the machine, which ends QEMU.
  "panic=-1",
  "nokaslr",
  "mitigations=off",
  "tsc=reliable",
  "random.trust_cpu=on",
];

/** Lines of the console that are shown when there is no exit status. */
const CONSOLE_LINES = 60;

/** Where the guest's serial ports end: the console, the tests' output and their exit status. */
export interface BootFiles {
  readonly kernel: string;
  readonly image: string;
  readonly console: string;
  readonly status: string;
}

/**
 * Boots and resolves with the exit status of the tests; 1 when the guest did not come to an end.
 * @param write takes the output of the tests, as it comes
 */
export async function boot(qemu: string, files: BootFiles, write: (text: string) => void): Promise<number> {
  const options = [
    ["-machine", "q35,accel=tcg"],
    ["-cpu", "qemu64"],
    // A second processor makes one guest hardly faster, and guests beside each other much slower.
    ["-smp", "1"],
    ["-m", String(MEMORY_MB)],
    ["-nodefaults", "-no-user-config", "-no-reboot"],
    ["-display", "none"],
    ["-kernel", files.kernel],
    ["-initrd", files.image],
    ["-append", KERNEL_ARGUMENTS.join(" ")],
    ["-serial", `file:${files.console}`],
    ["-serial", "stdio"],
    ["-serial", `file:${files.status}`],
  ].flat();
  const guest = spawn(qemu, options, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [guest.stdout, guest.stderr]) stream.setEncoding("utf8").on("data", write);
  const end = (): void => void guest.kill("SIGKILL");
  process.once("exit", end);
  const limit = setTimeout(end, TIME_LIMIT_MS);
  await new Promise((resolve, reject) => {
    guest.once("error", reject);
    guest.once("close", resolve);
  });
  clearTimeout(limit);
  process.off("exit", end);
  const status = existsSync(files.status) ? readFileSync(files.status, "utf8").trim() : "";
  if (/^\d+$/.test(status)) return Number(status);
  const lines = existsSync(files.console) ? readFileSync(files.console, "utf8").trimEnd().split("\n") : [];
  write(
    `\nthe guest died, or did not end in ${TIME_LIMIT_MS / 60_000} minutes; the last lines of its console:\n${lines.slice(-CONSOLE_LINES).join("\n")}\n`,
  );
  return 1;
}
