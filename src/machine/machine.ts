/**
 * A machine: from a command line in QEMU's manner to objects, block nodes and devices that work. Dependency injection is wired
 * here and nowhere else.
 */
import { aFunction, anObject, arrayOf, aString, check, checkMembers } from "../base/check.js";
import { present } from "../base/assert.js";
import { Clock, systemClock } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { packageVersion } from "../base/package-version.js";
import { runAll } from "../base/run-all.js";
import { allAtOnce, inSlices } from "../base/slices.js";
import { BlockGraph } from "../block/graph.js";
import { DeviceHost } from "../devices/device.js";
import { RunState } from "../devices/run-state.js";
import type { RunStatus } from "../devices/run-state.js";
import type { Device } from "../devices/device.js";
import { DeviceSet } from "../devices/set/device-set.js";
import { ScsiBuses } from "../devices/bus/scsi-bus.js";
import { ScsiDevice } from "../devices/disk/scsi-device.js";
import { VirtioScsi } from "../devices/virtio-scsi/device.js";
import { allCommands } from "../monitor/commands/all.js";
import { EventHub } from "../monitor/events.js";
import { QmpExecutor } from "../monitor/executor.js";
import type { MonitorHost } from "../monitor/host.js";
import type { HumanSession } from "../monitor/human/session.js";
import { IoErrorEvents } from "../monitor/io-errors.js";
import { MachineEvents } from "../monitor/machine-events.js";
import { MonitorDesk } from "../monitor/monitor-objects.js";
import { Monitors } from "../monitor/monitors.js";
import { QmpSession } from "../monitor/session.js";
import { ThreadedSgIoExecutor } from "../native/sg-io/executor.js";
import { SgIoExecutor } from "../native/sg-io/sg-io.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { printJson } from "../options/json.js";
import type { QomType } from "../qom/decorators.js";
import { ObjectFactory } from "../qom/factory.js";
import type { QomObject } from "../qom/object.js";
import { CompositionTree } from "../qom/tree.js";
import { Fabric } from "../target/fabric/fabric.js";
import type { FabricMember } from "../target/fabric/fabric-members.js";
import { StoreUse } from "../stores/store-use.js";
import { MachineCompat } from "../qemu/compat.js";
import type { QemuVersion } from "../qemu/compat.js";
import { construct, createContainer, provide } from "./container.js";
import { parseArguments } from "./arguments.js";
import { buildMachine, checkOptions, OPTIONS_SLICE_LENGTH } from "./build.js";
import { helpText } from "./help.js";
import { readingArguments } from "./given.js";
import type { MachineArguments } from "./given.js";
import { MACHINE_OPTIONS } from "./machine-options.js";
import type { MachineOptions } from "./machine-options.js";
import { addMonitors } from "./monitoring.js";
import { typeRegistries } from "./types.js";
import type { TypeRegistries } from "./types.js";
import { machineArguments, machineOmissions, machineValues } from "./write.js";
import type { WritableMachine } from "./write.js";

/** Warnings that are kept: one that runs for years must not collect them all. */
const WARNINGS_MAX = 1000;

/** How long {@link Machine.close} waits for commands in flight before it ends them. */
const CLOSE_GRACE_MS = 5000;

/** See the module text. */
export class Machine {
  /** The composition tree: `resolve`, `get`, `set`, `list`, `add`, `delete`. */
  readonly qom: CompositionTree;
  /** `-name`, else m0, m1, … in order of creation on the fabric. */
  readonly name: string;
  /** The QEMU whose answers are given where versions differ: `-compat qemu=VERSION`. */
  readonly compat: QemuVersion;
  /** The storage network that simulated units of this machine belong to. */
  readonly fabric: Fabric;
  /** Resolves when the machine is closed: by {@link close}, which reports a failure, or by the command quit. */
  readonly ended: Promise<void>;
  /** The block nodes. */
  readonly graph: BlockGraph;
  /** The commands of QMP, as a socket would take them. */
  readonly qmp: QmpExecutor;
  readonly #warnings: string[];
  readonly #registries: TypeRegistries;
  readonly #devices: DeviceSet;
  readonly #factories: readonly ObjectFactory[];
  readonly #ownsFabric: boolean;
  /** By unit that came into being for this machine: how to take it back. */
  readonly #createdUnits: (() => Promise<void>)[] = [];
  readonly #member: FabricMember;
  readonly #joined = new Set<Fabric>();
  readonly #sgIo: SgIoExecutor;
  readonly #buses = new ScsiBuses();
  readonly #events = new EventHub();
  readonly #runState: RunState;
  readonly #machineEvents: MachineEvents;
  readonly #ioErrors: IoErrorEvents;
  readonly #monitors: Monitors;
  #humanSession: typeof HumanSession | undefined; // loaded when there is a monitor for people
  /** From then on each warning is reported as it comes. */
  #isMade = false;
  /** Of the event SHUTDOWN. */
  #endReason: "host-signal" | "host-qmp-quit" = "host-signal";
  #closing: Promise<void> | undefined;
  #end: () => void = () => undefined;

