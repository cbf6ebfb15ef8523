/**
 * Archives in the "newc" format of cpio, which is what the kernel unpacks as its first file system (Documentation/driver-api/early-userspace/
 * buffer-format.rst of Linux). An entry, padded with zeros to a multiple of 4 after the name and after the data:
 *
 *     0    6   magic "070701", then 13 fields of 8 hexadecimal digits:
 *     6        inode, mode, uid, gid, number of links, modification time, size of the data,
 *              device major, minor, special file major, minor, size of the name with its NUL, check sum (0)
 *     110      name, NUL
 *              data: contents of a file, target of a symbolic link
 *
 * The archive ends with an empty entry named TRAILER!!!. Everything belongs to root and to no moment, so that equal contents make equal
 * archives.
 */

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const FOLDER_MODE = 0o040755;
const FILE_MODE = 0o100644;
const PROGRAM_MODE = 0o100755;
const LINK_MODE = 0o120777;

const TRAILER = "TRAILER!!!";
const ALIGNMENT = 4;

/** An archive that is being written to a file. Folders come into being with what is put into them. */
export class CpioArchive {
  readonly #fd: number;
  readonly #entries = new Set<string>();
  #inode = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "w");
  }

  /** Adds a file with these contents; one that is there already stays as it is. `path` is absolute. */
  add(path: string, contents: string | Uint8Array, options: { readonly executable?: boolean } = {}): void {
    if (this.#entries.has(path)) return;
    this.folder(path.slice(0, path.lastIndexOf("/")));
    const bytes = typeof contents === "string" ? Buffer.from(contents) : contents;
    this.#write(path, options.executable === true ? PROGRAM_MODE : FILE_MODE, bytes);
  }

  /** Adds a file of the host as `path`, by default under the path it has there. */
  copy(source: string, path: string = source, options: { readonly executable?: boolean } = {}): void {
    if (!this.#entries.has(path)) this.add(path, readFileSync(source), options);
  }

  /** Adds a symbolic link. */
  link(path: string, target: string): void {
    if (this.#entries.has(path)) return;
    this.folder(path.slice(0, path.lastIndexOf("/")));
    this.#write(path, LINK_MODE, Buffer.from(target));
  }

  /** Adds a folder and those above it. */
  folder(path: string): void {
    if (path === "" || this.#entries.has(path)) return;
    this.folder(path.slice(0, path.lastIndexOf("/")));
    this.#write(path, FOLDER_MODE, new Uint8Array(0));
  }

  /** Ends the archive. */
  close(): void {
    this.#write(`/${TRAILER}`, 0, new Uint8Array(0));
    closeSync(this.#fd);
  }

  #write(path: string, mode: number, data: Uint8Array): void {
    this.#entries.add(path);
    this.#inode += 1;
    const name = Buffer.from(`${path.slice(1)}\0`);
    const fields = [this.#inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    this.#put(Buffer.concat([Buffer.from(header), name]));
    this.#put(data);
  }

  /** Writes bytes and the zeros behind them. */
  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    const rest = bytes.length % ALIGNMENT;
    if (rest !== 0) writeSync(this.#fd, new Uint8Array(ALIGNMENT - rest));
  }
}
