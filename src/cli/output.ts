/** Where the program writes. */

/** The two streams of a program. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Bytes for stderr that nobody has taken yet; absent where nothing waits. */
  readonly errorBacklogBytes?: () => number;
}
