/** Options of -drive that have no effect here, or another spelling in a node's options (QEMU: blockdev.c, blockdev_init). */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { parseBool, parseInteger } from "../options/scalars.js";
import { describeValue, takeText } from "../options/take.js";
import { isOptionMap, isPlainList } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";

/** `cache=MODE` as options of a node. */
const CACHE_MODES: Readonly<Record<string, OptionMap>> = {
  none: new Map([["direct", "on"]]),
  directsync: new Map([["direct", "on"]]),
  writeback: new Map(),
  writethrough: new Map(),
  unsafe: new Map([["no-flush", "on"]]),
};

/** `discard=WORD` that a node says otherwise. */
const DISCARD: Readonly<Record<string, string>> = { on: "unmap", off: "ignore" };

/** What a drive says is done about errors, for a device that leaves that to it. */
const POLICIES = { werror: ["report", "ignore", "enospc", "stop"], rerror: ["report", "ignore", "stop"] } as const;

/** What a drive says of the two. */
export type DrivePolicies = { readonly [Option in keyof typeof POLICIES]?: (typeof POLICIES)[Option][number] };

/** The policies of a drive's options, which {@link takeInertDriveOptions} has found right. */
export function drivePolicies(options: OptionMap): DrivePolicies {
  const [rerror, werror] = [
    POLICIES.rerror.find((word) => word === options.get("rerror")),
    POLICIES.werror.find((word) => word === options.get("werror")),
  ];
  return { ...(rerror === undefined ? {} : { rerror }), ...(werror === undefined ? {} : { werror }) };
}

const MEDIA = ["disk", "cdrom"] as const;

/** Places of a drive on a controller of the board. */
const PLACES = ["index", "bus", "unit"] as const;

/** Limits, in the older spelling: `iops`, `bps_rd_max`. */
const LIMIT = /^(?:bps|iops)(?:_rd|_wr)?(?:_max)?(?:_length)?$|^iops_size$/;

/** The same of `throttling`. */
const THROTTLING = /^(?:bps|iops)-(?:total|read|write)(?:-max)?(?:-length)?$|^iops-size$/;

/** What is counted, which nobody can ask for here. */
const ACCOUNTING = ["stats-account-invalid", "stats-account-failed"] as const;

function wrong(option: string, value: PlainValue, expects: string): QomError {
  return new QomError("invalid-value", `option '${option}' expects ${expects}, not ${describeValue(value)}`, {
    context: { option, value: describeValue(value) },
  });
}

function requireOneOf(option: string, value: string, words: readonly string[]): void {
  if (!words.includes(value)) throw wrong(option, value, `one of ${words.join(", ")}`);
}

function requireNumber(option: string, value: PlainValue): void {
  const number = typeof value === "string" ? parseInteger(value) : undefined;
  if (number === undefined || number < 0n) throw wrong(option, value, "a number");
}

function takeCache(options: Map<string, PlainValue>): void {
  const cache = options.get("cache");
  if (typeof cache === "string") {
    requireOneOf("cache", cache, Object.keys(CACHE_MODES));
    const mode = CACHE_MODES[cache] ?? new Map<string, PlainValue>();
    if (mode.size > 0) options.set("cache", mode);
    else options.delete("cache");
    return;
  }
  if (cache === undefined || !isOptionMap(cache) || !cache.has("writeback")) return;
  const { writeback, ...rest } = Object.fromEntries(cache);
  if (writeback !== undefined && (typeof writeback !== "string" || parseBool(writeback) === undefined))
    throw wrong("cache.writeback", writeback, "'on' or 'off'");
  options.set("cache", new Map(Object.entries(rest)));
}

function takeLimits(options: Map<string, PlainValue>): void {
  const throttling = options.get("throttling");
  if (throttling !== undefined && isOptionMap(throttling)) {
    for (const [name, value] of throttling) {
      if (name === "group") continue;
      if (!THROTTLING.test(name)) throw unknown(`throttling.${name}`);
      requireNumber(`throttling.${name}`, value);
    }
    options.delete("throttling");
  }
  takeText(options, "group");
  for (const [name, value] of [...options].filter(([option]) => LIMIT.test(option))) {
    requireNumber(name, value);
    options.delete(name);
  }
}

function unknown(option: string): QomError {
  return new QomError("unknown-name", `a drive has no option '${printable(option)}'`, { context: { option: printable(option) } });
}

function takeAccounting(options: Map<string, PlainValue>): void {
  for (const option of ACCOUNTING) {
    const value = takeText(options, option);
    if (value !== undefined && parseBool(value) === undefined) throw wrong(option, value, "'on' or 'off'");
  }
  const intervals = options.get("stats-intervals");
  if (intervals === undefined || !isPlainList(intervals)) return;
  for (const [index, value] of intervals.entries()) requireNumber(`stats-intervals.${index}`, value);
  options.delete("stats-intervals");
}

/**
 * Takes out of a drive's options what has no effect, and puts the rest as a node says it.
 * @param options nested; changed
 * @returns `aio`, which is for the node that opens the file
 * @throws QomError `invalid-value`; `unsupported` for what would have an effect
 */
export function takeInertDriveOptions(options: Map<string, PlainValue>): string | undefined {
  takeCache(options);
  takeLimits(options);
  takeAccounting(options);
  const discard = options.get("discard");
  if (typeof discard === "string") options.set("discard", DISCARD[discard] ?? discard);
  for (const [option, words] of Object.entries(POLICIES)) {
    const policy = takeText(options, option);
    if (policy !== undefined) requireOneOf(option, policy, words);
  }
  for (const option of PLACES) {
    const place = takeText(options, option);
    if (place !== undefined) requireNumber(option, place);
  }
  const media = takeText(options, "media");
  if (media !== undefined) requireOneOf("media", media, MEDIA);
  if (media === "cdrom" && !options.has("read-only")) options.set("read-only", "on");
  for (const option of ["snapshot", "copy-on-read"]) {
    const value = takeText(options, option);
    if (value === undefined) continue;
    const isOn = parseBool(value);
    if (isOn === undefined) throw wrong(option, value, "'on' or 'off'");
    if (isOn)
      throw new QomError("unsupported", `'${option}=${value}' is not supported: commands go to the disk itself`, { context: { option } });
  }
  return takeText(options, "aio");
}
