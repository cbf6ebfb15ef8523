/** Conversations with a helper, good and bad: what is sent, and what has to come of it (facts observed on qemu-pr-helper 7.2). */

import { closeSync, constants, openSync } from "node:fs";
import { encodeFeatures, FEATURE_WORD_SIZE, NO_FEATURES } from "#src/scsi/pr-helper.js";
import { SystemCallError } from "#src/native/errno.js";
import { RawClient } from "./raw-client.js";
import type { End } from "./raw-client.js";

/** How a descriptor for a request is opened. */
export interface Opening {
  readonly path: string;
  readonly flags: number;
}

const O_PATH = 0o10000000;

/** Descriptors by name. `FILE` stands for a regular file that the test makes. */
export const OPENINGS = {
  null: { path: "/dev/null", flags: constants.O_RDWR },
  "null, read-only": { path: "/dev/null", flags: constants.O_RDONLY },
  "null, write-only": { path: "/dev/null", flags: constants.O_WRONLY },
  "null, ioctl only": { path: "/dev/null", flags: 3 },
  "null, path only": { path: "/dev/null", flags: O_PATH },
  file: { path: "FILE", flags: constants.O_RDWR },
  "file, read-only": { path: "FILE", flags: constants.O_RDONLY },
  directory: { path: "/", flags: constants.O_RDONLY },
  loop: { path: "/dev/loop0", flags: constants.O_RDWR },
} satisfies Record<string, Opening>;

/** Name of a descriptor. */
export type Descriptor = keyof typeof OPENINGS;

/** One message. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly with?: readonly Descriptor[];
  /** Sent only when the server has taken everything before. */
  readonly apart?: boolean;
  /** Sent only when the server has closed the connection, so that whether it resets it is no race; the test waits for that in vain if it does not. */
  readonly late?: boolean;
}

/** A conversation. */
export interface Scenario {
  readonly name: string;
  readonly messages: readonly Message[];
  /** The answers: sense key, additional sense code and qualifier of each. */
  readonly answers: readonly string[];
  /** Whether the server then goes on listening, or closes the connection (with unread bytes: resets it). */
  readonly then: "listens" | End;
  /** Set when the messages do not start with a request but with the feature word. */
  readonly raw?: boolean;
  /** The client stops sending after the messages; then `eof` is expected. */
  readonly finish?: boolean;
}

const IO_ERROR = "0b/00/06";
const INVALID_OPCODE = "05/20/00";
const GOOD = "00";
const INVALID_FIELD = "05/24/00";

/** A CDB of 16 bytes; `length` goes to bytes 7 and 8. */
export function cdb(operationCode: number, serviceAction: number, length: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes[0] = operationCode;
  bytes[1] = serviceAction;
  bytes.writeUInt16BE(length, 7);
  return bytes;
}

const NONE = Buffer.from(encodeFeatures(NO_FEATURES));
const READ_KEYS = cdb(0x5e, 0, 32);
const REGISTER = cdb(0x5f, 0, 24);
const PARAMETERS = Buffer.alloc(24, 0xa5);
const LONG_LENGTH = Buffer.from(REGISTER);
LONG_LENGTH[6] = 1;
const LONG_CDB_LENGTH = Buffer.from(REGISTER);
LONG_CDB_LENGTH.writeUInt32BE(0x0001_0018, 5);

function readKeys(descriptor: Descriptor): Message {
  return { bytes: READ_KEYS, with: [descriptor] };
}

function register(descriptor: Descriptor): readonly Message[] {
  return [{ bytes: REGISTER, with: [descriptor] }, { bytes: PARAMETERS }];
}

function eachByte(message: Message): readonly Message[] {
  return [...message.bytes].map((byte, i) => ({
    bytes: Uint8Array.of(byte),
    ...(i === 0 && message.with !== undefined ? { with: message.with } : {}),
    apart: true,
  }));
}

const FIRST_HALF = READ_KEYS.subarray(0, 7);
const SECOND_HALF = READ_KEYS.subarray(7);

const HANDSHAKE: readonly Scenario[] = [
  { name: "a client that says nothing", messages: [], answers: [], then: "eof", raw: true, finish: true },
  {
    name: "a feature word in four pieces",
    messages: [...eachByte({ bytes: NONE }), readKeys("null")],
    answers: [IO_ERROR],
    then: "listens",
    raw: true,
  },
  { name: "half a feature word", messages: [{ bytes: NONE.subarray(2) }], answers: [], then: "eof", raw: true, finish: true },
  { name: "an unknown feature", messages: [{ bytes: encodeFeatures(1) }], answers: [], then: "eof", raw: true },
  { name: "all features", messages: [{ bytes: encodeFeatures(0xffff_ffff) }], answers: [], then: "eof", raw: true },
  { name: "a CDB before the feature word", messages: [readKeys("null")], answers: [], then: "reset", raw: true },
  {
    name: "a descriptor with the feature word",
    messages: [{ bytes: NONE, with: ["null"] }, { bytes: READ_KEYS }],
    answers: [],
    then: "eof",
    raw: true,
  },
  {
    name: "feature word and CDB in one message with a descriptor",
    messages: [{ bytes: Buffer.concat([NONE, READ_KEYS]), with: ["null"] }],
    answers: [],
    then: "eof",
    raw: true,
  },
];

