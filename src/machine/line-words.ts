/** Words of a pasted command line that are not options: what stands before them, and the name of a disk's image. */
import { printable } from "../base/limits.js";

/** What a shell and libvirt's log have before a program: `LC_ALL=C`. */
const ASSIGNMENT = /^[A-Za-z_]\w*=/;

/** QEMU's programs as distributions call them, in any folder. */
const PROGRAM = /^(?:.*\/)?(?:qemu-system-[\w-]+|qemu-kvm|kvm)$/;

/**
 * How many words at the beginning of a command line name its program, with the environment that it gets: those of
 * `LC_ALL=C HOME=/root /usr/bin/qemu-system-x86_64`. 0 when there is no such program, whatever else there is.
 */
export function programLength(argv: readonly string[], start = 0): number {
  let at = start;
  while (ASSIGNMENT.test(argv[at] ?? "")) at += 1;
  return PROGRAM.test(argv[at] ?? "") ? at + 1 - start : 0;
}

/**
 * Whether a word in the place of an option is the image of a disk, as QEMU takes any word there (-hda with another name). Here it has to look
 * like a path, with a slash or an ending: a parameter that a blank parts from its option is a slip.
 */
export function isImageWord(word: string): boolean {
  return /^[^-=,{}[\]"':][^=,{}[\]"']*$/.test(word) && /\/|\.[A-Za-z]\w*$/.test(word) && printable(word) === word;
}
