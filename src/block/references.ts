/** Which nodes use which others, and what of that decides when a node is active. */
import { QomError } from "../base/errors.js";
import { hold } from "../qom/object.js";
import type { BlockNode } from "./node.js";

/** A use of a node by another one. */
interface Reference {
  /** Of the property that asks for it. */
  readonly name: string;
  readonly release: () => void;
}

/** See the file text. */
export class NodeReferences {
  /** By node: the nodes that it uses. */
  readonly #children = new Map<BlockNode, Map<BlockNode, Reference>>();
  /** By node: the nodes that use it; the same from the other end. */
  readonly #owners = new Map<BlockNode, Set<BlockNode>>();

  /** From now on `owner` uses `child`, which its property `name` asks for. */
  add(owner: BlockNode, child: BlockNode, name: string): void {
    const children = this.#children.get(owner) ?? new Map<BlockNode, Reference>();
    children.set(child, { name, release: hold(child, owner) });
    this.#children.set(owner, children);
    this.#owners.set(child, (this.#owners.get(child) ?? new Set<BlockNode>()).add(owner));
  }

  /** `owner` no longer uses `child`. */
  remove(owner: BlockNode, child: BlockNode): void {
    const children = this.#children.get(owner);
    children?.get(child)?.release();
    children?.delete(child);
    if (children?.size === 0) this.#children.delete(owner);
    const owners = this.#owners.get(child);
    owners?.delete(owner);
    if (owners?.size === 0) this.#owners.delete(child);
  }

  /** The nodes that `node` uses, each with the name of the property that asks for it. */
  namedChildren(node: BlockNode): readonly { readonly name: string; readonly node: BlockNode }[] {
    return [...(this.#children.get(node) ?? [])].map(([child, { name }]) => ({ name, node: child }));
  }

  /** The nodes that `node` uses. */
  children(node: BlockNode): readonly BlockNode[] {
    return [...(this.#children.get(node)?.keys() ?? [])];
  }

  /** Makes a node active, after those that it uses. @throws QomError `in-use` for an image that another process uses */
  async activate(node: BlockNode): Promise<void> {
    if (node.active) return;
    for (const child of this.children(node)) await this.activate(child);
    await node.changeActivity(true);
  }

  /** Makes a node inactive unless an active one uses it, and then those that it uses. */
  async deactivate(node: BlockNode): Promise<void> {
    if (!node.active || this.#activeOwner(node) !== undefined) return;
    await node.changeActivity(false);
    for (const child of this.children(node)) await this.deactivate(child);
  }

  /** @throws QomError `in-use` for a node that an active one uses */
  requireNoActiveOwner(node: BlockNode): void {
    const owner = this.#activeOwner(node);
    if (owner === undefined) return;
    throw new QomError("in-use", `${node.describe()} cannot be inactive: ${owner.describe()}, which uses it, is active`, {
      context: { option: "node-name", value: node.nodeName },
    });
  }

  #activeOwner(node: BlockNode): BlockNode | undefined {
    for (const owner of this.#owners.get(node) ?? []) if (owner.active) return owner;
    return undefined;
  }
}
