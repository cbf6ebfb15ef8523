/** Block nodes: what `-blockdev` and `-drive` make (QEMU: include/block/block_int-common.h). */
import { QomError } from "../base/errors.js";
import { assert, present } from "../base/assert.js";
import { qomProperty, qomType } from "../qom/decorators.js";
import { hold, QomObject } from "../qom/object.js";
import { qom } from "../qom/property-type.js";
import type { ValueForm } from "../qom/property-type.js";
import type { ImageAccess } from "../base/image-access.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { NODE_INERT } from "../qemu/block.js";
import { inert } from "../qemu/inert.js";
import type { Route } from "../scsi/routing.js";
import type { ScsiAnswer, ScsiCommand } from "../scsi/command.js";
import type { DiskUnit } from "../scsi/unit.js";
import { requireConsistent } from "./inert-options.js";

/** Opens and closes child nodes; given to a node before it is completed. */
export interface NodeOpener {
  /** Opens the nested node that `value` of the property `name` describes, or finds the one it names, and holds it for `owner`. */
  openChild(owner: BlockNode, name: string, value: PlainValue, form: ValueForm, inherited: OptionMap): Promise<BlockNode>;
  /** Releases a child of `owner`; a nested one is closed. */
  closeChild(owner: BlockNode, child: BlockNode): Promise<void>;
}

/** How a node is being opened. */
export interface NodeOpening {
  readonly opener: NodeOpener;
  readonly form: ValueForm;
  /** Name of the outermost node that this one is opened for: its own name, unless it is nested. */
  readonly rootName: string;
}

/** Why a node has no SCSI unit. The reason completes the sentence "block node 'x' …". */
export class NoScsi {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The medium at the end of a chain, as monitors show it. */
export interface MediumInfo {
  /** Path of the file or device, or another name; "" if there is none. */
  readonly name: string;
  /** 0 if it is not known. */
  readonly sizeBytes: number;
}

/** What the node at the end of a chain offers a device. */
export interface ProtocolAccess {
  /** The disk behind the node, or why there is none. */
  readonly unit: DiskUnit | NoScsi;
  /** Where a command with this operation code is sent. */
  routeOf(opcode: number | undefined): Route;
  medium(): Promise<MediumInfo>;
  /** Attaches a device to the node, see {@link BlockNode.attachUser}; `writes`: the device may write. */
  attachUser(user: NodeUser, writes: boolean): () => void;
  /**
   * Runs a SCSI command, which the device has checked, on the node's `unit` or its read-only variant: PERSISTENT RESERVE IN and OUT go to
   * the manager if there is one, everything else to the disk.
   */
  execute(unit: DiskUnit, command: ScsiCommand): ScsiAnswer;
}

/** A device that uses a node. */
export interface NodeUser {
  describe(): string;
  /** Others may use the node at the same time (`share-rw`). */
  readonly shares: boolean;
}

/** Kind of a property for a child node: the name of a node, or the options of a new one. */
export const NODE_REFERENCE = "BlockdevRef";

/** The type that all block drivers descend from. */
export const BLOCK_NODE_TYPE = "block-node";

/** See the module text. */
@qomType({ name: BLOCK_NODE_TYPE, description: "a node of the block layer", abstract: true })
@inert(NODE_INERT)
export abstract class BlockNode extends QomObject {
  @qomProperty(qom.bool(), { name: "read-only", description: "open without write access", default: false })
  accessor readOnly!: boolean;

  @qomProperty(qom.bool(), {
    name: "auto-read-only",
    description: "open without write access where there is no right to write",
    default: false,
  })
  accessor autoReadOnly!: boolean;

  #opening: NodeOpening | undefined;
  readonly #users = new Set<NodeUser>();

  /** Called by the graph once, before `complete`. */
  prepare(opening: NodeOpening): void {
    assert(this.#opening === undefined, "a node is opened once");
    requireConsistent(this);
    this.#opening = opening;
  }

  protected get opening(): NodeOpening {
    return present(this.#opening, "the graph prepares a node before it completes it");
  }

  /** The node that accesses the medium: this one, or the one below a format. */
  abstract get protocol(): ProtocolAccess;

  /** Whether this node, or one below it, is read-only. */
  get isReadOnly(): boolean {
    return this.readOnly;
  }

  /** The node's name: `node-name`, or the drive's id. */
  get nodeName(): string {
    return this.id ?? "";
  }

  /** Name of the outermost node that this one was opened for; its own name, unless it is nested. */
  get rootName(): string {
    return this.opening.rootName;
  }

  override describe(): string {
    return `block node '${this.nodeName}'`;
  }

  /**
   * Attaches a device to the node, until the returned function is called.
   * @param writes whether the device may write
   * @throws QomError `in-use` unless all users share the node, including those of the image in other processes
   */
  attachUser(user: NodeUser, writes: boolean): () => void {
    for (const other of this.#users) {
      if (user.shares && other.shares) continue;
      throw new QomError("in-use", `block node '${this.rootName}' is in use by ${other.describe()}`, {
        context: { object: this.nodeName },
        hint: "to allow this, set share-rw=on on every device that uses it",
      });
    }
    const releaseImage = this.claimImage({ writes, sharesWrites: user.shares });
    this.#users.add(user);
    const release = hold(this, user);
    return () => {
      release();
      this.#users.delete(user);
      releaseImage();
    };
  }

  /**
   * Locks the node's image for one more user, until the returned function is called. A node without an image has nothing to lock.
   * @throws QomError `in-use` if another process uses the image in an incompatible way
   */
  protected claimImage(_access: ImageAccess): () => void {
    return () => undefined;
  }
}
