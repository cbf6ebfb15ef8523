/** One client of a monitor: a pair of streams, of a socket or of the terminal. */
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

/** See the file text. */
export interface Connection {
  readonly input: Readable;
  readonly output: Writable;
  /** Says that nothing more is written; what was written still goes out. */
  end(): void;
  /** Ends it at once. */
  destroy(): void;
}

/** A socket as a connection. */
export function socketConnection(socket: Socket): Connection {
  return {
    input: socket,
    output: socket,
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

/** Standard input and output, which outlive a monitor and are not closed with it. */
export function stdioConnection(input: Readable, output: Writable): Connection {
  const leave = (): void => void input.pause();
  return { input, output, end: leave, destroy: leave };
}

/** Calls `lost` when a connection has failed or is closed; input that has come to its end is no loss. It may be called more than once. */
export function onLost({ input, output }: Connection, lost: () => void): void {
  const streams = new Set([input, output]);
  for (const stream of streams) stream.on("error", lost);
  output.on("close", lost);
  if (streams.size > 1) input.on("close", () => (input.readableEnded ? undefined : lost()));
}

/** Resolves when the client has taken most of what was written to it, or is gone. */
export function drained(output: Writable): Promise<void> {
  if (!output.writableNeedDrain || output.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      output.off("drain", settle);
      output.off("close", settle);
      resolve();
    };
    output.once("drain", settle);
    output.once("close", settle);
  });
}
