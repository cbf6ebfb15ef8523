import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import type { FileMedium } from "../medium/file-medium.js";

/** Which unit has which file as its medium: two units on one file would write over each other. */
export class MediumFiles {
  /** Names of units by device and inode. */
  readonly #owners = new Map<string, string>();

  /** @throws QomError `in-use` for the file of another unit */
  claim({ identity }: FileMedium, wwn: string, filename: string): void {
    const file = `${identity.device}:${identity.inode}`;
    const owner = this.#owners.get(file);
    if (owner !== undefined) {
      throw new QomError("in-use", `'${printable(filename)}' is the medium of ${owner} and cannot be that of ${wwn} too`, {
        context: { option: "filename", value: printable(filename), object: wwn },
      });
    }
    this.#owners.set(file, wwn);
  }

  /** The unit no longer has a file. */
  release(wwn: string): void {
    for (const [file, owner] of this.#owners) if (owner === wwn) this.#owners.delete(file);
  }
}
