/** The block nodes of a machine: a name space of its own, as in QEMU (qapi/block-core.json, blockdev-add). */
import { assert, present } from "../base/assert.js";
import { aBoolean, aString, check, instanceOf, nullable, oneOf } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { sliceEnd } from "../base/slices.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import { isWellFormedId } from "../options/id.js";
import { thoseThere } from "../options/nearest.js";
import { describeValue, takeText } from "../options/take.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { requireUnheld } from "../qom/factory.js";
import type { ObjectFactory } from "../qom/factory.js";
import { isHeld } from "../qom/object.js";
import type { LinkResolver, ValueForm } from "../qom/property-type.js";
import { typeHint } from "../qom/type-registry.js";
import type { RegisteredType } from "../qom/type-registry.js";
import type { DrivePolicies } from "./drive-inert.js";
import { BLOCK_NODE_TYPE, BlockNode, NODE_REFERENCE } from "./node.js";
import type { NodeOpener } from "./node.js";
import { NodeReferences } from "./references.js";
import { PROTOCOL_NODE_TYPE } from "./protocol-node.js";

/** QEMU keeps node names in 32 bytes, the terminating NUL included. */
const NODE_NAME_LENGTH_MAX = 31;

/** Nodes in one chain, one below the other: whoever asks for the node at its end goes through all of them by recursion. No use needs ten. */
const NODE_CHAIN_LENGTH_MAX = 64;

/** Nodes that change their activity within a few milliseconds. */
const ACTIVITY_SLICE_LENGTH = 64;

/** For who asks for QEMU's driver `iscsi`. */
const NO_INITIATOR = "there is no iSCSI initiator here: log in with the host's, and name its disk with host_device";

const A_NODE = instanceOf(BlockNode, "a block node");

/** See the module text. */
export class BlockGraph implements NodeOpener {
  readonly #factory: ObjectFactory;
  readonly #resolve: LinkResolver;
  readonly #nodes = new Map<string, BlockNode>();
  /** Names of nodes that are being opened. */
  readonly #pending = new Set<string>();
  /** Nodes that were made inside another one, and that one. */
  readonly #nested = new Map<BlockNode, BlockNode>();
  readonly #references = new NodeReferences();
  /** By node: its place in the chain that it was opened in, 1 for the outermost. */
  readonly #levels = new WeakMap<BlockNode, number>();
  /** Nodes that -drive made. */
  readonly #drives = new Map<BlockNode, DrivePolicies>();
  /** Nodes whose owner has gone while others used them: they go with the last of these. */
  readonly #outliving = new Set<BlockNode>();
  #unnamed = 0;
  #closed = false;

  constructor(factory: ObjectFactory, resolve: LinkResolver) {
    this.#factory = factory;
    this.#resolve = resolve;
  }

