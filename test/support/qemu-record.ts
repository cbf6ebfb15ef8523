/** Records of QEMU's answers: a file of JSON for each version, with a line for each answer. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { QemuVersion } from "#src/qemu/compat.js";

/** See the module text. The answers are of a kind that goes through JSON unchanged. */
export class QemuRecord<T> {
  readonly #name: string;

  /** @param name of the file within test/, without version and ending */
  constructor(name: string) {
    this.#name = name;
  }

  /** The answers of that version, by name. */
  read(version: QemuVersion): ReadonlyMap<string, T> {
    return new Map(Object.entries(JSON.parse(readFileSync(this.#path(version), "utf8")) as Record<string, T>)); // what write() wrote
  }

  /** Writes them anew. */
  write(version: QemuVersion, answers: Iterable<readonly [string, T]>): void {
    const lines = [...answers].map(([name, answer]) => `  ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
    writeFileSync(this.#path(version), `{\n${lines.join(",\n")}\n}\n`);
  }

  /** Beside the sources, not beside what is compiled from them. */
  #path(version: QemuVersion): string {
    return fileURLToPath(new URL(`../../../test/${this.#name}.${version}.json`, import.meta.url));
  }
}
