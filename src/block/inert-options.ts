/** What QEMU asks of several options of a node together, though they have no effect here, and what a nested node inherits. */
import { QomError } from "../base/errors.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { inertValue } from "../qemu/inert.js";
import type { ValueForm } from "../qom/property-type.js";
import type { QomObject } from "../qom/object.js";

/** A node, as far as these rules look at it. */
interface NodeOptions extends QomObject {
  readonly readOnly: boolean;
  readonly autoReadOnly: boolean;
}

/** Value of `cache`. */
type CacheOptions = Readonly<Partial<Record<"direct" | "no-flush", boolean>>>;

/** Options that have no effect and that monitors show, whether they were given or not. */
export interface InertOptions {
  readonly cache: Readonly<Record<"direct" | "no-flush", boolean>>;
  readonly detectZeroes: "off" | "on" | "unmap";
}

/** Those of a node. */
export function inertOptionsOf(node: QomObject): InertOptions {
  const detectZeroes = inertValue(node, "detect-zeroes") as InertOptions["detectZeroes"] | undefined; // the kind of the property
  return { cache: { direct: false, "no-flush": false, ...cacheOf(node) }, detectZeroes: detectZeroes ?? "off" };
}

function cacheOf(node: QomObject): CacheOptions | undefined {
  return inertValue(node, "cache") as CacheOptions | undefined; // the kind of the property
}

function conflict(option: string, message: string): QomError {
  return new QomError("conflict", message, { context: { option } });
}

/**
 * Refuses options that QEMU refuses beside each other.
 * @throws QomError `conflict`
 */
export function requireConsistent(node: NodeOptions): void {
  if (inertValue(node, "detect-zeroes") === "unmap" && inertValue(node, "discard") !== "unmap") {
    throw conflict("detect-zeroes", "detect-zeroes=unmap needs discard=unmap");
  }
  if (inertValue(node, "force-share") === true && !node.readOnly) {
    throw conflict("force-share", "force-share=on is for nodes with read-only=on");
  }
  if (inertValue(node, "aio") === "native" && cacheOf(node)?.direct !== true) {
    throw conflict("aio", "aio=native needs cache.direct=on");
  }
}

/** What the options of a node say of one that is nested in it, where that says nothing itself (QEMU: bdrv_inherited_options). */
export function inheritedOptions(node: NodeOptions, form: ValueForm): OptionMap {
  const plain = (value: boolean): PlainValue => (form === "json" ? value : value ? "on" : "off");
  const inherited = new Map<string, PlainValue>();
  if (node.readOnly) inherited.set("read-only", plain(true));
  if (node.autoReadOnly) inherited.set("auto-read-only", plain(true));
  if (inertValue(node, "force-share") === true) inherited.set("force-share", plain(true));
  const cache = cacheOf(node);
  if (cache !== undefined) inherited.set("cache", new Map(Object.entries(cache).map(([name, value]) => [name, plain(value)])));
  return inherited;
}
