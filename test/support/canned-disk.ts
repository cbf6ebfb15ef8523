/** Disks whose answers are written down beforehand, for any program: see canned-disk.c. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder } from "./folder.js";
import { compileShim, requireCompiler } from "./c-compiler.js";

const SOURCE = fileURLToPath(new URL("../../../test/support/canned-disk.c", import.meta.url));

/** One answer of the disk; what is left out is zero or empty. */
export interface CannedAnswer {
  readonly status?: number;
  readonly hostStatus?: number;
  readonly driverStatus?: number;
  /** The call fails. */
  readonly errno?: number;
  readonly sense?: Uint8Array;
  readonly data?: Uint8Array;
}

/** By operation code; one that is not here is answered GOOD. */
export type CannedAnswers = ReadonlyMap<number, CannedAnswer>;

/** A folder with answers: what a program is started with, and what it then sent. */
export interface CannedDisk {
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
  /** CDB and data-out of each command, in hexadecimal. */
  readonly calls: () => readonly string[];
}

/** The compiled stand-in, for the tests of this `describe`. */
export class CannedDisks {
  #folder = "";
  #count = 0;

  constructor() {
    before(function () {
      requireCompiler(this);
    });
    before(() => {
      this.#folder = makeFolder();
      compileShim(SOURCE, join(this.#folder, "disk.so"));
    });
    after(() => {
      removeFolder(this.#folder);
    });
  }

  /** A disk for one run of a program. */
  disk(answers: CannedAnswers): CannedDisk {
    this.#count += 1;
    const folder = join(this.#folder, String(this.#count));
    mkdirSync(folder);
    for (const [opcode, { status = 0, hostStatus = 0, driverStatus = 0, errno = 0, sense = [], data = [] }] of answers) {
      const bytes = Uint8Array.of(status, hostStatus, driverStatus, errno, sense.length, ...sense, ...data);
      writeFileSync(join(folder, `answer-${opcode.toString(16).padStart(2, "0")}`), bytes);
    }
    const calls = join(folder, "calls");
    return {
      folder,
      environment: { LD_PRELOAD: join(this.#folder, "disk.so"), CANNED_DISK_FOLDER: folder },
      calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trimEnd().split("\n") : []),
    };
  }
}
