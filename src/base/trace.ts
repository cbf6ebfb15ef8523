/**
 * Trace points, published on node:diagnostics_channel under QEMU's names with the prefix `qom-pr:`. A point costs one test of a
 * boolean while nobody listens.
 */
import { channel } from "node:diagnostics_channel";

/** A named point that publishes values of one shape. */
export interface TracePoint<T extends object> {
  /** Name of the channel, for `diagnostics_channel.subscribe`. */
  readonly name: string;
  /** True while somebody listens. Ask before building the message. */
  readonly enabled: boolean;
  publish(message: T): void;
}

/** The trace point `name`; two calls with the same name give the same channel. */
export function tracePoint<T extends object>(name: string): TracePoint<T> {
  const point = channel(`qom-pr:${name}`);
  return {
    name: `qom-pr:${name}`,
    get enabled(): boolean {
      return point.hasSubscribers;
    },
    publish: (message) => point.publish(message),
  };
}