const DESCRIPTORS: readonly Scenario[] = [
  { name: "no descriptor", messages: [{ bytes: READ_KEYS }], answers: [], then: "eof" },
  { name: "two descriptors", messages: [{ bytes: READ_KEYS, with: ["null", "null"] }], answers: [], then: "eof" },
  { name: "three descriptors", messages: [{ bytes: READ_KEYS, with: ["null", "file", "null"] }], answers: [], then: "eof" },
  {
    name: "a hundred descriptors",
    messages: [{ bytes: READ_KEYS, with: Array.from({ length: 100 }, () => "file" as const) }],
    answers: [],
    then: "eof",
  },
  {
    name: "a descriptor with each half of a CDB",
    messages: [
      { bytes: FIRST_HALF, with: ["null"] },
      { bytes: SECOND_HALF, with: ["null"], apart: true },
    ],
    answers: [],
    then: "eof",
  },
  {
    name: "a descriptor with the first half of a CDB",
    messages: [
      { bytes: FIRST_HALF, with: ["null"] },
      { bytes: SECOND_HALF, apart: true },
    ],
    answers: [IO_ERROR],
    then: "listens",
  },
  {
    name: "a descriptor with the second half of a CDB",
    messages: [{ bytes: FIRST_HALF }, { bytes: SECOND_HALF, with: ["null"], apart: true }],
    answers: [IO_ERROR],
    then: "listens",
  },
  {
    name: "half a CDB with a descriptor, and the end",
    messages: [{ bytes: FIRST_HALF, with: ["null"] }],
    answers: [],
    then: "eof",
    finish: true,
  },
  {
    name: "a descriptor with the parameter list only",
    messages: [{ bytes: REGISTER }, { bytes: PARAMETERS, with: ["null"], late: true }],
    answers: [],
    then: "eof",
  },
  {
    name: "a second descriptor with the parameter list",
    messages: [
      { bytes: REGISTER, with: ["null"] },
      { bytes: PARAMETERS, with: ["file"] },
    ],
    answers: [IO_ERROR],
    then: "listens",
  },
  { name: "a second request without a descriptor", messages: [readKeys("null"), { bytes: READ_KEYS }], answers: [IO_ERROR], then: "eof" },
];

const COMMANDS: readonly Scenario[] = [
  ...[0x00, 0x12, 0x5d, 0x60, 0xfe].map((operationCode) => ({
    name: `operation code ${operationCode.toString(16)}h`,
    messages: [{ bytes: cdb(operationCode, 0, 8), with: ["null" as const] }],
    answers: [],
    then: "eof" as const,
  })),
  { name: "an allocation length of 8193", messages: [{ bytes: cdb(0x5e, 0, 8193), with: ["null"] }], answers: [], then: "eof" },
  { name: "an allocation length of 8192", messages: [{ bytes: cdb(0x5e, 0, 8192), with: ["null"] }], answers: [IO_ERROR], then: "listens" },
  { name: "an allocation length of 0", messages: [{ bytes: cdb(0x5e, 0, 0), with: ["null"] }], answers: [IO_ERROR], then: "listens" },
  {
    name: "a parameter list of 8193 bytes",
    messages: [{ bytes: Buffer.concat([cdb(0x5f, 0, 8193), Buffer.alloc(8193)]), with: ["null"] }],
    answers: [],
    then: "reset",
  },
  {
    name: "a parameter list of 8192 bytes",
    messages: [{ bytes: cdb(0x5f, 0, 8192), with: ["null"] }, { bytes: Buffer.alloc(8192, 1) }],
    answers: [IO_ERROR],
    then: "listens",
  },
  { name: "no parameter list", messages: [{ bytes: cdb(0x5f, 0, 0), with: ["null"] }], answers: [IO_ERROR], then: "listens" },
  {
    name: "a parameter list byte by byte",
    messages: [{ bytes: REGISTER, with: ["null"] }, ...eachByte({ bytes: PARAMETERS })],
    answers: [IO_ERROR],
    then: "listens",
  },
  {
    name: "a CDB byte by byte, and the next request at once",
    messages: [...eachByte(readKeys("null")), readKeys("file")],
    answers: [IO_ERROR, IO_ERROR],
    then: "listens",
  },
  {
    name: "a short parameter list",
    messages: [{ bytes: REGISTER, with: ["null"] }, { bytes: PARAMETERS.subarray(1) }],
    answers: [],
    then: "eof",
    finish: true,
  },
  {
    name: "a four-byte length of 00010018h",
    messages: [{ bytes: LONG_CDB_LENGTH, with: ["null"] }, { bytes: PARAMETERS }],
    answers: [IO_ERROR],
    then: "listens",
  },
  { name: "service action 1Fh", messages: [{ bytes: cdb(0x5e, 0x1f, 8), with: ["null"] }], answers: [IO_ERROR], then: "listens" },
  {
    name: "ten requests at once",
    messages: Array.from({ length: 5 }, () => [readKeys("null"), ...register("null, read-only")]).flat(),
    answers: Array.from({ length: 5 }, () => [IO_ERROR, INVALID_OPCODE]).flat(),
    then: "listens",
  },
];

