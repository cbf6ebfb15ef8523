/** A machine as libvirt sees it: probed, connected to, LUNs with reservations attached and detached. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { expect } from "chai";
import { Machine, PersistentReserveIn } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { LibvirtClient, PARTS, readConversation } from "./support/libvirt-client.js";
import type { Part, Step } from "./support/libvirt-client.js";
import { QmpClient } from "./support/qmp-client.js";
import type { Message } from "./support/qmp-client.js";

const IMAGE_SIZE_BYTES = 1 << 20;

/** Bytes of a request without data, and of an answer before its data (docs/interop/pr-helper of QEMU). */
const REQUEST_LENGTH = 16;
const RESPONSE_LENGTH = 104;

/** What READ KEYS gives of a disk that nobody has registered with. */
const NO_KEYS = Buffer.alloc(8);

/** A helper that finds no key on any disk. */
class EmptyHelper {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor(path: string) {
    this.#server = createServer((socket) => {
      this.#clients.add(socket);
      let [greeted, received] = [false, 0];
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (!greeted && received >= 4) [greeted, received] = [true, received - 4];
        for (; greeted && received >= REQUEST_LENGTH; received -= REQUEST_LENGTH) {
          const header = Buffer.alloc(RESPONSE_LENGTH);
          header.writeInt32BE(NO_KEYS.length, 4);
          socket.write(Buffer.concat([header, NO_KEYS]));
        }
      });
      socket.write(Buffer.alloc(4));
    }).listen(path);
  }

  /** Hangs up on everybody, as a helper that is started anew does. */
  hangUp(): void {
    for (const socket of this.#clients) socket.destroy();
    this.#clients.clear();
  }

  async close(): Promise<void> {
    this.hangUp();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Commands of the conversation that a machine must have; what it has not is of a board, of processors, or of a migration. */
const NEEDED: readonly string[] = [
  ...["qmp_capabilities", "query-version", "query-qmp-schema", "query-status", "query-block", "query-named-block-nodes"],
  ...["qom-list-types", "qom-list-properties", "device-list-properties", "qom-list", "qom-list-get", "query-pr-managers"],
  ...["object-add", "object-del", "blockdev-add", "blockdev-del", "device_add", "device_del"],
];

describe("a machine under libvirt", () => {
  const folder = temporaryFolder();
  const conversation = readConversation();
  let helper: EmptyHelper;
  let machine: Machine;
  let connection: QmpClient;
  let libvirt: LibvirtClient;
  let schema: readonly unknown[];

  before(async () => {
    helper = new EmptyHelper(folder.path("helper"));
    for (const name of ["0", "1"]) writeFileSync(folder.path(name), Buffer.alloc(IMAGE_SIZE_BYTES));
    const monitor = `unix:${folder.path("qmp")},server=on,wait=off`;
    machine = await Machine.create(["-S", "-qmp", monitor, "-device", '{"driver":"virtio-scsi-pci","id":"scsi0"}']);
    const client = await QmpClient.ready({ path: folder.path("qmp") });
    schema = (await client.run("query-qmp-schema")) as unknown[]; // a list of entries
    await client.close();
  });
  after(async () => {
    await connection.close();
    await machine.close();
    await helper.close();
  });

  /** A new client, which has read the greeting. */
  async function connected(): Promise<void> {
    connection = await QmpClient.connect({ path: folder.path("qmp") });
    expect(await connection.next()).to.have.nested.property("QMP.version.qemu.major");
    libvirt = new LibvirtClient(connection, schema);
  }

  /** The step with images and a helper of these tests; a disk that refuses INQUIRY is a file here, which takes no SCSI commands. */
  function standIn(step: Step, part: Part): Step {
    const text = JSON.stringify(step)
      .replace('"HELPER"', JSON.stringify(folder.path("helper")))
      .replace(/"driver":"host_device","filename":"DISK(\d)"/, (_, index: string) => {
        const file = `"filename":${JSON.stringify(folder.path(index))}`;
        return part === "refused" ? `"driver":"file",${file}` : `"driver":"sim-lun","wwn":"${WWN.slice(0, -1)}${index}",${file}`;
      });
    return JSON.parse(text) as Step; // what it was
  }

  /** Whether QEMU's answer was about something that there is not here: a type, or a processor. */
  function isElsewhere({ execute, arguments: given }: Step, types: ReadonlySet<string>): boolean {
    const type = given?.["typename"];
    return execute === "qom-list-get" || (typeof type === "string" && !types.has(type));
  }

  /** Replays a part, and gives the answers by command. */
  async function replay(part: Part): Promise<ReadonlyMap<string, Message>> {
    const answers = new Map<string, Message>();
    const types = new Set(await typeNames());
    for (const step of conversation[part]) {
      const { execute, event, data } = step;
      if (event !== undefined) {
        if (event !== "RESUME" || libvirt.has("cont")) expect((await libvirt.event(event)).data ?? {}, event).to.deep.equal(data ?? {});
      }
      if (execute === undefined) continue;
      const answer = await libvirt.say(standIn(step, part));
      const expected = !libvirt.has(execute) ? "CommandNotFound" : isElsewhere(step, types) ? "DeviceNotFound" : step.error;
      const isOurs = execute.endsWith("-list-properties") && types.has(String(step.arguments?.["typename"]));
      expect(answer.error?.class, `${execute}: ${answer.error?.desc ?? ""}`).to.equal(isOurs ? undefined : expected);
      answers.set(execute, answer);
    }
    return answers;
  }

  async function typeNames(): Promise<readonly string[]> {
    return ((await machine.qmp.execute("qom-list-types")) as readonly { readonly name: string }[]).map(({ name }) => name);
  }

  async function readKeys(id: string): Promise<string> {
    return outcome(await machine.scsiDevice(id).execute(PersistentReserveIn.readKeys(8)));
  }

  it("was recorded whole", () => {
    for (const part of PARTS) expect(conversation[part], part).not.to.deep.equal([]);
    for (const command of NEEDED) {
      const all = PARTS.flatMap((part) => conversation[part]);
      expect(
        all.some(({ execute }) => execute === command),
        command,
      ).to.equal(true);
    }
  });

  it("has every command that a LUN needs", async () => {
    await connected();
    for (const command of NEEDED) expect(libvirt.has(command), command).to.equal(true);
    await connection.close();
  });

  it("is probed", async () => {
    await connected();
    const answers = await replay("probe");
    expect(answers.get("query-qmp-schema")?.return).to.deep.equal(schema);
    await connection.close();
  });

  it("is connected to", async () => {
    await connected();
    await replay("connect");
  });

  it("forgets a LUN that could not be attached", async () => {
    await replay("refused");
    expect(machine.graph.nodes).to.deep.equal([]);
    expect(await machine.qmp.execute("query-pr-managers")).to.deep.equal([]);
  });

  it("gets a LUN, and a second one with the same manager", async () => {
    await replay("attach");
    expect(await readKeys("scsi0-0-0-0")).to.equal("GOOD");
    await replay("attach another");
    expect(await readKeys("scsi0-0-0-1")).to.equal("GOOD");
    expect(machine.scsiDevices.map(({ id }) => id)).to.deep.equal(["scsi0-0-0-0", "scsi0-0-0-1"]);
  });

  it("says that the helper has gone, and that it is there again", async () => {
    helper.hangUp();
    for (const isConnected of [false, true]) {
      const { data } = await libvirt.event("PR_MANAGER_STATUS_CHANGED");
      expect(data).to.deep.equal({ id: "pr-helper0", connected: isConnected });
    }
    expect(await readKeys("scsi0-0-0-0")).to.equal("GOOD");
  });

  it("loses the first LUN, and the manager stays with the second", async () => {
    await replay("detach");
    expect(machine.scsiDevices.map(({ id }) => id)).to.deep.equal(["scsi0-0-0-1"]);
    expect(await readKeys("scsi0-0-0-1")).to.equal("GOOD");
    expect((await libvirt.say({ execute: "device_del", arguments: { id: "scsi0-0-0-0" } })).error?.class).to.equal("DeviceNotFound");
  });

  it("is connected to by a libvirt that was started anew", async () => {
    await connection.close();
    await connected();
    const answers = await replay("connect again");
    expect(answers.get("query-pr-managers")?.return).to.deep.equal([{ id: "pr-helper0", connected: true }]);
    expect(answers.get("query-block")?.return).to.have.nested.property("[0].inserted.node-name", "libvirt-3-storage");
    const peripherals = answers.get("qom-list")?.return as readonly { readonly name: string; readonly type: string }[];
    expect(peripherals).to.deep.include({ name: "scsi0-0-0-1", type: "child<scsi-block>" });
  });

  it("loses the last LUN and the manager", async () => {
    await replay("detach the last");
    expect(machine.scsiDevices).to.deep.equal([]);
    expect(machine.graph.nodes).to.deep.equal([]);
    expect(await machine.qmp.execute("query-pr-managers")).to.deep.equal([]);
  });
});
