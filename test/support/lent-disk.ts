/** A device of the test's own machine, for programs that want a disk of the host: see lent-disk.c. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ScsiDevice, ScsiResult } from "qom-pr";
import { makeFolder, removeFolder } from "./folder.js";
import { compileShim, requireCompiler } from "./c-compiler.js";

const SOURCE = fileURLToPath(new URL("../../../test/support/lent-disk.c", import.meta.url));
const HEADER_LENGTH = 8;
const TO_DISK = 1;

/** A command of a program, and its answer. */
export interface LentCommand {
  readonly cdb: Uint8Array;
  /** Empty when there is none. */
  readonly dataOut: Uint8Array;
  readonly result: ScsiResult;
}

/** How a program ended that was lent the disk, and what it sent. */
export interface LentRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly commands: readonly LentCommand[];
}

/** A disk that is lent. */
export interface Loan {
  /** What a program is started with. */
  readonly environment: NodeJS.ProcessEnv;
  /** What it has sent so far. */
  readonly commands: readonly LentCommand[];
  /** Called when the program has ended. */
  readonly end: () => Promise<void>;
}

/** The compiled stand-in. */
export class LentDisks {
  #folder = "";
  #count = 0;

  /** For the tests of this `describe`. */
  static ofTests(): LentDisks {
    const disks = new LentDisks();
    before(function () {
      requireCompiler(this);
    });
    before(() => disks.open());
    after(() => disks.close());
    return disks;
  }

  open(): void {
    this.#folder = makeFolder();
    compileShim(SOURCE, join(this.#folder, "disk.so"));
  }

  close(): void {
    removeFolder(this.#folder);
  }

  /** Lends `device` to whoever is started with the environment that this gives; whatever device it names, `device` answers. */
  async lend(device: ScsiDevice): Promise<Loan> {
    this.#count += 1;
    const path = join(this.#folder, `socket${this.#count}`);
    const commands: LentCommand[] = [];
    const server = createServer((socket) => new Lending(socket, device, commands));
    await listening(server, path);
    return {
      environment: { LD_PRELOAD: join(this.#folder, "disk.so"), LENT_DISK_SOCKET: path },
      commands,
      end: async () => {
        server.close();
        await once(server, "close");
      },
    };
  }

  /** Runs a program to its end; whatever device it names, `device` answers. */
  async run(device: ScsiDevice, program: string, argv: readonly string[]): Promise<LentRun> {
    const { commands, end, environment } = await this.lend(device);
    try {
      const child = spawn(program, argv, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
      const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, "close")]);
      return { exitCode: child.exitCode, stdout, stderr, commands };
    } finally {
      await end();
    }
  }
}

async function listening(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** One connection: requests in turn. */
class Lending {
  #received: Buffer = Buffer.alloc(0);
  #busy = false;

  constructor(
    private readonly socket: Socket,
    private readonly device: ScsiDevice,
    private readonly commands: LentCommand[],
  ) {
    // a program that ends in the middle is its test's affair
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    if (this.#busy || this.#received.length < HEADER_LENGTH) return;
    const [cdbLength = 0, direction = 0, senseRoom = 0] = this.#received;
    const dataLength = this.#received.readUInt32LE(4);
    const dataAt = HEADER_LENGTH + cdbLength;
    const end = dataAt + (direction === TO_DISK ? dataLength : 0);
    if (this.#received.length < end) return;
    const cdb = Uint8Array.from(this.#received.subarray(HEADER_LENGTH, dataAt));
    const dataOut = Uint8Array.from(this.#received.subarray(dataAt, end));
    this.#received = this.#received.subarray(end);
    this.#busy = true;
    const result = await this.device.execute(direction === TO_DISK ? { cdb, dataOut } : { cdb, allocationLength: dataLength });
    this.commands.push({ cdb, dataOut, result });
    this.socket.write(answer(result, senseRoom));
    this.#busy = false;
    await this.#serve();
  }
}

function answer({ dataIn, hostStatus = 0, sense, status }: ScsiResult, senseRoom: number): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  const kept = sense.subarray(0, senseRoom);
  header.set([status, kept.length], 0);
  header.writeUInt16LE(hostStatus, 2);
  header.writeUInt32LE(dataIn.length, 4);
  return Buffer.concat([header, kept, dataIn]);
}
