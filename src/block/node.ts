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
  /** Releases a child of `owner`; a nested one is closed, or with the last that uses it. */
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
  /** What reads and writes past the host's cache are multiples of. Default: 512. */
  readonly blockSizeBytes?: number;
  /** Longest transfer of the host's hardware in bytes, and most pieces of memory of one; absent where there is no limit. */
  readonly hardware?: { readonly transferBytesMax?: number; readonly segmentsMax?: number };
  /** What QEMU calls the kind of further facts about it, where it has some (QAPI: ImageInfoSpecificKind). */
  readonly specificKind?: "file";
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
  /** Resolves when none of the user's requests is under way any more. Default: at once. */
  quiet?(): Promise<void>;
}

/** A use of the node's image, which is locked for it while the node is active. */
interface Claim {
  readonly access: ImageAccess;
  release: (() => void) | null;
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
  #active = true;
  readonly #users = new Set<NodeUser>();
  readonly #claims = new Set<Claim>();

  /** Whether the node takes requests. {@link BlockGraph.setActive} changes it, with the nodes around this one. */
  @qomProperty(qom.bool(), {
    name: "active",
    description: "the node takes requests from the start; until it is set active, its image may be another process's",
    default: true,
  })
  get active(): boolean {
    return this.#active;
  }

  set active(active: boolean) {
    this.#active = active;
  }

  /** The same as {@link active} for who asks at every command: a property is read by detours. */
  get takesRequests(): boolean {
    return this.#active;
  }

  /**
   * Called when {@link active} is to change: takes the locks of the image, or waits for requests under way and gives the locks back.
   * @throws QomError `in-use` if another process uses the image in an incompatible way; the node stays inactive then
   */
  async changeActivity(active: boolean): Promise<void> {
    if (active === this.#active) return;
    if (active) {
      this.#lockAll();
      this.active = true;
      return;
    }
    this.active = false;
    await Promise.all([...this.#users].map((user) => user.quiet?.() ?? Promise.resolve()));
    // It may have been set active again meanwhile.
    if (!this.#active) this.#unlockAll();
  }

  #lockAll(): void {
    try {
      for (const claim of this.#claims) claim.release ??= this.claimImage(claim.access);
    } catch (error) {
      this.#unlockAll();
      throw error;
    }
  }

  #unlockAll(): void {
    for (const claim of this.#claims) {
      claim.release?.();
      claim.release = null;
    }
  }

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
    const releaseImage = this.useImage({ writes, sharesWrites: user.shares });
    this.#users.add(user);
    const release = hold(this, user);
    return () => {
      release();
      this.#users.delete(user);
      releaseImage();
    };
  }

  /**
   * Has the node's image locked for one more user while the node is active, until the returned function is called.
   * @throws QomError as {@link claimImage}
   */
  protected useImage(access: ImageAccess): () => void {
    const claim: Claim = { access, release: this.#active ? this.claimImage(access) : null };
    this.#claims.add(claim);
    return () => {
      this.#claims.delete(claim);
      claim.release?.();
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
