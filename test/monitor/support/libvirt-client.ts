/** A client that talks as libvirt does: what libvirt 12.8 said to QEMU 11.1 is in libvirt-12.json, and is said again to a machine. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Message, QmpClient } from "./qmp-client.js";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../../test/monitor/libvirt-12.json", import.meta.url));

/** Something that libvirt said, or was told. */
export interface Step {
  readonly execute?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** The class of QEMU's error; without it there was none. */
  readonly error?: string;
  /** An event that came at about this time: before the answer to the last command, or after it. */
  readonly event?: string;
  readonly data?: unknown;
}

/** Parts of the conversation, in order. The first is with a QEMU that libvirt starts to learn what it can do. */
export const PARTS = ["probe", "connect", "refused", "attach", "attach another", "detach", "connect again", "detach the last"] as const;

/** One of them. */
export type Part = (typeof PARTS)[number];

/** What was recorded. */
export function readConversation(): Readonly<Record<Part, readonly Step[]>> {
  return JSON.parse(readFileSync(PATH, "utf8")) as Record<Part, Step[]>; // the file has these members
}

/** One entry of query-qmp-schema, as far as libvirt looks at it. */
interface SchemaEntry {
  readonly name: string;
  readonly "meta-type": string;
  readonly "arg-type"?: string;
  readonly members?: readonly { readonly name: string }[];
}

/** See the file text. */
export class LibvirtClient {
  readonly #client: QmpClient;
  readonly #schema: readonly SchemaEntry[];
  #count = 0;
  readonly #events: Message[] = [];

  /** @param schema the answer to query-qmp-schema, which libvirt asks for once for each QEMU */
  constructor(client: QmpClient, schema: readonly unknown[] = []) {
    this.#client = client;
    this.#schema = schema as readonly SchemaEntry[]; // what its members are, the tests of the schema say
  }

  /** Whether there is such a command. */
  has(command: string): boolean {
    return this.#command(command) !== undefined;
  }

  /** Says the step's command, without optional arguments that the schema does not have, and gives the answer to it. */
  async say({ execute = "", arguments: given }: Step): Promise<Message> {
    this.#count += 1;
    const id = `libvirt-${this.#count}`;
    const args = given === undefined ? undefined : this.#known(execute, given);
    this.#client.send({ execute, ...(args === undefined ? {} : { arguments: args }), id });
    for (;;) {
      const message = await this.#next();
      if (message.event !== undefined) this.#events.push(message);
      else if (message.id === id) return message;
      else throw new Error(`an answer to ${String(message.id)}, not to ${id}`);
    }
  }

  /** Waits for the event, whether it has come already or not; others before it are dropped. */
  async event(name: string): Promise<Message> {
    for (;;) {
      const message = this.#events.shift() ?? (await this.#next());
      if (message.event === name) return message;
    }
  }

  async #next(): Promise<Message> {
    const message = await this.#client.next();
    if (message === undefined) throw new Error("the server hung up");
    return message;
  }

  #command(name: string): SchemaEntry | undefined {
    return this.#schema.find((entry) => entry.name === name && entry["meta-type"] === "command");
  }

  #known(command: string, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const type = this.#command(command)?.["arg-type"];
    const members = this.#schema.find(({ name }) => name === type)?.members?.map(({ name }) => name);
    return "flat" in given && members?.includes("flat") !== true ? {} : given;
  }
}
