/**
 * Trace points, published on node:diagnostics_channel under QEMU's names with the prefix `qom-pr:`. A point costs one test of a
 * boolean while nobody listens. Which points there are is said in trace-points.ts.
 */
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Channel } from "node:diagnostics_channel";
import { TRACE_POINTS } from "./trace-points.js";
import type { TraceMessage, TraceName } from "./trace-points.js";

/** A named point that publishes values of one shape. */
export interface TracePoint<T extends object> {
  /** Name of the channel, for `diagnostics_channel.subscribe`. */
  readonly name: string;
  /** True while somebody listens. Ask before building the message. */
  readonly enabled: boolean;
  publish(message: T): void;
}

/** All points have one hidden class, so that a test of `enabled` is compiled to a load and a branch. */
class ChannelPoint<T extends object> implements TracePoint<T> {
  readonly #channel: Channel;

  constructor(point: Channel) {
    this.#channel = point;
  }

  get name(): string {
    return String(this.#channel.name);
  }

  get enabled(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(message: T): void {
    this.#channel.publish(message);
  }
}

function channelName(name: string): string {
  return `qom-pr:${name}`;
}

/** The trace point `name`; two calls with the same name give the same channel. */
export function tracePoint<Name extends TraceName>(name: Name): TracePoint<TraceMessage<Name>> {
  return ownTracePoint(name);
}

/** A point of a program that has a table of its own and is not watched as a machine is. */
export function ownTracePoint<T extends object>(name: string): TracePoint<T> {
  return new ChannelPoint(channel(channelName(name)));
}

/** Names of all points, sorted. */
export function traceNames(): readonly TraceName[] {
  // Object.keys forgets the type of a table's keys.
  return (Object.keys(TRACE_POINTS) as TraceName[]).toSorted();
}

/**
 * Calls `listener` with a line for every message of the point, as QEMU's log backend prints it: `NAME TEXT`. The returned function ends
 * that. Points are the process's, not a machine's.
 */
export function onTraceLine(name: TraceName, listener: (line: string) => void): () => void {
  // The message is of the point's own type: nobody else publishes on its channel.
  const format = TRACE_POINTS[name].format as (message: unknown) => string;
  const told = (message: unknown): void => listener(`${name} ${format(message)}`);
  subscribe(channelName(name), told);
  return () => void unsubscribe(channelName(name), told);
}
