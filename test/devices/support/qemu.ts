/**
 * QEMU's virtio-scsi-pci, driven without a guest: by the qtest protocol a test reads and writes PCI registers and guest memory, and so
 * is the driver itself (QEMU: docs/devel/testing/qtest; virtio 1.2, 4.1 virtio over PCI, 2.7 split virtqueues).
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { makeFolder, removeFolder } from "../../support/folder.js";
import { QmpClient } from "../../monitor/support/qmp-client.js";
import type { NewerQemu } from "../../support/newer-qemu.js";
import { fields } from "./peer.js";
import type { Answer, Peer } from "./peer.js";

const PROGRAM = "qemu-system-x86_64";

/** The package of Debian and Ubuntu that has it. */
export const PACKAGE = "qemu-system-x86";

/** Between two looks at a used ring or a socket; the look decides, not the pause. */
const POLL_INTERVAL_MS = 2;

const DISK_BYTES = 1_048_576;
/** How long a command to the slow disk takes: longer than sending several requests, on a busy computer too. */
const SLOW_NS = 2_000_000_000;

/** Slot of the adapter on the PCI bus, and where its registers are put. */
const SLOT = 4;
const BAR = 0xe000_0000;
const VIRTIO_CAPABILITY = 9;
/** Types of virtio capabilities. */
const COMMON = 1;
const NOTIFY = 2;
const DEVICE = 4;

/** Registers of the common configuration. */
const Common = {
  FEATURE_SELECT: 0,
  FEATURE: 4,
  DRIVER_SELECT: 8,
  DRIVER: 12,
  STATUS: 20,
  QUEUE: 22,
  QUEUE_ENABLE: 28,
  NOTIFY_OFF: 30,
  DESC: 32,
  AVAIL: 40,
  USED: 48,
};

const NEEDS_RESET = 0x40;
/** HOTPLUG and CHANGE; and VERSION_1 in the upper word. */
const FEATURES = 0x6;

const QUEUES = 3;
const QUEUE_SIZE = 256;
/** Guest memory: a piece for each ring, then buffers, which are used again in turn. */
const RINGS_AT = 0x10_0000;
const RING_BYTES = 0x1_0000;
const AVAIL_AT = 0x2000;
const USED_AT = 0x3000;
const BUFFERS_AT = 0x20_0000;
const BUFFERS_END = 0xe0_0000;

interface Queue {
  readonly base: number;
  readonly notifyAt: number;
  available: number;
  seen: number;
  freeDescriptor: number;
  readonly used: Map<number, number>;
}

interface Available {
  readonly ring: Queue;
  readonly head: number;
  readonly placed: readonly { readonly at: number; readonly length: number; readonly flags: number }[];
}

/** Whether QEMU is there. */
export function isInstalled(): boolean {
  return spawnSync(PROGRAM, ["--version"]).status === 0;
}

/** What QEMU is started with besides the adapter `s`. */
export interface QemuSetup {
  /** Options of its command line; `folder` is gone when it ends. */
  readonly options: (folder: string) => readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Another QEMU than the one that is installed. */
  readonly qemu?: NewerQemu;
  /** It starts with the state of another one: there is no driver to be started, nor registers to be found. */
  readonly incoming?: boolean;
  /** With `qtest` the machine can run, since no processor does (default: tcg, and it stays stopped). */
  readonly accel?: "tcg" | "qtest";
}

function peerDisks(folder: string): readonly string[] {
  const file = join(folder, "disk");
  writeFileSync(file, "");
  truncateSync(file, DISK_BYTES);
  const disk = (name: string, more = ""): string[] => ["-blockdev", `null-co,node-name=${name},read-zeroes=on,size=${DISK_BYTES}${more}`];
  return [
    ...["-blockdev", `driver=file,node-name=n0,filename=${file}`],
    ...[...disk("n1"), ...disk("n2", `,latency-ns=${SLOW_NS}`), ...disk("spare0"), ...disk("spare1")],
    ...["-device", "scsi-hd,drive=n0,scsi-id=0,lun=0", "-device", "scsi-hd,drive=n1,scsi-id=0,lun=300"],
    ...["-device", "scsi-hd,drive=n2,scsi-id=2,lun=3"],
  ];
}

