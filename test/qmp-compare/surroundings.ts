/** What scripts need around them: two files, and a helper's socket. */
import { truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { makeFolder, removeFolder } from "../support/folder.js";
import type { Words } from "./conversation.js";

const FILE_BYTES = 0x100000;

/** Gives `action` its words; what they stand for is gone afterwards. The helper only greets: no script sends it a command. */
export async function withSurroundings<T>(action: (words: Omit<Words, "disk" | "node">) => Promise<T>): Promise<T> {
  const folder = makeFolder();
  const [file, other, helper] = [join(folder, "disk"), join(folder, "other"), join(folder, "helper")];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(new Uint8Array(4));
  });
  try {
    for (const path of [file, other]) {
      writeFileSync(path, "");
      truncateSync(path, FILE_BYTES);
    }
    await new Promise<void>((resolve) => server.listen(helper, resolve));
    return await action({ file, other, helper });
  } finally {
    server.close();
    removeFolder(folder);
  }
}