const DEVICES: readonly Scenario[] = [
  ...(
    ["null", "null, read-only", "null, write-only", "null, ioctl only", "null, path only", "file", "file, read-only", "directory"] as const
  ).map((descriptor) => ({
    name: `PERSISTENT RESERVE IN to ${descriptor}`,
    messages: [readKeys(descriptor)],
    answers: [IO_ERROR],
    then: "listens" as const,
  })),
  ...(["null, read-only", "null, path only", "file, read-only", "directory"] as const).map((descriptor) => ({
    name: `PERSISTENT RESERVE OUT to ${descriptor}`,
    messages: register(descriptor),
    answers: [INVALID_OPCODE],
    then: "listens" as const,
  })),
  ...(["null", "null, write-only", "null, ioctl only", "file"] as const).map((descriptor) => ({
    name: `PERSISTENT RESERVE OUT to ${descriptor}`,
    messages: register(descriptor),
    answers: [IO_ERROR],
    then: "listens" as const,
  })),
  { name: "PERSISTENT RESERVE IN to a loop device", messages: [readKeys("loop")], answers: [INVALID_FIELD], then: "listens" },
  { name: "PERSISTENT RESERVE OUT to a loop device", messages: register("loop"), answers: [INVALID_FIELD], then: "listens" },
];

/** What a later version of the protocol has besides, and qemu-pr-helper 7.2 has not. */
export const CLEAN_UP_SCENARIOS: readonly Scenario[] = [
  ...(["null", "null, write-only", "null, ioctl only", "file"] as const).map((descriptor) => ({
    name: `clean up ${descriptor}`,
    messages: [{ bytes: cdb(0xff, 0, 0), with: [descriptor] }],
    answers: [GOOD],
    then: "listens" as const,
  })),
  ...(["null, read-only", "null, path only", "file, read-only", "directory"] as const).map((descriptor) => ({
    name: `clean up ${descriptor}`,
    messages: [{ bytes: cdb(0xff, 0, 0), with: [descriptor] }],
    answers: [INVALID_OPCODE],
    then: "listens" as const,
  })),
  { name: "clean up, without a descriptor", messages: [{ bytes: cdb(0xff, 0, 0) }], answers: [], then: "eof" },
  {
    name: "clean up, without data whatever the length",
    messages: [{ bytes: cdb(0xff, 1, 8192), with: ["null"] }],
    answers: [GOOD],
    then: "listens",
  },
  { name: "clean up, with a length of 8193", messages: [{ bytes: cdb(0xff, 0, 8193), with: ["null"] }], answers: [], then: "eof" },
  { name: "CLEANUP wanted, which is not offered", messages: [{ bytes: encodeFeatures(1) }], answers: [], then: "eof", raw: true },
];

/** All that qemu-pr-helper 7.2 has too. */
export const SCENARIOS: readonly Scenario[] = [...HANDSHAKE, ...DESCRIPTORS, ...COMMANDS, ...DEVICES];

/** Everything that came back after the server's feature word. */
export interface Transcript {
  readonly bytes: Buffer;
  readonly end: End;
}

/** Goes through `scenario` with the helper at `path`. When the server is to go on listening, one more request shows that it does. */
export async function converse(path: string, scenario: Scenario, file: string): Promise<Transcript> {
  const client = new RawClient(path);
  try {
    const greeting = await client.read(FEATURE_WORD_SIZE);
    if (greeting.readUInt32BE() !== NO_FEATURES) throw new Error(`the server offers features: ${greeting.toString("hex")}`);
    const messages = scenario.raw === true ? scenario.messages : [{ bytes: NONE }, ...scenario.messages];
    await sendAll(client, scenario.then === "listens" ? [...messages, readKeys("null")] : messages, file);
    if (scenario.then === "listens" || scenario.finish === true) client.finish();
    return await client.readToEnd();
  } finally {
    client.close();
  }
}

/** Sends `messages`, up to the first that the server refuses by closing the connection. */
async function sendAll(client: RawClient, messages: readonly Message[], file: string): Promise<void> {
  for (const message of messages) {
    if (message.apart === true) await client.drained();
    if (message.late === true) await client.ended;
    const descriptors = (message.with ?? []).map((name) => {
      const { path, flags } = OPENINGS[name];
      return openSync(path === "FILE" ? file : path, flags);
    });
    try {
      client.send(message.bytes, descriptors);
    } catch (error) {
      if (!(error instanceof SystemCallError) || !["EPIPE", "ECONNRESET"].includes(error.code)) throw error;
      return;
    } finally {
      descriptors.forEach((fd) => closeSync(fd));
    }
  }
}
