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

/** How a node reaches the others; given to it before it is completed. */
export interface NodeOpener {
  /** Opens a nested node, or finds the one that is named by `value` of the property `name`. The opener holds it for `owner`. */
  openChild(owner: BlockNode, name: string, value: PlainValue, form: ValueForm, inherited: OptionMap): Promise<BlockNode>;
  /** Lets go of a child of `owner`; a nested one is closed. */
  closeChild(owner: BlockNode, child: BlockNode): Promise<void>;
}

/** What a node is told about its opening. */
export interface NodeOpening {
  readonly opener: NodeOpener;
  readonly form: ValueForm;
  /** Name of the outermost node that this one is opened for: its own, unless it is nested. */
  readonly rootName: string;
}

/** Why a node has no SCSI unit; completes the sentence "block node 'x' …". */
export class NoScsi {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The medium at the end of a chain, as monitors show it. */
export interface MediumInfo {
  /** Path of the file or device, or a name of its own; "" when there is none. */
  readonly name: string;
  /** 0 when it is not known. */
  readonly sizeBytes: number;
}

/** What the node at the end of a chain offers to a device. */
export interface ProtocolAccess {
  /** The disk behind the node, or why there is none. */
  readonly unit: DiskUnit | NoScsi;
  /** Which way a command with this operation code goes from here. */
  routeOf(opcode: number | undefined): Route;
  medium(): Promise<MediumInfo>;
  /** Gives the node to a device, see {@link BlockNode.attachUser}; `writes` is whether the device may write. */
  attachUser(user: NodeUser, writes: boolean): () => void;
  /**
   * Runs a SCSI command, which the device has checked, on `unit`, which is the node's, or that for reading alone: PERSISTENT RESERVE IN and
   * OUT by the manager if there is one, all else on the disk.
   */
  execute(unit: DiskUnit, command: ScsiCommand): ScsiAnswer;
}

/** A device that uses a node. */
export interface NodeUser {
  describe(): string;
  /** The user agrees that others use the node too (`share-rw`). */
  readonly shares: boolean;
}

/** Kind of a property that says which node is below: by its name, or by the options of a new one. */
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

  /** Called once by the graph, before `complete`. */
  prepare(opening: NodeOpening): void {
    assert(this.#opening === undefined, "a node is opened once");
    requireConsistent(this);
    this.#opening = opening;
  }

  protected get opening(): NodeOpening {
    return present(this.#opening, "the graph prepares a node before it completes it");
  }

  /** The node that talks to the medium: this one, or the one below a format. */
  abstract get protocol(): ProtocolAccess;

  /** Whether this node, or one below it, is read-only. */
  get isReadOnly(): boolean {
    return this.readOnly;
  }

  /** The node's name: `node-name`, or the drive's id. */
  get nodeName(): string {
    return this.id ?? "";
  }

  /** Name of the outermost node that this one was made for; its own, unless it is nested. */
  get rootName(): string {
    return this.opening.rootName;
  }

  override describe(): string {
    return `block node '${this.nodeName}'`;
  }

  /**
   * Gives the node to a device; the returned function gives it back.
   * @param writes whether the device may write
   * @throws QomError `in-use` unless every user shares it, those of the image in other processes included
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
   * Locks the node's image for one more user, until the function given is called. A node without an image has nothing to lock.
   * @throws QomError `in-use` when another process does not go together with that user
   */
  protected claimImage(_access: ImageAccess): () => void {
    return () => undefined;
  }
}
