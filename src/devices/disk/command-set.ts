/** Commands of a device that have not been answered yet: what ends them early, and who waits for that. */
import { setMaxListeners } from "node:events";
import type { Clock, Timer } from "../../base/clock.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { normalizeHostStatus } from "../../scsi/host-status.js";

/**
 * How long an aborted command is left to whoever runs it, which hears of the abort by the command's signal and lets go of the
 * initiator's memory before it answers. A manager that does not listen is not waited for any longer.
 */
const ABORT_GRACE_MS = 100;

/** What a sequence of commands that was ended gets to undo what it has begun. */
const UNDO_GRACE_MS = 1000;

/** A command that was sent. */
interface InFlight {
  readonly end: (result: ScsiResult) => void;
  readonly joined: JoinedSignal | null;
  /** The signal that it was sent with. */
  readonly signal: AbortSignal;
  /** Undoes what waits for the command: the timer of its grace. */
  forget: (() => void) | undefined;
}

/**
 * What commands are sent with whose caller gave them a signal: a signal that this one fires, and {@link CommandSet.abortAll} too. Not
 * AbortSignal.any, of which something is left for good on a signal that lives on (Node 20). It is the only one that listens to the caller's
 * signal, and only while a command is in flight that was not answered at once: with a listener for each command Node would warn of a leak,
 * and one that stayed would be one.
 */
interface JoinedSignal {
  readonly source: AbortSignal;
  readonly controller: AbortController;
  readonly listener: () => void;
  /** Number of its commands in flight; the listener is there while there are some. */
  commands: number;
}

type Send = (command: ScsiCommand) => ScsiAnswer;

/** See the module text. */
export class CommandSet {
  readonly #clock: Clock;
  readonly #waiting: () => number;
  readonly #commands = new Set<InFlight>();
  /** Of the signal of commands that come without one; fired by {@link abortAll}. Made for the first: most disks of many get none. */
  #epoch: AbortController | undefined;
  /** Commands that are being sent just now: sending one may lead to an abort of all, or to the end of the device. */
  #sending = 0;
  /** Counts {@link abortAll}. */
  #aborts = 0;
  /** By signal of a caller, who may use it again: making a signal costs more than a short command. */
  readonly #joined = new WeakMap<AbortSignal, JoinedSignal>();
  #onSettled: (() => void)[] = [];
  #ended = false;

  /** @param waiting how many of the commands wait until the machine runs */
  constructor(clock: Clock, waiting: () => number = () => 0) {
    this.#clock = clock;
    this.#waiting = waiting;
  }

