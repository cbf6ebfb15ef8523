/** Output of things that run side by side, as if they ran one after the other. */

/** One of the things. */
export interface OrderedWriter {
  readonly write: (text: string) => void;
  /** Lets the next one speak. */
  readonly close: () => void;
}

/** Passes on what the first one writes at once, and keeps what the others write until their turn has come. */
export class InOrder {
  readonly #sink: (text: string) => void;
  readonly #writers: { kept: string; closed: boolean }[] = [];

  constructor(sink: (text: string) => void) {
    this.#sink = sink;
  }

  /** The next one in order. */
  open(): OrderedWriter {
    const writer = { kept: "", closed: false };
    this.#writers.push(writer);
    return {
      write: (text) => {
        writer.kept += text;
        this.#flush();
      },
      close: () => {
        writer.closed = true;
        this.#flush();
      },
    };
  }

  #flush(): void {
    for (let [first] = this.#writers; first !== undefined; [first] = this.#writers) {
      this.#sink(first.kept);
      first.kept = "";
      if (!first.closed) return;
      this.#writers.shift();
    }
  }
}
