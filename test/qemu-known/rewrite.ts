/**
 * `npm run record:qemu-known [-- FOLDER]`: asks the newest QEMU of Debian, and the one that is installed, what they know, and writes it down. FOLDER
 * keeps the packages for the next time.
 */
import { makeFolder, removeFolder } from "../support/folder.js";
import { NewerQemu } from "../support/newer-qemu.js";
import { asking, askWhatIsKnown } from "./ask.js";
import type { Ask } from "./ask.js";
import { writeRecord } from "./record.js";

const PROGRAMS = ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-system-s390x"] as const;

const [kept] = process.argv.slice(2);
const folder = kept ?? makeFolder();
try {
  const newer = NewerQemu.fetch(folder);
  const newerAsk = (name: string): Ask => {
    const { file, args, env } = newer.program(name, []);
    return asking(file, args, env);
  };
  const asks = [...PROGRAMS.map((name) => [name, newerAsk(name)] as const), [PROGRAMS[0], asking(PROGRAMS[0], [])] as const];
  const known = asks.map(([name, ask]) => {
    const found = askWhatIsKnown(ask);
    return [`${name} ${found.version}`, found] as const;
  });
  writeRecord(known);
  for (const [program, { devices, options, flags }] of known)
    console.log(`${program}: ${options.length + flags.length} options, ${devices.length} devices`);
} finally {
  if (kept === undefined) removeFolder(folder);
}