  /**
   * Sends a command with a signal that also {@link abortAll} fires, and waits for its result. A result that is there at once comes
   * without a promise, and nothing listens to any signal meanwhile.
   * @param own controller of the command's signal, where no other command has that meanwhile: {@link abortAll} fires it
   */
  run(command: ScsiCommand, send: (command: ScsiCommand) => Promise<ScsiResult>): Promise<ScsiResult>;
  run(command: ScsiCommand, send: Send, own?: AbortController | null): ScsiAnswer;
  run(command: ScsiCommand, send: Send, own: AbortController | null = null): ScsiAnswer {
    if (own !== null) return this.#runOwn(command, send, own);
    const { signal } = command;
    const joined = signal === undefined ? null : this.#join(signal);
    const sentWith = (joined?.controller ?? (this.#epoch ??= newController())).signal;
    const aborts = this.#aborts;
    this.#sending += 1;
    let running: ScsiAnswer;
    try {
      running = send(withSignal(command, sentWith));
    } finally {
      this.#sending -= 1;
    }
    if (joined !== null && aborts !== this.#aborts) this.#abort(joined);
    return running instanceof Promise ? this.#follow(running, joined, sentWith) : normalizeHostStatus(running);
  }

  /** A signal that may be fired need not be joined with another one, and the command goes on as it is. */
  #runOwn(command: ScsiCommand, send: Send, own: AbortController): ScsiAnswer {
    const aborts = this.#aborts;
    this.#sending += 1;
    let running: ScsiAnswer;
    try {
      running = send(command);
    } finally {
      this.#sending -= 1;
    }
    if (!(running instanceof Promise)) return normalizeHostStatus(running);
    if (aborts !== this.#aborts) own.abort();
    return this.#follow(running, own.signal.aborted ? null : this.#joinOf(own.signal, own), own.signal);
  }

  #follow(running: Promise<ScsiResult>, joined: JoinedSignal | null, signal: AbortSignal): Promise<ScsiResult> {
    return new Promise((resolve, reject) => {
      const sent: InFlight = { end: resolve, joined, signal, forget: undefined };
      this.#commands.add(sent);
      // Sending it has ended it.
      if (signal.aborted) void this.#giveUp(sent);
      if (joined !== null) this.#listen(joined);
      running.then(
        (result) => {
          this.#leave(sent);
          resolve(normalizeHostStatus(result));
        },
        (error: unknown) => {
          this.#leave(sent);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** Ends all commands with TASK ABORTED; resolves when none of those that were there is left. */
  async abortAll(): Promise<void> {
    const commands = [...this.#commands];
    const ended = commands.map((sent) => this.#giveUp(sent));
    const epoch = this.#epoch;
    // Whoever hears of the abort may send another command at once, which is none of those.
    this.#epoch = undefined;
    const joined = new Set(commands.map((sent) => sent.joined));
    this.#aborts += 1;
    epoch?.abort();
    for (const each of joined) if (each !== null) this.#abort(each);
    if (this.#sending > 0) {
      await sendingDone();
      for (const sent of this.#commands) if (sent.signal.aborted) ended.push(this.#giveUp(sent));
    }
    await Promise.all(ended);
  }

  /** Waits for the commands that do not wait themselves. */
  async quiet(): Promise<void> {
    if (this.#sending > 0) await sendingDone();
    if (!this.#isSettled) await new Promise<void>((resolve) => this.#onSettled.push(resolve));
  }

  /** Whether a {@link drain} is over, or what it has waited for was given up. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Waits for all commands, at most `graceMs`, and ends the rest.
   * @param work a sequence of commands to be waited for as well; ended, it gets {@link UNDO_GRACE_MS} more to undo what it has begun, and
   *   must end when its next command is refused
   */
  async drain(graceMs: number, work: Promise<void> | null = null): Promise<void> {
    await Promise.all([this.settle(graceMs), work === null ? null : this.#within(work, graceMs)]);
    if (this.#commands.size > 0) await this.abortAll();
    if (work !== null) await this.#within(work, UNDO_GRACE_MS);
    this.#ended = true;
    if (work === null) return;
    await this.abortAll();
    await work;
  }

  /** Waits for `work`, at most that long. */
  async #within(work: Promise<void>, graceMs: number): Promise<void> {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => (timer = this.#clock.after(graceMs, resolve)));
    await Promise.race([work, over]);
    timer?.cancel();
  }

  /** Waits for the commands that do not wait themselves, at most `graceMs`. */
  async settle(graceMs: number): Promise<void> {
    if (this.#sending > 0) await sendingDone();
    if (this.#isSettled) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#onSettled.push(resolve);
      timer = this.#clock.after(graceMs, resolve);
    });
    timer?.cancel();
  }

  /** A command that was under way waits from now on; one that is being sent is none yet. */
  kept(): void {
    if (this.#sending === 0) this.#tellIfSettled();
  }

  get #isSettled(): boolean {
    return this.#commands.size <= this.#waiting();
  }

  #tellIfSettled(): void {
    if (this.#onSettled.length > 0 && this.#isSettled) for (const resolve of this.#onSettled.splice(0)) resolve();
  }

  #join(source: AbortSignal): JoinedSignal {
    const known = this.#joined.get(source);
    if (known !== undefined) return known;
    const joined = this.#joinOf(source, newController());
    this.#joined.set(source, joined);
    return joined;
  }

  #joinOf(source: AbortSignal, controller: AbortController): JoinedSignal {
    const listener = (): void => {
      for (const sent of this.#commands) if (sent.joined === joined) void this.#giveUp(sent);
      controller.abort();
    };
    const joined: JoinedSignal = { source, controller, listener, commands: 0 };
    return joined;
  }

  #listen(joined: JoinedSignal): void {
    joined.commands += 1;
    if (joined.commands > 1) return;
    // It may have fired while the command was being sent, before anybody listened.
    if (joined.source.aborted) joined.listener();
    else joined.source.addEventListener("abort", joined.listener, { once: true });
  }

  #forget(joined: JoinedSignal): void {
    joined.commands -= 1;
    if (joined.commands === 0) joined.source.removeEventListener("abort", joined.listener);
  }

  /** Ends the commands of a signal that has not fired; the next one with it begins anew. */
  #abort({ source, controller, listener }: JoinedSignal): void {
    this.#joined.delete(source);
    source.removeEventListener("abort", listener);
    controller.abort();
  }

  /** Answers an aborted command after its grace unless its own answer comes first; resolves with either. */
  #giveUp(sent: InFlight): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ABORT_GRACE_MS, () => {
        this.#leave(sent);
        sent.end(bareStatus(ScsiStatus.TASK_ABORTED));
      });
      const { forget } = sent;
      sent.forget = (): void => {
        forget?.();
        timer.cancel();
        resolve();
      };
    });
  }

  #leave(sent: InFlight): void {
    if (!this.#commands.delete(sent)) return;
    sent.forget?.();
    if (sent.joined !== null) this.#forget(sent.joined);
    this.#tellIfSettled();
  }
}

/** Sending ends before the program returns to where it waits: a command that was being sent is in flight by then, or answered. */
function sendingDone(): Promise<void> {
  return Promise.resolve();
}

/** Every command in flight listens to it, and there may be many. */
function newController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** A copy member by member: spreading an object costs as much as a command to memory. */
function withSignal(command: ScsiCommand, signal: AbortSignal): ScsiCommand {
  const copy: { -readonly [Member in keyof ScsiCommand]: ScsiCommand[Member] } = { cdb: command.cdb, signal };
  if (command.dataOut !== undefined) copy.dataOut = command.dataOut;
  if (command.allocationLength !== undefined) copy.allocationLength = command.allocationLength;
  if (command.into !== undefined) copy.into = command.into;
  if (command.timeoutMs !== undefined) copy.timeoutMs = command.timeoutMs;
  return copy;
}