  /** All nodes in order of opening, nested ones before the node around them. */
  get nodes(): readonly BlockNode[] {
    return [...this.#nodes.values()];
  }

  /** Nodes that are not nested in another one, in order of opening. */
  get outermost(): readonly BlockNode[] {
    return this.nodes.filter((node) => !this.#nested.has(node));
  }

  /** The nodes that were made inside `owner`, in order of opening. */
  nestedIn(owner: BlockNode): readonly BlockNode[] {
    check("BlockGraph.nestedIn", "owner", owner, A_NODE);
    return this.nodes.filter((node) => this.#nested.get(node) === owner);
  }

  /** The node of that name. @throws QomError `not-found` */
  node(name: string): BlockNode {
    check("BlockGraph.node", "name", name, aString);
    const found = this.#nodes.get(name);
    if (found !== undefined) return found;
    if (this.#closed) throw new QomError("closed", "the machine is closed");
    throw new QomError("not-found", `no block node named '${printable(name)}'`, {
      context: { value: name },
      hint: thoseThere(name, [...this.#nodes.keys()]),
    });
  }

  /**
   * Opens a node that has a name: `-blockdev`, blockdev-add.
   * @param values `driver`, `node-name` and the driver's properties; nested nodes as maps
   * @throws QomError; nothing is left open then
   */
  async open(values: OptionMap, form: ValueForm): Promise<BlockNode> {
    checkOptions("BlockGraph.open", values, form);
    this.#requireName(values);
    return this.#open(values, form, null, 1);
  }

  /**
   * Refuses what {@link open} would refuse whatever files, nodes and objects there are.
   * @throws QomError as {@link open}
   */
  check(values: OptionMap, form: ValueForm): void {
    checkOptions("BlockGraph.check", values, form);
    this.#requireName(values);
    this.#check(values, form, 1);
  }

  #requireName(values: OptionMap): void {
    // A driver that does not exist is the mistake to tell first: its options cannot be judged.
    const driver = values.get("driver");
    if (typeof driver === "string") this.#driver(driver);
    if (!values.has("node-name")) {
      throw new QomError("missing", "the option 'node-name' is required for the outermost node", { context: { option: "node-name" } });
    }
  }

  /**
   * Opens the node of a drive: `-drive`. It goes with the device that uses it.
   * @param policies what the drive says is done about errors
   * @throws QomError as {@link open}
   */
  async openDrive(values: OptionMap, policies: DrivePolicies = {}): Promise<BlockNode> {
    const node = await this.open(values, "text");
    this.#drives.set(node, policies);
    return node;
  }

  /** What the drive of that name says is done about errors; nothing of a node that is no drive. */
  policiesOf(name: string): DrivePolicies {
    check("BlockGraph.policiesOf", "name", name, aString);
    const node = this.#nodes.get(name);
    return (node === undefined ? undefined : this.#drives.get(node)) ?? {};
  }

  /** Whether there is a node of that name. */
  has(name: string): boolean {
    check("BlockGraph.has", "name", name, aString);
    return this.#nodes.has(name);
  }

  /** Whether that is the id of a drive. */
  isDrive(id: string): boolean {
    check("BlockGraph.isDrive", "id", id, aString);
    const node = this.#nodes.get(id);
    return node !== undefined && this.#drives.has(node);
  }

  /** Nodes that -drive made, in order of opening; each has the drive's id as its name. */
  get drives(): readonly BlockNode[] {
    return [...this.#drives.keys()];
  }

  /** Whether nodes of that driver talk to a medium, so that a file is their own and not that of a node below. */
  isProtocol(driver: string): boolean {
    check("BlockGraph.isProtocol", "driver", driver, aString);
    const { registry } = this.#factory;
    return registry.find(driver) !== undefined && registry.isA(driver, PROTOCOL_NODE_TYPE);
  }

  /** What the type of `node` is. */
  typeOf(node: BlockNode): RegisteredType {
    check("BlockGraph.typeOf", "node", node, A_NODE);
    return this.#factory.registry.get(node.typeName);
  }

  /**
   * Closes a node that nothing uses: blockdev-del.
   * @throws QomError `not-found`, or `in-use` saying by whom
   */
  async close(name: string): Promise<void> {
    const node = this.node(name);
    requireUnheld(node);
    await this.#close(node);
  }

  /** Closes a node that is there for its users only and has none any more: one that -drive made, or one that has outlived its owner. */
  async closeUnused(name: string): Promise<void> {
    check("BlockGraph.closeUnused", "name", name, aString);
    const node = this.#nodes.get(name);
    if (node !== undefined && !isHeld(node) && (this.#drives.has(node) || this.#outliving.has(node))) await this.#close(node);
  }

  /** Closes all nodes, the youngest first; for a machine that ends. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    const owners = this.outermost.filter((node) => !this.#outliving.has(node));
    await runAll(owners.toReversed().map((node) => () => this.#close(node)));
  }

  /** The nodes that `node` uses, each with the name of the property that asks for it. */
  childrenOf(node: BlockNode): readonly { readonly name: string; readonly node: BlockNode }[] {
    check("BlockGraph.childrenOf", "node", node, A_NODE);
    return this.#references.namedChildren(node);
  }

  /**
   * Lets a node take requests, or no longer: blockdev-set-active. The nodes below follow: to be active, a node needs them active, and they are
   * inactive with the last that uses them.
   * @param name of the node; null for all of them
   * @throws QomError `not-found`; `in-use` for a node that an active one uses, or whose image another process uses
   */
  async setActive(name: string | null, active: boolean): Promise<void> {
    check("BlockGraph.setActive", "name", name, nullable(aString));
    check("BlockGraph.setActive", "active", active, aBoolean);
    const given = name === null ? this.nodes : [this.node(name)];
    if (!active && name !== null) for (const node of given) this.#references.requireNoActiveOwner(node);
    // Nested nodes come before those around them, and a node that has another one by its name is younger than that.
    for (const [index, node] of (active ? given : given.toReversed()).entries()) {
      // It may have been closed meanwhile.
      if (this.#nodes.get(node.nodeName) === node) await (active ? this.#references.activate(node) : this.#references.deactivate(node));
      await sliceEnd(index, ACTIVITY_SLICE_LENGTH);
    }
  }

  async openChild(owner: BlockNode, name: string, value: PlainValue, form: ValueForm, inherited: OptionMap): Promise<BlockNode> {
    const child = await this.#child(owner, value, form, inherited).catch((error: unknown) => {
      throw error instanceof QomError ? error.nestedIn(name) : error;
    });
    if (owner.active && !child.active) {
      if (isOptionMap(value)) await this.#closeUnheld(child);
      throw new QomError("in-use", `${child.describe()} is inactive, and ${owner.describe()}, which is to use it, is active`, {
        context: { option: name, value: child.nodeName },
        hint: "active=off, or set it active before",
      });
    }
    this.#references.add(owner, child, name);
    if (isOptionMap(value)) this.#nested.set(child, owner);
    return child;
  }

  async closeChild(owner: BlockNode, child: BlockNode): Promise<void> {
    this.#references.remove(owner, child);
    if (this.#nested.get(child) === owner) await this.#closeUnheld(child);
    else await this.closeUnused(child.nodeName);
  }

  /** Closes a node whose owner has gone, or lets it outlive its owner until the last that uses it goes. */
  async #closeUnheld(node: BlockNode): Promise<void> {
    this.#nested.delete(node);
    if (isHeld(node)) this.#outliving.add(node);
    else await this.#close(node);
  }

  async #child(owner: BlockNode, value: PlainValue, form: ValueForm, inherited: OptionMap): Promise<BlockNode> {
    const level = present(this.#levels.get(owner), "a node opens others when it is prepared") + 1;
    if (typeof value === "string") {
      const child = this.node(value);
      requireChainLength(level - 1 + this.#chainLength(child));
      return child;
    }
    if (!isOptionMap(value)) {
      throw new QomError("invalid-value", `a node is given by its name or by its options, not by ${describeValue(value)}`);
    }
    requireChainLength(level);
    return this.#open(new Map([...inherited, ...value]), form, owner.rootName, level);
  }

  /** The number of nodes from `node` down to the end of the longest chain. */
  #chainLength(node: BlockNode): number {
    const below = this.#references.children(node).map((child) => this.#chainLength(child));
    return 1 + Math.max(0, ...below);
  }

  async #open(given: OptionMap, form: ValueForm, rootName: string | null, level: number): Promise<BlockNode> {
    const { driver, nodeName, values } = takeHead(given);
    const name = this.#nodeName(nodeName);
    const type = this.#driver(driver);
    this.#pending.add(name);
    try {
      const opening = { opener: this, form, rootName: rootName ?? name };
      const node = await this.#factory.create({ type, id: name, values, form }, this.#resolve, {
        prepare: (object) => {
          assert(object instanceof BlockNode, "every driver is a block node");
          this.#levels.set(object, level);
          object.prepare(opening);
        },
      });
      assert(node instanceof BlockNode, "every driver is a block node");
      this.#nodes.set(name, node);
      return node;
    } finally {
      this.#pending.delete(name);
    }
  }

  #check(given: OptionMap, form: ValueForm, level: number): void {
    requireChainLength(level);
    const { driver, nodeName, values } = takeHead(given);
    if (nodeName !== undefined) requireNodeName(nodeName);
    const type = this.#driver(driver);
    this.#factory.check(type, { values, form });
    for (const [name, value] of values) {
      if (!isOptionMap(value) || type.properties.get(name)?.type.name !== NODE_REFERENCE) continue;
      try {
        this.#check(value, form, level + 1);
      } catch (error) {
        throw error instanceof QomError ? error.nestedIn(name) : error;
      }
    }
  }

  async #close(node: BlockNode): Promise<void> {
    this.#nodes.delete(node.nodeName);
    this.#nested.delete(node);
    this.#drives.delete(node);
    this.#outliving.delete(node);
    await this.#factory.destroy(node);
  }

  #driver(name: string): ReturnType<ObjectFactory["registry"]["get"]> {
    const { registry } = this.#factory;
    const type = registry.find(name);
    if (type !== undefined) return type;
    throw new QomError("unknown-type", `unknown block driver '${printable(name)}'`, {
      context: { option: "driver", value: name },
      hint: name === "iscsi" ? NO_INITIATOR : typeHint(name, registry.list({ implements: BLOCK_NODE_TYPE }), "block drivers"),
    });
  }

  #nodeName(given: string | undefined): string {
    if (given === undefined) {
      do this.#unnamed += 1;
      while (this.#nodes.has(automaticName(this.#unnamed)));
      return automaticName(this.#unnamed);
    }
    requireNodeName(given);
    if (this.#nodes.has(given) || this.#pending.has(given)) {
      throw new QomError("duplicate", `a block node named '${given}' exists already`, { context: { option: "node-name", value: given } });
    }
    return given;
  }
}

/** Takes out of a node's options what are no properties of it; the rest are `values`. */
function takeHead(given: OptionMap): { readonly driver: string; readonly nodeName: string | undefined; readonly values: OptionMap } {
  const values = new Map(given);
  const driver = takeText(values, "driver");
  if (driver === undefined) throw new QomError("missing", "the option 'driver' is required", { context: { option: "driver" } });
  return { driver, nodeName: takeText(values, "node-name"), values };
}

function requireNodeName(name: string): void {
  const context = { option: "node-name", value: name };
  if (!isWellFormedId(name)) {
    const hint = "a letter, then letters, digits, '-', '.' and '_'";
    throw new QomError("bad-id", `invalid node name '${printable(name)}'`, { context, hint });
  }
  if (name.length > NODE_NAME_LENGTH_MAX) {
    throw new QomError("limit", `node name '${printable(name)}' is longer than ${NODE_NAME_LENGTH_MAX} characters`, { context });
  }
}

function requireChainLength(length: number): void {
  if (length <= NODE_CHAIN_LENGTH_MAX) return;
  throw new QomError("limit", `more than ${NODE_CHAIN_LENGTH_MAX} nodes are stacked`, { context: { option: "file" } });
}

function automaticName(index: number): string {
  return `#block${String(index).padStart(3, "0")}`;
}

function checkOptions(call: string, values: OptionMap, form: ValueForm): void {
  check(call, "values", values, instanceOf(Map, "a Map of options"));
  check(call, "form", form, oneOf(["text", "json"]));
}
