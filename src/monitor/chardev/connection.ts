/** One client of a monitor: a pair of streams, whatever is behind them. */
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