  /** Use {@link Machine.create}. */
  private constructor(given: MachineArguments, options: MachineOptions) {
    checkMembers("new Machine", "arguments (use Machine.create)", given, { monitoring: anObject });
    const { name, monitoring, stopped } = given;
    this.#runState = new RunState(stopped ? "prelaunch" : "running");
    this.#runState.onChange((status) => this.#events.emit(status === "running" ? "RESUME" : "STOP", {}));
    this.ended = new Promise((resolve) => (this.#end = resolve));
    // What can fail comes first: a fabric that others use must not have traces of a machine that there is not.
    this.#registries = given.registries;
    const commands = allCommands(given.compat.version, options.commands);
    this.compat = given.compat.version;
    this.#ownsFabric = options.fabric === undefined;
    this.fabric = options.fabric ?? new Fabric();
    this.name = name ?? this.fabric.members.nextName();
    this.#warnings = [...given.warnings];
    const warn = (message: string): void => {
      if (this.#warnings.length < WARNINGS_MAX) this.#warnings.push(message);
      if (this.#isMade) options.warn?.(message);
    };
    this.#member = { name: this.name, warn };
    const container = options.container?.createChildContainer() ?? createContainer();
    const make = (type: QomType): QomObject => {
      const object = construct(container, type);
      this.#machineEvents.watch(object);
      return object;
    };
    this.#machineEvents = new MachineEvents(this.#events, this.fabric, warn);
    const onDeprecated = given.compat.answers.deprecatedSizes ? warn : "refuse";
    const objects = new ObjectFactory(this.#registries.objects, make, onDeprecated);
    this.qom = new CompositionTree(objects);
    const nodes = new ObjectFactory(this.#registries.drivers, make, onDeprecated);
    this.graph = new BlockGraph(nodes, this.qom.resolveLink);
    this.#factories = [objects, nodes];
    this.#devices = new DeviceSet(this.qom, objects, (device) => this.#buses.plug(device));
    this.#sgIo = new ThreadedSgIoExecutor();
    const host = this.#monitorHost(given.compat);
    this.qmp = new QmpExecutor(commands, host);
    packageVersion(); // monitors greet with it, and by then it may not be there to be read
    provide(container, Clock, systemClock);
    const clock = container.resolve<Clock>(Clock);
    this.#ioErrors = new IoErrorEvents(this.#events, this.graph, clock);
    this.#monitors = new Monitors(monitoring, clock, (connection, { id, mode, pretty, edits }, ended) => {
      if (mode === "readline")
        return new (present(this.#humanSession, "was loaded"))({ executor: this.qmp, host }, connection, { edits, ended });
      return new QmpSession(this.qmp, connection, { pretty, monitor: id, ended });
    });
    provide(container, MachineContext, this.#context(warn));
    provide(container, MachineCompat, given.compat);
    provide(container, StoreUse, { use: options.folderUse ?? "lasting" });
    provide(container, MonitorDesk, this.#monitorDesk());
    provide(container, DeviceHost, {
      graph: this.graph,
      buses: this.#buses,
      runState: this.#runState,
      ioError: this.#ioErrors.tell,
      foreignBuses: given.foreignBuses,
    });
    provide(container, SgIoExecutor, this.#sgIo);
    this.#join(this.fabric);
  }

  /**
   * Makes a machine from arguments in QEMU's manner, each option followed by its text: `["-object", "pr-manager-memory,id=pr0", …]`.
   * Objects come first, then block nodes (-blockdev, then -drive), then devices (text, then JSON), whatever the order given.
   *
   * @throws QomError that names the option, what in it is wrong and the value; nothing of the machine is left then
   */
  static async create(argv: readonly string[], options: MachineOptions = {}): Promise<Machine> {
    check("Machine.create", "argv", argv, arrayOf(aString));
    checkMembers("Machine.create", "options", options, MACHINE_OPTIONS);
    // A short command line at once, so that machines that are made at the same time get their names in the order of the calls.
    const isLong = argv.length > 2 * OPTIONS_SLICE_LENGTH;
    const reading = readingArguments(argv, options);
    const given = isLong ? await inSlices(reading, OPTIONS_SLICE_LENGTH) : allAtOnce(reading);
    const machine = new Machine(given, options);
    const { stdio = { input: process.stdin, output: process.stdout }, wait = true, signal, notify = (): void => undefined } = options;
    try {
      const parts = { tree: machine.qom, graph: machine.graph, devices: machine.#devices, warnings: machine.#warnings };
      await checkOptions(given.options, parts);
      await buildMachine(given.options, {
        ...parts,
        openMonitors: async () => {
          const tell = { notify, warn: (text: string): void => void machine.#warnings.push(text) };
          await machine.#monitors.open({ stdio, wait, signal, borrowed: given.borrowed, ...tell }, given.blame);
          await addMonitors(machine.qom, given);
        },
        signal,
      });
      machine.#monitors.start();
      machine.#isMade = true;
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => machine.close(), ...machine.#createdUnits]);
    }
    return machine;
  }

  /**
   * The text that `-object help`, `-device TYPE,help` or `-blockdev help` in `argv` asks for; null when nothing does.
   * @throws QomError as {@link Machine.create} does for wrong arguments; `unknown-type`
   */
  static help(argv: readonly string[], options: Pick<MachineOptions, "types"> = {}): string | null {
    check("Machine.help", "argv", argv, arrayOf(aString));
    checkMembers("Machine.help", "options", options, { types: MACHINE_OPTIONS.types });
    return helpText(parseArguments(argv).options, typeRegistries(options.types ?? []));
  }

  /**
   * What works and is probably not meant, one line each: deprecated spellings; images that are used without a lock; another machine of the
   * same name on a fabric; what a folder of reservations has to say. Some come later.
   */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /**
   * Arguments that make this machine again, as it is now: text where the option's language can say it, else JSON. What was left at
   * its default is left out, and so are monitors; a drive is written as the block node that it made. What no argument can say is listed by
   * {@link omissions}.
   */
  toArgs(): readonly string[] {
    return machineArguments(this.#writable());
  }

  /**
   * What {@link toArgs} and {@link toJson} leave out because no option can say it, one line each: a link to something that is made after
   * its owner (as from an object to a device), and what was set on a part of an object that no alias of the object stands for.
   */
  get omissions(): readonly string[] {
    return machineOmissions(this.#writable());
  }

  /** As JSON: `name`, `compat` if not the default, options of `objects`, `blockdevs`, `devices`. Integers are exact to 64 bits. */
  toJson(): string {
    return printJson(machineValues(this.#writable()), { indent: 2 });
  }

  /** The user-created object with that id. @throws QomError `not-found`; `closed` as every look-up when the machine is */
  object(id: string): QomObject {
    check("Machine.object", "id", id, aString);
    return this.qom.object(id);
  }

  /** The device with that id, or at that path. @throws QomError `not-found` (DeviceNotFound) */
  device(idOrPath: string): Device {
    check("Machine.device", "idOrPath", idOrPath, aString);
    return this.#devices.find(idOrPath);
  }

  /** The same, narrowed. @throws QomError also `wrong-type` for a device that takes no SCSI commands */
  scsiDevice(idOrPath: string): ScsiDevice {
    const device = this.device(idOrPath);
    if (device instanceof ScsiDevice) return device;
    throw new QomError("wrong-type", `device '${printable(idOrPath)}' is of type '${device.typeName}' and is not a SCSI device`, {
      context: { value: idOrPath },
    });
  }

  /** The SCSI host adapter with that id, or at that path. @throws QomError `not-found` (DeviceNotFound); `wrong-type` for another device */
  hba(idOrPath: string): VirtioScsi {
    const device = this.device(idOrPath);
    if (device instanceof VirtioScsi) return device;
    throw new QomError("wrong-type", `device '${printable(idOrPath)}' is of type '${device.typeName}' and is not a SCSI host adapter`, {
      context: { value: idOrPath },
    });
  }

  /** SCSI devices in order of host adapter, target and LUN. */
  get scsiDevices(): readonly ScsiDevice[] {
    return this.#buses.all.flatMap((bus) => bus.devices).filter((device) => device instanceof ScsiDevice);
  }

  /**
   * Whether the machine runs: `running`, or why it does not: `paused` by {@link stop}, `prelaunch` since it was made with `-S`, `io-error`
   * by a device with `rerror=stop` or `werror=stop`.
   */
  get status(): RunStatus {
    return this.#runState.status;
  }

  /**
   * Stops the machine: commands that devices are given from now on, and chains of their adapters, wait until {@link cont}, or until their
   * signal, their deadline, a reset or {@link close} ends them. Resolves when no command that was under way is left, or after 5 s.
   * @throws QomError `closed`
   */
  async stop(): Promise<void> {
    this.qom.requireOpen();
    this.#runState.stop("paused");
    await Promise.all(this.scsiDevices.map((device) => device.settle(CLOSE_GRACE_MS)));
  }

  /** Lets the machine run; what waits goes on in the order in which it began to wait. @throws QomError `closed` */
  cont(): void {
    this.qom.requireOpen();
    this.#runState.cont();
  }

  /**
   * Closes devices, then nodes, then objects; commands in flight get 5 s and then end with TASK ABORTED. Monitors take no more clients
   * from the beginning, and theirs are hung up on at the end. May be called again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#end());
    return this.#closing;
  }

  /** Calls `print`, which writes whole lines to the terminal, such that the prompt of a monitor on it stands below them. */
  abovePrompt(print: () => void): void {
    check("Machine.abovePrompt", "print", print, aFunction);
    this.#monitors.abovePrompt(print);
  }

  /** Whether a monitor uses standard input and output, which are then not for anything else. */
  get usesStdio(): boolean {
    return this.#monitors.usesStdio;
  }

  #monitorDesk(): MonitorDesk {
    return {
      attach: async (monitor) => {
        if (monitor.mode === "readline") this.#humanSession ??= (await import("../monitor/human/session.js")).HumanSession;
        return this.#monitors.attach(monitor);
      },
      // somebody else may be deleting it
      remove: (id) => void this.qom.delete(id).catch(() => undefined),
    };
  }

  #monitorHost({ answers }: MachineCompat): MonitorHost {
    const { name, qom: tree, graph, fabric } = this;
    const { objects: objectTypes, drivers } = this.#registries;
    return {
      ...{ name, answers, tree, graph, fabric, objectTypes, drivers },
      devices: this.#devices,
      events: this.#events,
      runState: this.#runState,
      stop: () => this.stop(),
      cont: () => this.cont(),
      traceManagers: (enable) => this.#machineEvents.trace(enable),
      quit: () => {
        this.#endReason = "host-qmp-quit";
        // A failure is reported to the caller of close().
        this.close().catch(() => undefined);
      },
    };
  }

  #writable(): WritableMachine {
    this.qom.requireOpen();
    const { name, compat: version, qom: tree, graph } = this;
    return { ...{ name, version, tree, graph }, devices: this.#devices, registries: this.#registries };
  }

  /** @param warn adds a warning */
  #context(warn: (line: string) => void): MachineContext {
    return {
      name: this.name,
      fabric: this.fabric,
      joins: (fabric) => this.#join(fabric),
      unitCreated: (fabric, unit) => {
        this.#createdUnits.push(() => fabric.discard(unit));
      },
      warn: (line) => {
        if (!this.#warnings.includes(line)) warn(line);
      },
    };
  }

  #join(fabric: Fabric): void {
    this.#joined.add(fabric);
    fabric.members.join(this.#member);
  }

  /** From the moment of the call on nothing is created, no command and no client is taken; resolves when what was under way has ended. */
  async #takeNoMore(): Promise<void> {
    const ended = Promise.all([...this.#factories.map((factory) => factory.close()), this.#devices.closeAll(CLOSE_GRACE_MS)]);
    await runAll([
      () => this.#events.emit("SHUTDOWN", { guest: false, reason: this.#endReason }),
      () => this.#monitors.stopListening(),
      async () => void (await ended),
    ]);
  }

  async #close(): Promise<void> {
    await runAll([
      () => this.#takeNoMore(),
      () => this.graph.closeAll(),
      () => this.qom.deleteAll(),
      () => this.#joined.forEach((fabric) => fabric.members.leave(this.#member)),
      () => this.#sgIo.close(),
      () => this.#machineEvents.close(),
      () => this.#ioErrors.close(),
      () => (this.#ownsFabric ? this.fabric.close() : undefined),
      () => this.#monitors.close(),
    ]);
  }
}