/** See the file text. */
export class QemuPeer implements Peer {
  readonly #folder: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #replies: Interface;
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];
  #monitor: QmpClient | undefined;
  #plugged = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #at: Readonly<Record<number, number>> = {};
  #notifyMultiplier = 0;
  #queues: readonly Queue[] = [];
  #nextBuffer = BUFFERS_AT;
  #diskBytes = DISK_BYTES;

  private constructor(folder: string, { options, environment, qemu, accel = "tcg" }: QemuSetup) {
    this.#folder = folder;
    const all = [
      ...["-M", "pc", "-accel", accel, "-S", "-m", "16", "-nodefaults", "-display", "none", "-qtest", "stdio", "-qtest-log", "none"],
      ...["-qmp", `unix:${join(folder, "qmp")},server=on,wait=off`, "-device", `virtio-scsi-pci,id=s,addr=${SLOT}`],
      ...options(folder),
    ];
    const { file, args, env } = qemu?.program(PROGRAM, all) ?? { file: PROGRAM, args: all, env: {} };
    this.#process = spawn(file, args, { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, ...env, ...environment } });
    this.#replies = createInterface(this.#process.stdout);
    this.#replies.on("line", (line) => {
      if (!line.startsWith("IRQ")) this.#waiting.shift()?.resolve(line);
    });
    this.#replies.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("QEMU ended before it answered"));
    });
  }

  /** Starts QEMU, the driver and the monitor; with the disks of a {@link Peer}, unless it is told otherwise. */
  static async start(setup: QemuSetup = { options: peerDisks }): Promise<QemuPeer> {
    const peer = new QemuPeer(makeFolder(), setup);
    try {
      if (setup.incoming === true) {
        // It answers when its monitor is there.
        await peer.#ask("inl 0xcfc");
      } else {
        await peer.#findRegisters();
        await peer.restart();
      }
      peer.#monitor = await QmpClient.ready({ path: join(peer.#folder, "qmp") });
      return peer;
    } catch (error) {
      await peer.close();
      throw error;
    }
  }

  /** QEMU's monitor. */
  get monitor(): QmpClient {
    if (this.#monitor === undefined) throw new Error("the monitor is there once QEMU was started");
    return this.#monitor;
  }

  /** Process id of QEMU. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async submit(queue: number, readable: readonly Uint8Array[], writable: readonly number[]): Promise<Answer> {
    const { head, placed, ring } = await this.#inTurn(() => this.#makeAvailable(queue, readable, writable));
    const used = await this.#usedLength(ring, head);
    const written = placed.filter(({ flags }) => flags === 2).map(({ at, length }) => this.#read(at, length));
    return { used, written: Buffer.concat(await Promise.all(written)) };
  }

  async #makeAvailable(queue: number, readable: readonly Uint8Array[], writable: readonly number[]): Promise<Available> {
    const ring = this.#ring(queue);
    const head = ring.freeDescriptor;
    const buffers = [
      ...readable.map((bytes) => ({ bytes, flags: 0 })),
      ...writable.map((length) => ({ bytes: new Uint8Array(length), flags: 2 })),
    ];
    const placed = buffers.map((buffer) => ({ ...buffer, length: buffer.bytes.length, at: this.#allocate(buffer.bytes.length) }));
    for (const [index, { at, bytes, flags }] of placed.entries()) {
      await this.#write(at, bytes);
      const last = index === placed.length - 1;
      const descriptor = fields([at, 8], [bytes.length, 4], [flags | (last ? 0 : 1), 2], [(head + index + 1) % QUEUE_SIZE, 2]);
      await this.#write(ring.base + 16 * ((head + index) % QUEUE_SIZE), descriptor);
    }
    ring.freeDescriptor = (head + Math.max(1, placed.length)) % QUEUE_SIZE;
    await this.#write(ring.base + AVAIL_AT + 4 + 2 * (ring.available % QUEUE_SIZE), fields([head, 2]));
    ring.available += 1;
    await this.#write(ring.base + AVAIL_AT + 2, fields([ring.available, 2]));
    await this.#ask(`writew ${ring.notifyAt} ${queue}`);
    return { ring, head, placed };
  }

  /** Makes `action` wait for those before it: what a test asks for first happens first. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async restart(): Promise<void> {
    const common = this.#at[COMMON] ?? 0;
    const set = (size: "b" | "w" | "l", register: number, value: number): Promise<string> =>
      this.#ask(`write${size} ${common + register} ${value}`);
    await set("b", Common.STATUS, 0);
    await set("b", Common.STATUS, 1 | 2);
    for (const [word, value] of [FEATURES, 1].entries()) {
      await set("l", Common.DRIVER_SELECT, word);
      await set("l", Common.DRIVER, value);
    }
    await set("b", Common.STATUS, 1 | 2 | 8);
    const queues: Queue[] = [];
    for (let index = 0; index < QUEUES; index += 1) {
      const base = RINGS_AT + index * RING_BYTES;
      await this.#write(base, new Uint8Array(USED_AT + 0x1000));
      await set("w", Common.QUEUE, index);
      for (const [register, at] of [
        [Common.DESC, 0],
        [Common.AVAIL, AVAIL_AT],
        [Common.USED, USED_AT],
      ] as const) {
        await set("l", register, base + at);
        await set("l", register + 4, 0);
      }
      await set("w", Common.QUEUE_ENABLE, 1);
      const offset = Number(await this.#ask(`readw ${common + Common.NOTIFY_OFF}`));
      const notifyAt = (this.#at[NOTIFY] ?? 0) + offset * this.#notifyMultiplier;
      queues.push({ base, notifyAt, available: 0, seen: 0, freeDescriptor: 0, used: new Map() });
    }
    this.#queues = queues;
    await set("b", Common.STATUS, 1 | 2 | 8 | 4);
  }

  async needsReset(): Promise<boolean> {
    const status = Number(await this.#ask(`readb ${(this.#at[COMMON] ?? 0) + Common.STATUS}`));
    return (status & NEEDS_RESET) !== 0;
  }

  config(): Promise<Uint8Array> {
    return this.#read(this.#at[DEVICE] ?? 0, 36);
  }

  async writeConfig(offset: number, bytes: Uint8Array): Promise<void> {
    const value = bytes.reduceRight((above, byte) => above * 256 + byte, 0);
    await this.#ask(`write${bytes.length === 1 ? "b" : "l"} ${(this.#at[DEVICE] ?? 0) + offset} ${value}`);
  }

  async plug(target: number, lun: number): Promise<void> {
    // A disk that was unplugged is let go of some time later: each time another one.
    const drive = `spare${this.#plugged}`;
    await this.#inTurn(() => this.monitor.run("device_add", { driver: "scsi-hd", drive, id: "spare", "scsi-id": target, lun }));
    this.#plugged += 1;
  }

  async unplug(): Promise<void> {
    await this.#inTurn(() => this.monitor.run("device_del", { id: "spare" }));
  }

  async resize(): Promise<void> {
    this.#diskBytes *= 2;
    await this.#inTurn(() => this.monitor.run("block_resize", { "node-name": "n0", size: this.#diskBytes }));
  }

  async close(): Promise<void> {
    await this.#monitor?.close();
    const ended = once(this.#process, "exit");
    if (this.#process.kill("SIGKILL")) await ended;
    this.#replies.close();
    removeFolder(this.#folder);
  }

  #ring(index: number): Queue {
    const ring = this.#queues[index];
    if (ring === undefined) throw new Error(`no queue ${index}`);
    return ring;
  }

  async #usedLength(ring: Queue, head: number): Promise<number | null> {
    for (;;) {
      await this.#lookAtUsed(ring);
      const length = ring.used.get(head);
      if (length !== undefined) {
        ring.used.delete(head);
        return length;
      }
      if (await this.needsReset()) return null;
      await pause(POLL_INTERVAL_MS);
    }
  }

  async #lookAtUsed(ring: Queue): Promise<void> {
    const [low = 0, high = 0] = await this.#read(ring.base + USED_AT + 2, 2);
    const index = low | (high << 8);
    while (ring.seen !== index) {
      const at = ring.base + USED_AT + 4 + 8 * (ring.seen % QUEUE_SIZE);
      // Before the answer comes: another request may look at the same ring meanwhile.
      ring.seen += 1;
      const element = await this.#read(at, 8);
      const view = new DataView(element.buffer, element.byteOffset);
      ring.used.set(view.getUint32(0, true), view.getUint32(4, true));
    }
  }

  #allocate(length: number): number {
    if (this.#nextBuffer + length > BUFFERS_END) this.#nextBuffer = BUFFERS_AT;
    const at = this.#nextBuffer;
    this.#nextBuffer += (length + 0xf) & ~0xf;
    return at;
  }

  async #findRegisters(): Promise<void> {
    const select = (register: number): Promise<string> => this.#ask(`outl 0xcf8 ${0x8000_0000 + SLOT * 0x800 + (register & 0xfc)}`);
    const get = async (register: number): Promise<number> => {
      await select(register);
      return Number(await this.#ask("inl 0xcfc"));
    };
    const set = async (register: number, value: number): Promise<void> => {
      await select(register);
      await this.#ask(`outl 0xcfc ${value}`);
    };
    await set(0x20, BAR);
    await set(0x24, 0);
    await set(0x04, 0x6);
    const found: Record<number, number> = {};
    for (let at = (await get(0x34)) & 0xff; at !== 0;) {
      const header = await get(at);
      if ((header & 0xff) === VIRTIO_CAPABILITY) {
        const type = header >>> 24;
        found[type] = BAR + (await get(at + 8));
        if (type === NOTIFY) this.#notifyMultiplier = await get(at + 16);
      }
      at = (header >> 8) & 0xff;
    }
    this.#at = found;
  }

  async #read(at: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    return Uint8Array.from(Buffer.from((await this.#ask(`read ${at} ${length}`)).slice(2), "hex"));
  }

  async #write(at: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await this.#ask(`write ${at} ${bytes.length} 0x${Buffer.from(bytes).toString("hex")}`);
  }

  async #ask(line: string): Promise<string> {
    const reply = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#process.stdin.write(`${line}\n`);
    const text = await reply;
    if (!text.startsWith("OK")) throw new Error(`QEMU answered '${line}' by '${text}'`);
    return text.slice(3);
  }
}
