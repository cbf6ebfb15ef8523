/** Our program where any user can start it: as it is, or a copy if project or node lie in a folder that is closed to others. */

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { PACKAGE_PARTS } from "../../support/installed-copy.js";
import { folderForAll, OUR_PROGRAM } from "./helper-process.js";

const PROJECT = dirname(dirname(OUR_PROGRAM));

const NOBODY = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];

/** What the program consists of, with the packages that it loads when it is started without objects. */
const PARTS = [...PACKAGE_PARTS, "node_modules/koffi", "node_modules/@koromix"];

/** Node alone has 100 MB, and a slow disk is no fault of the program. */
const COPY_TIMEOUT_MS = 120_000;

/** The program, for the tests of this `describe`, which run as root. */
export class PublicProgram {
  #folder: string | null = null;

  constructor() {
    const make = (): void => {
      if (process.getuid?.() !== 0) return;
      if (spawnSync("setpriv", [...NOBODY, OUR_PROGRAM, "-V"]).status === 0) return;
      this.#folder = makeFolder(folderForAll());
      chmodSync(this.#folder, 0o755);
      for (const part of PARTS) {
        cpSync(join(PROJECT, part), join(this.#folder, part), { recursive: true, dereference: true });
      }
      mkdirSync(join(this.#folder, "node"));
      copyFileSync(process.execPath, join(this.#folder, "node/node"));
      spawnSync("chmod", ["-R", "a+rX", this.#folder]);
    };
    before(function () {
      this.timeout(COPY_TIMEOUT_MS);
      make();
    });
    const remove = (): void => {
      if (this.#folder !== null) removeFolder(this.#folder);
    };
    after(function () {
      this.timeout(COPY_TIMEOUT_MS);
      remove();
    });
  }

  /** Path of the program. */
  get path(): string {
    return this.#folder === null ? OUR_PROGRAM : join(this.#folder, "bin/qom-pr-helper.js");
  }

  /** Makes its first line find node. */
  get environment(): NodeJS.ProcessEnv {
    return this.#folder === null ? {} : { PATH: `${join(this.#folder, "node")}:${process.env["PATH"] ?? ""}` };
  }
}
