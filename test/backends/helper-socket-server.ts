/** A PR helper in this process that does what a test tells it, right or wrong. Descriptors sent to it are lost. */

import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import type { HelperConnection } from "#src/backends/helper-socket/connection.js";
import { HelperExchangeError } from "#src/backends/helper-socket/exchange.js";
import {
  CDB_SIZE,
  encodeRequest,
  FEATURE_WORD_SIZE,
  followingBytes,
  RESPONSE_HEADER_SIZE,
  writeResponseHeader,
} from "#src/scsi/pr-helper.js";
import type { HelperResponse } from "#src/scsi/pr-helper.js";
import { makeFolder, removeFolder } from "../support/folder.js";

/** What the helper does when a connection has sent a whole request; nobody waits for it. */
export type RequestHandler = (client: Socket, cdb: Uint8Array, parameterList: Uint8Array) => unknown;

/** Data of 24 bytes, none of them zero. */
export const DATA = Uint8Array.from({ length: 24 }, (_, i) => i + 1);

/** A command as a connection and a pool are given it. */
export interface HelperRequest {
  readonly cdb: Uint8Array;
  readonly dataOut?: Uint8Array;
  readonly bufferBytes: number;
}

/** READ KEYS with an allocation length of 24, and a tag in two bytes that the server can see. */
export function readKeys(tag = 0): HelperRequest {
  return { cdb: Uint8Array.of(0x5e, 0, tag >> 8, tag, 0, 0, 0, 0, 24, 0), bufferBytes: 24 };
}

/** The tag of {@link readKeys}. */
export function tagOf(cdb: Uint8Array): number {
  return ((cdb[2] ?? 0) << 8) | (cdb[3] ?? 0);
}

/** RESERVE with {@link DATA} as parameter list. */
export const RESERVE: HelperRequest = { cdb: Uint8Array.of(0x5f, 1, 1, 0, 0, 0, 0, 0, 24, 0), dataOut: DATA, bufferBytes: 0 };

/** A command on a connection that is idle. @throws HelperExchangeError when there is no response */
export function exchange(connection: HelperConnection, fd: number, request: HelperRequest): Promise<HelperResponse> {
  return new Promise((resolve, reject) => {
    connection.start({
      fd,
      request: encodeRequest(request.cdb, request.dataOut),
      dataMax: request.cdb[0] === 0x5e ? request.bufferBytes : 0,
      settle: (outcome) => (outcome instanceof HelperExchangeError ? reject(outcome) : resolve(outcome)),
    });
  });
}

/** What an exchange failed with. */
export async function exchangeFailure(running: Promise<unknown>): Promise<HelperExchangeError> {
  const error: unknown = await running.then(
    () => new Error("the exchange should have failed"),
    (reason: unknown) => reason,
  );
  if (error instanceof HelperExchangeError) return error;
  throw error;
}

/** A response as a correct helper would send it. */
export function responseBytes(status: number, dataIn: Uint8Array = new Uint8Array(0), sense: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(RESPONSE_HEADER_SIZE + dataIn.length);
  writeResponseHeader(bytes, status, dataIn.length, sense);
  bytes.set(dataIn, RESPONSE_HEADER_SIZE);
  return bytes;
}

/** A response header with any status and size. */
export function headerBytes(status: number, size: number): Buffer {
  const bytes = Buffer.alloc(RESPONSE_HEADER_SIZE);
  bytes.writeInt32BE(status, 0);
  bytes.writeInt32BE(size, 4);
  return bytes;
}

/** See the file text. */
export class ScriptedHelper {
  readonly path: string;
  /** Connections that are open. */
  readonly clients = new Set<Socket>();
  readonly #folder = makeFolder();
  readonly #server: Server;

  private constructor(onConnection: (client: Socket) => unknown) {
    this.path = join(this.#folder, "socket");
    this.#server = createServer((client) => {
      this.clients.add(client);
      client.on("error", () => {}).on("close", () => this.clients.delete(client));
      void onConnection(client);
    });
  }

  /** A helper that does `onConnection` with every connection, and nothing by itself. */
  static async listen(onConnection: (client: Socket) => unknown): Promise<ScriptedHelper> {
    const helper = new ScriptedHelper(onConnection);
    await once(helper.#server.listen(helper.path), "listening");
    return helper;
  }

  /** A helper that greets, expects the right answer, and hands every request to `onRequest`. */
  static serve(onRequest: RequestHandler): Promise<ScriptedHelper> {
    return ScriptedHelper.listen((client) => {
      let received: Uint8Array = new Uint8Array(0);
      let greeted = false;
      const take = (length: number): Uint8Array => {
        const taken = received.subarray(0, length);
        received = received.subarray(length);
        return taken;
      };
      const wanted = (): number => (greeted ? CDB_SIZE + followingBytes(received) : FEATURE_WORD_SIZE);
      client.write(new Uint8Array(FEATURE_WORD_SIZE));
      client.on("data", (chunk: Buffer) => {
        received = new Uint8Array(Buffer.concat([received, chunk]));
        while (received.length >= wanted()) {
          const message = take(wanted());
          if (greeted) void onRequest(client, message.subarray(0, CDB_SIZE), message.subarray(CDB_SIZE));
          else if (message.some((byte) => byte !== 0)) client.destroy();
          greeted = true;
        }
      });
    });
  }

  /** From now on a connection beyond so many is closed as soon as it is made. */
  limitConnections(count: number): void {
    this.#server.maxConnections = count;
  }

  /** Ends all connections and the listener. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server.close(), "close");
    for (const client of this.clients) client.destroy();
    await closed;
    removeFolder(this.#folder);
  }
}
