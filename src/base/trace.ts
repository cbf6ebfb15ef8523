/**
 * Trace points, published on node:diagnostics_channel under QEMU's names with the prefix `qom-pr:`. A point costs one test of a
 * boolean while nobody listens. Which points there are is said in trace-points.ts.
 */
import { channel, type Channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { TRACE_POINTS, type TraceMessage, type TraceName } from "./trace-points.js";

/**
 * A named point that publishes values of one shape. A class, so that all points have one hidden class and a test of {@link enabled} is
 * compiled to a load and a branch.
 */
class TracePoint<T extends object> {
  readonly #channel: Channel;

  constructor(point: Channel) {
    this.#channel = point;
  }

  /** Name of the channel, for `diagnostics_channel.subscribe`. */
  get name(): string {
    return String(this.#channel.name);
  }

  /** True while somebody listens. Ask before building the message. */
  get enabled(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(message: T): void {
    this.#channel.publish(message);
  }
}

function channelName(name: TraceName): string {
  return `qom-pr:${name}`;
}

/** The trace point `name`; two calls with the same name give the same channel. */
export function tracePoint<Name extends TraceName>(name: Name): TracePoint<TraceMessage<Name>> {
  return new TracePoint(channel(channelName(name)));
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
