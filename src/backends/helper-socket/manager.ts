/**
 * `pr-manager-helper`: forwards to a privileged helper over a Unix socket, lending it the device's descriptor (QEMU:
 * scsi/pr-manager-helper.c).
 */

import { Clock } from "../../base/clock.js";
import { present } from "../../base/assert.js";
import { QomError } from "../../base/errors.js";
import { PrManager } from "../../pr-manager/pr-manager.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { inject } from "../../qom/inject.js";
import { qom } from "../../qom/property-type.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiUnit } from "../../scsi/unit.js";
import { HANDSHAKE_TIMEOUT_SECONDS_DEFAULT, HelperClient, TIMEOUT_SECONDS_DEFAULT } from "./client.js";

/** A day: more is a mistake, and a month is more than a timer takes. */
const TIMEOUT_SECONDS_MAX = 24 * 60 * 60;

/** Connections of one manager; each is a descriptor here and a client there, and a helper has 16 threads at most by default. */
const CONNECTIONS_MAX = 64;

/** See the module text. */
@qomType({
  name: "pr-manager-helper",
  description: "forwards PERSISTENT RESERVE commands to a privileged helper (qemu-pr-helper, qom-pr-helper)",
})
export class PrManagerHelper extends PrManager {
  /** Written at any time; counts from the next time on that there is no connection. */
  @qomProperty(qom.string(), { description: "path of the helper's Unix socket", required: true, access: "read-write" })
  accessor path!: string;

  /** Not in QEMU, which has one: commands of several disks wait for each other there. Commands of one disk may overtake each other. */
  @qomProperty(qom.uint32({ min: 1, max: CONNECTIONS_MAX }), {
    description: "maximum connections to the helper; each carries one command at a time",
    default: 1,
  })
  accessor connections!: number;

  @qomProperty(qom.uint32({ min: 1, max: TIMEOUT_SECONDS_MAX }), {
    name: "timeout",
    description: "deadline in seconds of a command, after which its connection is dropped",
    default: TIMEOUT_SECONDS_DEFAULT,
    access: "read-write",
  })
  accessor timeoutSeconds!: number;

  @qomProperty(qom.uint32({ min: 1, max: TIMEOUT_SECONDS_MAX }), {
    name: "handshake-timeout",
    description: "deadline in seconds for the helper to accept a connection and greet",
    default: HANDSHAKE_TIMEOUT_SECONDS_DEFAULT,
    access: "read-write",
  })
  accessor handshakeTimeoutSeconds!: number;

  readonly #clock: Clock;
  #client: HelperClient | undefined;

  constructor(@inject(Clock) clock: Clock) {
    super();
    this.#clock = clock;
  }

  override get connected(): boolean {
    return this.#client?.connected ?? false;
  }

  override async complete(): Promise<void> {
    this.#client = new HelperClient({
      clock: this.#clock,
      connectionsMax: this.connections,
      path: () => this.path,
      timeoutMs: () => this.timeoutSeconds * 1000,
      handshakeTimeoutMs: () => this.handshakeTimeoutSeconds * 1000,
      changed: (connected, cause) => this.connectionChanged(connected, cause),
    });
    await this.#client.start();
  }

  override finalize(): void {
    this.#client?.close();
  }

  override admit(unit: ScsiUnit): void {
    if (unit.fd !== null) return;
    throw new QomError("invalid-value", `'${unit.identity}' has no file descriptor that '${this.id ?? ""}' could lend to its helper`, {
      context: { option: "pr-manager", value: this.id ?? "" },
      hint: "a sim-lun needs filename=PATH for this manager",
    });
  }

  protected override run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    return present(this.#client, "a completed manager has a client").execute(unit, command);
  }
}
