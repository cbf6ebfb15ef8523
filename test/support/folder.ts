/** Temporary folders of tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

/**
 * Makes a folder of its own; whoever asks for it removes it with {@link removeFolder}.
 * @returns absolute path
 */
export function makeFolder(within = tmpdir()): string {
  return mkdtempSync(join(within, "qom-pr-test-"));
}

/** Removes a folder and what is in it. One that was never made (""), or is gone, is no mistake. */
export function removeFolder(path: string): void {
  if (path !== "") rmSync(path, { recursive: true, force: true });
}

/** A folder that exists while the tests of the surrounding suite or file run; gives absolute paths in it. */
export function temporaryFolder(): { readonly path: (name: string) => string } {
  let folder = "";
  before(() => {
    folder = makeFolder();
  });
  after(() => {
    removeFolder(folder);
  });
  return {
    path: (name) => {
      expect(folder, "the folder exists while tests run").not.to.equal("");
      return join(folder, name);
    },
  };
}
