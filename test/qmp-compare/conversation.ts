/** One script as a conversation with a server of QMP, and what is left of the answers when what may differ is taken out. */
import type { Readable, Writable } from "node:stream";
import type { Comparison, Script, Step } from "./steps.js";

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What was answered to one step; events that came before the reply, and after it. */
export interface Answer {
  readonly replies: readonly Json[];
  readonly eventsBefore: readonly Json[];
}

/** A script's answers, all events in order, and how it ended. */
export interface Transcript {
  readonly greeting: Json;
  readonly steps: readonly Answer[];
  readonly events: readonly Json[];
  readonly end: readonly Json[];
}

/** Words of scripts and what they stand for. */
export interface Words {
  readonly file: string;
  readonly other: string;
  readonly helper: string;
  /** SCSI disk device type. */
  readonly disk: string;
  /** Options of a block node that such a device drives. */
  readonly node: object;
}

type Message = { readonly [name: string]: Json };

/** Reads messages of a server as they come. */
class Messages {
  readonly #waiting: Message[] = [];
  #rest = "";
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(input: Readable) {
    input.setEncoding("utf8");
    input.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\r\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#waiting.push(JSON.parse(line) as Message); // a server sends objects
      this.#wake();
    });
    input.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next message; undefined at the end. */
  async next(): Promise<Message | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#waiting.shift();
  }
}

/** Plays a script against the server behind the two streams, to its end. */
export async function converse(script: Script, words: Words, input: Writable, output: Readable): Promise<Transcript> {
  const messages = new Messages(output);
  const greeted = await messages.next();
  const greeting = script.greeting === true ? shape(greeted ?? null) : null;
  const events: Json[] = [];
  const steps: Answer[] = [];
  const all: readonly Step[] = [...(script.raw === true ? [] : [{ send: { execute: "qmp_capabilities" } }]), ...script.steps];
  for (const [index, step] of all.entries()) {
    const marker = `marker ${index}`;
    input.write(`${textOf(step, words)}\n${JSON.stringify({ execute: "query-name", arguments: { [marker]: 1 }, id: marker })}\n`);
    const eventsOfEarlierSteps = events.length;
    const replies: Json[] = [];
    let eventsBefore: Json[] = [];
    const pending: Json[] = [];
    for (let message = await messages.next(); message?.["id"] !== marker; message = await messages.next()) {
      if (message === undefined) throw new Error(`${script.name}: the server ended after ${textOf(step, words)}`);
      if ("event" in message) {
        events.push(tidyEvent(message));
        pending.push(tidyEvent(message));
      } else {
        replies.push(tidyReply(message, step.as ?? "value", words));
        eventsBefore = [...pending];
      }
    }
    steps.push({ replies, eventsBefore });
    while (step.until !== undefined && !events.slice(eventsOfEarlierSteps).some((event) => (event as Message)["event"] === step.until)) {
      const message = await messages.next();
      if (message === undefined) throw new Error(`${script.name}: no event ${step.until}`);
      if ("event" in message) events.push(tidyEvent(message));
    }
  }
  input.write(JSON.stringify({ execute: script.raw === true ? "qmp_capabilities" : "quit" }));
  if (script.raw === true) input.write(JSON.stringify({ execute: "quit" }));
  const end: Json[] = [];
  for (let message = await messages.next(); message !== undefined; message = await messages.next()) {
    if (!("event" in message)) continue;
    if (message["event"] === "SHUTDOWN") end.push(tidyEvent(message));
    else events.push(tidyEvent(message));
  }
  return { greeting, steps, events, end };
}

function textOf({ send }: Step, { file, other, helper, disk, node }: Words): string {
  const text = typeof send === "string" ? send : JSON.stringify(send);
  const options = JSON.stringify(node).slice(1, -1);
  return text
    .replaceAll('"$node":true', options)
    .replaceAll("$FILE", file)
    .replaceAll("$OTHER", other)
    .replaceAll("$HELPER", helper)
    .replaceAll("$DISK", disk);
}

/** Timestamps vary; that they are there is compared. */
function tidyEvent(message: Message): Json {
  return sorted({ ...message, timestamp: shape(message["timestamp"] ?? null) });
}

/** Error texts vary, classes do not. */
function tidyReply(message: Message, as: Comparison, words: Words): Json {
  const { error, return: value, ...others } = message;
  if (error !== undefined) return sorted({ ...others, error: (error as { class: string }).class }); // every error has a class
  return sorted({ ...others, return: compared(value ?? null, as, words) });
}

function compared(value: Json, as: Comparison, words: Words): Json {
  if (as === "shape") return shape(value);
  const known = JSON.parse(JSON.stringify(value).replaceAll(words.file, "$FILE").replaceAll(words.disk, "$DISK")) as Json;
  if (as === "value" || !Array.isArray(known)) return sorted(known);
  return sorted(known.map((element: Json) => Object.fromEntries(as.map((name) => [name, memberOf(element, name)]))));
}

/** A member by its name, or by the names of members that lead to it; null where it is not. */
function memberOf(value: Json, name: string): Json {
  const [first = "", ...rest] = name.split(".");
  const member = (value as Message)[first] ?? null; // elements and their members with members are objects
  return rest.length === 0 || member === null ? member : memberOf(member, rest.join("."));
}

/** Members by name; lists in the order of their text, since QEMU's order is arbitrary. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const);
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names and types of what is in a value; of a list every kind of element once. */
function shape(value: Json): Json {
  if (Array.isArray(value)) {
    const kinds = new Map(value.map((element: Json) => [JSON.stringify(shape(element)), shape(element)]));
    return sorted([...kinds.values()]);
  }
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return sorted(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shape(member)])));
}
