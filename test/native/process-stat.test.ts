/** What Linux says of processes, and which of them have ended. */

import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { hasEnded, hasEndedWithDescriptors } from "#src/native/process/end.js";
import { readProcessStat } from "#src/native/process/stat.js";
import { temporaryFolder } from "../support/folder.js";

describe("what the system says of a process", () => {
  const folder = temporaryFolder();

  it("is found whatever the name of its program is", () => {
    const path = folder.path("stat");
    const behind = Array.from({ length: 50 }, (_, i) => (i === 0 ? "S" : String(i + 3))).join(" ");
    for (const name of ["node", "a b", ") Z 1 (", "x)\n) Z ("]) {
      writeFileSync(path, `4711 (${name}) ${behind}\n`);
      expect(readProcessStat(path), name).to.deep.equal({ pid: 4711, state: "S", flags: 9, started: "22", pendingSignals: 31 });
    }
  });

  it("is nothing where there is no such process, or not what is expected", () => {
    const path = folder.path("short");
    writeFileSync(path, "4711 (node) S 1 2 3\n");
    expect([readProcessStat(path), readProcessStat(folder.path("none"))]).to.deep.equal([null, null]);
  });

  it("is that this one runs", () => {
    const stat = readProcessStat("/proc/self/stat");
    expect(stat?.pid).to.equal(process.pid);
    expect([hasEnded(process.pid), hasEndedWithDescriptors(process.pid), hasEnded(2 ** 30)]).to.deep.equal([false, false, false]);
  });
});
