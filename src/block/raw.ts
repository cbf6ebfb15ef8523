/** `driver=raw`: a format that adds nothing to the node below it. */
import { assert } from "../base/assert.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { qom } from "../qom/property-type.js";
import type { PlainValue } from "../options/value.js";
import { BlockNode, NODE_REFERENCE } from "./node.js";
import type { ProtocolAccess } from "./node.js";

/** See the module text. */
@qomType({ name: "raw", description: "the medium as it is" })
export class RawNode extends BlockNode {
  @qomProperty(qom.nested(NODE_REFERENCE, "the name of a node, or the options of one (file.driver=…)"), {
    description: "the node below: a node name, or the options of a new node",
    required: true,
  })
  accessor file!: PlainValue;

  #child: BlockNode | undefined;

  override get protocol(): ProtocolAccess {
    assert(this.#child !== undefined, "a completed raw node has a node below it");
    return this.#child.protocol;
  }

  override get isReadOnly(): boolean {
    return this.readOnly || (this.#child?.isReadOnly ?? false);
  }

  override async complete(): Promise<void> {
    const { opener, form } = this.opening;
    const inherited: ReadonlyMap<string, PlainValue> = this.readOnly ? new Map([["read-only", form === "text" ? "on" : true]]) : new Map();
    this.#child = await opener.openChild(this, "file", this.file, form, inherited);
  }

  override async finalize(): Promise<void> {
    if (this.#child !== undefined) await this.opening.opener.closeChild(this, this.#child);
  }
}
