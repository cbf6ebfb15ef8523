/** `driver=raw`: a format that adds nothing to the node below it. */
import { assert } from "../base/assert.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { qom } from "../qom/property-type.js";
import type { PlainValue } from "../options/value.js";
import { inheritedOptions } from "./inert-options.js";
import { BlockNode, NODE_REFERENCE, NoScsi } from "./node.js";
import type { ProtocolAccess } from "./node.js";

/** See the module text. */
@qomType({ name: "raw", description: "the medium as it is" })
export class RawNode extends BlockNode {
  @qomProperty(qom.nested(NODE_REFERENCE, "the name of a node, or the options of one (file.driver=…)"), {
    description: "the node below: a node name, or the options of a new node",
    required: true,
  })
  accessor file!: PlainValue;

  @qomProperty(qom.size(), { description: "where the node below begins; other than 0 it takes no SCSI commands", default: 0n })
  accessor offset!: bigint;

  @qomProperty(qom.size(), { description: "how much of the node below is to be seen; where it is given there are no SCSI commands" })
  accessor size: bigint | undefined;

  #child: BlockNode | undefined;

  override get protocol(): ProtocolAccess {
    assert(this.#child !== undefined, "a completed raw node has a node below it");
    const { protocol } = this.#child;
    return this.offset === 0n && this.size === undefined ? protocol : partOf(protocol);
  }

  override get isReadOnly(): boolean {
    return this.readOnly || (this.#child?.isReadOnly ?? false);
  }

  override async complete(): Promise<void> {
    const { opener, form } = this.opening;
    this.#child = await opener.openChild(this, "file", this.file, form, inheritedOptions(this, form));
  }

  override async finalize(): Promise<void> {
    if (this.#child !== undefined) await this.opening.opener.closeChild(this, this.#child);
  }
}

/** A part of a disk: a command of SCSI is for all of it (QEMU: raw_co_ioctl). */
function partOf(disk: ProtocolAccess): ProtocolAccess {
  return {
    unit: new NoScsi("shows a part of a disk ('offset', 'size'), which takes no SCSI commands"),
    routeOf: (opcode) => disk.routeOf(opcode),
    medium: () => disk.medium(),
    attachUser: (user, writes) => disk.attachUser(user, writes),
    execute: (unit, command) => disk.execute(unit, command),
  };
}
