/** Kernel modules: which ones one needs, in the order they are loaded, and the one change that the laboratory makes to one of them. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ElfFile, RELOCATION_SIZE } from "./elf.js";

const SUFFIX = ".ko";

/** What modinfo(8) shows as `depends`. */
function dependenciesOf(module: ElfFile): readonly string[] {
  const section = module.section(".modinfo");
  const entries = section === undefined ? [] : module.contents(section).toString("latin1").split("\0");
  const depends = entries.find((entry) => entry.startsWith("depends="))?.slice("depends=".length) ?? "";
  return depends === "" ? [] : depends.split(",");
}

/** The modules below a folder, by name. Names are compared as the kernel does: `-` and `_` are the same. */
export class ModuleTree {
  readonly #paths = new Map<string, string>();

  constructor(folder: string) {
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (path.endsWith(SUFFIX)) this.#paths.set(canonical(basename(path, SUFFIX)), join(folder, path));
    }
  }

  /**
   * The module and everything it depends on, each after what it needs.
   * @throws Error for a module that is not there
   */
  closure(name: string): readonly KernelModule[] {
    const found = new Map<string, KernelModule>();
    const add = (wanted: string): void => {
      const path = this.#paths.get(canonical(wanted));
      if (path === undefined) throw new Error(`the kernel package has no module ${wanted}`);
      if (found.has(path)) return;
      const contents = readFileSync(path);
      for (const dependency of dependenciesOf(new ElfFile(contents))) add(dependency);
      found.set(path, { name: canonical(wanted), contents });
    };
    add(name);
    return [...found.values()];
  }
}

/** A module as it is loaded. */
export interface KernelModule {
  /** With `_` for `-`. */
  readonly name: string;
  readonly contents: Buffer;
}

function canonical(name: string): string {
  return name.replaceAll("-", "_");
}

const CALL = 0xe8;
/** An instruction of 5 bytes that does nothing (NOP, Intel SDM volume 2B, table 4-12). */
const NOTHING = Uint8Array.of(0x0f, 0x1f, 0x44, 0x00, 0x00);
const SIGNATURE_MARK = Buffer.from("~Module signature appended~\n");
/** What stands before the mark: struct module_signature, whose last field is the signature's length. */
const SIGNATURE_HEADER_SIZE = 12;

/**
 * target_core_mod without the one call (flush_work in core_tmr_lun_reset) by which Linux 6.1.192-2 can come to wait for itself over
 * tcm_loop. See docs/lab.md.
 * @throws Error when the module is not built as expected, so that a kernel that changes is noticed
 */
export function withoutSelfWait(module: Buffer): Buffer {
  const bytes = Buffer.from(module);
  const elf = new ElfFile(bytes);
  const reset = elf.symbols().find(({ name }) => name === "core_tmr_lun_reset");
  const code = reset === undefined ? undefined : elf.sections[reset.section];
  if (reset === undefined || code === undefined) throw new Error("target_core_mod has no function core_tmr_lun_reset");
  const calls = elf
    .relocations(code.index)
    .filter(({ offset, symbol }) => symbol.name === "flush_work" && offset >= reset.value && offset < reset.value + reset.size);
  const [call] = calls;
  if (call === undefined || calls.length > 1) throw new Error(`core_tmr_lun_reset has ${calls.length} calls of flush_work, not 1`);
  const instruction = code.offset + call.offset - 1;
  if (bytes[instruction] !== CALL) throw new Error("flush_work is not called by a call instruction");
  bytes.set(NOTHING, instruction);
  // A relocation of type 0 does nothing; its offset stays, as the loader checks it.
  bytes.fill(0, call.at + 8, call.at + RELOCATION_SIZE);
  return withoutSignature(bytes);
}

/** The signature is wrong after a change; without one the kernel loads the module and taints itself. */
function withoutSignature(bytes: Buffer): Buffer {
  const end = bytes.length - SIGNATURE_MARK.length;
  if (!bytes.subarray(end).equals(SIGNATURE_MARK)) return bytes;
  const signatureLength = bytes.readUInt32BE(end - 4);
  return bytes.subarray(0, end - SIGNATURE_HEADER_SIZE - signatureLength);
}
