/** Commands of a client to a helper, as values. */

import type { ScsiCommand } from "qom-pr";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { parseSense } from "#src/scsi/sense.js";
import { RawClient } from "./raw-client.js";

/** What a command came to. */
export interface Answer {
  /** The status as a number, or sense as KEY/ASC/ASCQ for a CHECK CONDITION. */
  readonly outcome: string;
  readonly data: Buffer;
}

/** Sends a command and gives its answer. */
export async function send(client: RawClient, fd: number, { cdb, dataOut }: ScsiCommand): Promise<Answer> {
  const padded = Buffer.alloc(16);
  padded.set(cdb);
  client.send(Buffer.concat([padded, dataOut ?? new Uint8Array()]), [fd]);
  const answer = await client.readAnswer();
  const sense = parseSense(answer.subarray(8, RESPONSE_HEADER_SIZE));
  const codes = [sense?.key, sense?.asc, sense?.ascq].map((code) => code?.toString(16).padStart(2, "0"));
  const status = answer.readInt32BE(0);
  return { outcome: status === 2 ? codes.join("/") : `${status}`, data: answer.subarray(RESPONSE_HEADER_SIZE) };
}

/** Connects as another user, for which the tests have to be root. */
export async function greetedAs(uid: number, path: string): Promise<RawClient> {
  process.seteuid?.(uid);
  let client;
  try {
    client = new RawClient(path);
  } finally {
    process.seteuid?.(0);
  }
  await client.read(4);
  client.send(Buffer.alloc(4));
  return client;
}
