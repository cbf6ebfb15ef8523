/** Which block nodes of a command line are there for the sake of devices that are left out of the machine. */
import { isOptionMap, isPlainList } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { isForeign } from "../qemu/kinds.js";
import type { GivenOption } from "./arguments.js";

/** What {@link BlockUse} looks at. */
export interface BlockUseQuestion {
  /** -blockdev and -drive. */
  readonly nodes: readonly GivenOption[];
  /** All texts of the devices that stay, among them names of nodes. */
  readonly users: readonly string[];
  /** All words of what is left out, among them names of nodes. */
  readonly foreignWords: ReadonlySet<string>;
  /** The line describes a board, which gives a drive without an interface to a controller of its own. */
  readonly hasBoard: boolean;
  readonly isForeignDriver: (driver: string) => boolean;
}

/** What begins a file name that is for a driver of a network or of another kind: `rbd:`, `nbd+unix:`. */
const PROTOCOL = /^([a-z][a-z0-9-]*)[+:]/;

/** See the module text. */
export class BlockUse {
  readonly #question: BlockUseQuestion;
  /** By name of a node: the option that makes it. */
  readonly #byName = new Map<string, GivenOption>();

  constructor(question: BlockUseQuestion) {
    this.#question = question;
    for (const option of question.nodes) for (const name of namesOf(option)) this.#byName.set(name, option);
  }

  /** The options that are not ours: nothing that stays uses their nodes, and something else does, or no driver here can open them. */
  leftOut(): ReadonlySet<GivenOption> {
    const { nodes, users, foreignWords } = this.#question;
    const used = this.#reached(users);
    const foreign = this.#reached(foreignWords);
    return new Set(nodes.filter((option) => !used.has(option) && (foreign.has(option) || this.#isForeign(option))));
  }

  /** The options whose nodes these texts name, and those below them. */
  #reached(texts: Iterable<string>): ReadonlySet<GivenOption> {
    const reached = new Set<GivenOption>();
    const follow = (text: string): void => {
      const option = this.#byName.get(text);
      if (option === undefined || reached.has(option)) return;
      reached.add(option);
      for (const inner of membersOf(option.parsed.values)) follow(inner.text);
    };
    for (const text of texts) follow(text);
    return reached;
  }

  #isForeign(option: GivenOption): boolean {
    if (option.argument === "drive" && this.#isBoardDrive(option.parsed.values)) return true;
    return [option, ...this.#reached(membersOf(option.parsed.values).map(({ text }) => text))].some((each) => this.#hasForeignDriver(each));
  }

  /** A drive that QEMU gives to a controller of the board by itself. */
  #isBoardDrive(values: OptionMap): boolean {
    const face = values.get("if");
    return face === undefined ? this.#question.hasBoard : BOARD_INTERFACES.some((known) => known === face);
  }

  #hasForeignDriver({ argument, parsed }: GivenOption): boolean {
    return membersOf(parsed.values).some(({ name, text }) => {
      const key = name.slice(name.lastIndexOf(".") + 1);
      if (key === "driver" || (argument === "drive" && key === "format")) return this.#question.isForeignDriver(text);
      if (argument !== "drive" || key !== "file") return false;
      const [, protocol = ""] = PROTOCOL.exec(text) ?? [];
      return text.startsWith("json:") || (protocol !== "file" && isForeign("driver", protocol));
    });
  }
}

/** What QEMU's `if=` may be besides `none`: the board has a controller for it. */
const BOARD_INTERFACES = ["ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen"] as const;

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
