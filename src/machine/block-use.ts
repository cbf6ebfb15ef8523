/** Which block nodes of a command line are there for the sake of devices that are left out of the machine. */
import type { Steps } from "../base/slices.js";
import { isOptionMap, isPlainList } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { isForeign } from "../qemu/kinds.js";
import type { GivenOption } from "./arguments.js";

/** What {@link BlockUse} looks at. */
export interface BlockUseQuestion {
  /** -blockdev and -drive. */
  readonly nodes: readonly GivenOption[];
  /** All texts of the devices that stay, among them names of nodes. */
  readonly users: () => readonly string[];
  /** All words of what is left out, among them names of nodes. */
  readonly foreignWords: ReadonlySet<string>;
  /** The line describes a board, which gives a drive without an interface to a controller of its own. */
  readonly hasBoard: boolean;
  readonly isForeignDriver: (driver: string) => boolean;
}

/** What begins a file name that is for a driver of a network or of another kind: `rbd:`, `nbd+unix:`. */
const PROTOCOL = /^([a-z][a-z0-9-]*)[+:]/;

/** See the module text. A chain of nodes may be as long as the command line, so all of it is work that can be interrupted (base/slices.ts). */
export class BlockUse {
  readonly #question: BlockUseQuestion;
  /** By name of a node: the option that makes it. */
  readonly #byName = new Map<string, GivenOption>();
  /** The texts of an option, some of them names of nodes below it. */
  readonly #members = new Map<GivenOption, readonly Member[]>();

  constructor(question: BlockUseQuestion) {
    this.#question = question;
  }

  /** The options that are not ours: nothing that stays uses their nodes, and something else does, or no driver here can open them. */
  *leftOut(): Steps<ReadonlySet<GivenOption>> {
    const { nodes, users, foreignWords } = this.#question;
    // most lines have nothing of the kind, and may be long
    if (foreignWords.size === 0 && !(yield* this.#someForeign())) return new Set();
    for (const option of nodes) {
      this.#members.set(option, membersOf(option.parsed.values));
      for (const name of namesOf(option)) this.#byName.set(name, option);
      yield;
    }
    const used = yield* this.#below(users());
    const foreign = yield* this.#below(foreignWords);
    const unused = nodes.filter((option) => !used.has(option));
    if (unused.length === 0) return new Set();
    const closed = yield* this.#aboveForeignDrivers();
    return new Set(unused.filter((option) => foreign.has(option) || closed.has(option) || this.#isBoardDrive(option)));
  }

  *#someForeign(): Steps<boolean> {
    for (const option of this.#question.nodes) {
      if (this.#isBoardDrive(option) || this.#hasForeignDriver(option)) return true;
      yield;
    }
    return false;
  }

  /** The options whose nodes these texts name, and those below them. */
  #below(texts: Iterable<string>): Steps<ReadonlySet<GivenOption>> {
    return reached(this.#named(texts), (option) => this.#inner(option));
  }

  /** The options that no driver here can open, and those above them. */
  *#aboveForeignDrivers(): Steps<ReadonlySet<GivenOption>> {
    const { nodes } = this.#question;
    const above = new Map<GivenOption, GivenOption[]>();
    for (const option of nodes) {
      for (const inner of this.#inner(option)) {
        const others = above.get(inner);
        if (others === undefined) above.set(inner, [option]);
        else others.push(option);
      }
      yield;
    }
    const foreign = nodes.filter((option) => this.#hasForeignDriver(option));
    return yield* reached(foreign, (option) => above.get(option) ?? []);
  }

  #inner(option: GivenOption): readonly GivenOption[] {
    return this.#named((this.#members.get(option) ?? []).map(({ text }) => text));
  }

  #named(texts: Iterable<string>): readonly GivenOption[] {
    return [...texts].flatMap((text) => this.#byName.get(text) ?? []);
  }

  /** A drive that QEMU gives to a controller of the board by itself. */
  #isBoardDrive({ argument, parsed }: GivenOption): boolean {
    if (argument !== "drive") return false;
    const face = parsed.values.get("if");
    return face === undefined ? this.#question.hasBoard : BOARD_INTERFACES.some((known) => known === face);
  }

  #hasForeignDriver(option: GivenOption): boolean {
    const { argument, parsed } = option;
    if (argument === "drive" && isEmptyDrive(parsed.values)) return true;
    return someMember(parsed.values, "", (key, text) => {
      if (key === "driver" || (argument === "drive" && key === "format")) return this.#question.isForeignDriver(text);
      if (argument !== "drive" || key !== "file") return false;
      const [, protocol = ""] = PROTOCOL.exec(text) ?? [];
      return text.startsWith("json:") || (protocol !== "file" && isForeign("driver", protocol));
    });
  }
}

/** What QEMU's `if=` may be besides `none`: the board has a controller for it. */
const BOARD_INTERFACES = ["ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen"] as const;

/** What a drive without a medium may say of itself, as a guest's CD-ROM drive does. */
const EMPTY_DRIVE = /^(?:id|if|media|index|bus|unit|readonly|read-only|aio|discard|detect-zeroes|[wr]error|cache(?:\..+)?)$/;

/** A drive that has no medium. A key that is not known makes it one with a slip, which is refused as such. */
function isEmptyDrive(values: OptionMap): boolean {
  return [...values.keys()].every((key) => EMPTY_DRIVE.test(key));
}

/** Whether `test` holds for a text in the value, given the last part of its name. */
function someMember(value: PlainValue, key: string, test: (key: string, text: string) => boolean): boolean {
  if (typeof value === "string") return test(key.slice(key.lastIndexOf(".") + 1), value);
  if (isPlainList(value)) return value.some((element, index) => someMember(element, String(index), test));
  if (!isOptionMap(value)) return false;
  for (const [name, member] of value) if (name !== "node-name" && name !== "id" && someMember(member, name, test)) return true;
  return false;
}

/** `starts` and all that `next` leads to. */
function* reached(starts: readonly GivenOption[], next: (option: GivenOption) => readonly GivenOption[]): Steps<ReadonlySet<GivenOption>> {
  // a set is gone through in the order of arrival, with what arrives meanwhile
  const found = new Set(starts);
  for (const option of found) {
    for (const other of next(option)) found.add(other);
    yield;
  }
  return found;
}

/** Names that an option gives to nodes, nested ones among them. */
function namesOf({ argument, parsed }: GivenOption): readonly string[] {
  const key = argument === "drive" ? "id" : "node-name";
  return membersOf(parsed.values, true)
    .filter(({ name }) => name === key || name.endsWith(`.${key}`))
    .map(({ text }) => text);
}

interface Member {
  /** Dotted. */
  readonly name: string;
  readonly text: string;
}

/** All texts in the values, without the names of the nodes themselves unless asked for. */
function membersOf(value: PlainValue, withNames = false, prefix = ""): readonly Member[] {
  if (typeof value === "string") return [{ name: prefix, text: value }];
  if (isPlainList(value)) return value.flatMap((element, index) => membersOf(element, withNames, `${prefix}.${index}`));
  if (!isOptionMap(value)) return [];
  return [...value].flatMap(([name, member]) => {
    if (!withNames && (name === "node-name" || name === "id")) return [];
    return membersOf(member, withNames, prefix === "" ? name : `${prefix}.${name}`);
  });
}
