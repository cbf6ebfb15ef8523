/** Whether a unit is ready or stopped (SBC-4 5.31, START STOP UNIT): one state of the unit, the same for every nexus. */
export class UnitPower {
  #stopped = false;

  /** After START = 0: commands that access the medium, and TEST UNIT READY, end with INITIALIZING COMMAND REQUIRED (02/04/02). */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** START = 1, a reset of the unit, power on. */
  start(): void {
    this.#stopped = false;
  }
}
