/** Disks for tests where there is none: see sg-shim.c. Needs a C compiler; the suite is skipped without one, or fails with REQUIRE_SYSTEM=1. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { compileShim, requireCompiler } from "../../support/c-compiler.js";
import { cdb } from "./scenarios.js";
import { sourceFile, until } from "./helper-process.js";

/** What the stand-in is to answer. */
export interface ShimAnswer {
  readonly errno?: number;
  readonly status?: number;
  readonly hostStatus?: number;
  readonly driverStatus?: number;
  readonly senseLength?: number;
  /** Multiple of 64. */
  readonly residual?: number;
  /** The call waits for `release` of this number, 1 to 255. */
  readonly hold?: number;
}

/** A CDB that says what its answer is to be. */
export function scriptedCdb(operationCode: number, length: number, answer: ShimAnswer = {}): Buffer {
  const bytes = cdb(operationCode, 0, length);
  const { errno = 0, status = 0, hostStatus = 0, driverStatus = 0, senseLength = 0, residual = 0, hold = 0 } = answer;
  bytes.set([errno, status, hostStatus, driverStatus, senseLength, residual / 64, hold], 9);
  return bytes;
}

/** What stands before the operation codes in the file of the calls. */
const CALLS_COUNT_SIZE = 8;

/** The compiled stand-in, for the tests of this `describe`. */
export class SgShim {
  #folder = "";

  constructor() {
    const library = (): string => join(this.#folder, "shim.so");
    before(function () {
      requireCompiler(this);
    });
    before(() => {
      this.#folder = makeFolder();
      compileShim(sourceFile("sg-shim.c"), library());
    });
    after(() => {
      removeFolder(this.#folder);
    });
  }

  /** Makes a program that is started with it use it. */
  get environment(): NodeJS.ProcessEnv {
    return { LD_PRELOAD: join(this.#folder, "shim.so"), SG_SHIM_FOLDER: this.#folder };
  }

  /** Operation codes of the calls so far, up to one that is not written yet. */
  get calls(): Buffer {
    const path = join(this.#folder, "calls");
    if (!existsSync(path)) return Buffer.alloc(0);
    const codes = readFileSync(path).subarray(CALLS_COUNT_SIZE);
    const end = codes.indexOf(0);
    return end < 0 ? codes : codes.subarray(0, end);
  }

  /** Waits until there have been `count` calls. */
  async called(count: number): Promise<void> {
    await until(() => this.calls.length >= count);
  }

  /** Lets the calls go on that are on hold with this number, now and in future. */
  release(hold: number): void {
    writeFileSync(join(this.#folder, `release-${hold}`), "");
  }
}
