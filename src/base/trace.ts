/**
 * Trace points, published on node:diagnostics_channel under QEMU's names with the prefix `qom-pr:`. A point costs one test of a
 * boolean while nobody listens. The table of a machine's points is machine/trace-points.ts.
 */
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Channel } from "node:diagnostics_channel";

/** A named point that publishes values of one shape. */
export interface TracePoint<T extends object> {
  /** Name of the channel, for `diagnostics_channel.subscribe`. */
  readonly name: string;
  /** True while somebody listens. Ask before building the message. */
  readonly enabled: boolean;
  publish(message: T): void;
}

/** What a point publishes, and its line. */
export interface TraceDefinition<Message extends object> {
  /** The line without the name. */
  readonly format: (message: Message) => string;
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
export function tracePoint<T extends object = object>(name: string): TracePoint<T> {
  return new ChannelPoint(channel(channelName(name)));
}

/** Calls `listener` with every message of the point `name`; the returned function ends that. */
export function onTrace(name: string, listener: (message: unknown) => void): () => void {
  const own = (message: unknown): void => listener(message);
  subscribe(channelName(name), own);
  return () => void unsubscribe(channelName(name), own);
}
