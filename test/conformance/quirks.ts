/**
 * What a tag of the recordings means for the replay: how the Linux target departs from SPC-4 there (test/vectors/README.md has it in
 * words, docs/conformance.md what the standard says), and how our target answers instead.
 */

/** What else than the answer is different after a tagged step. */
export type QuirkChange =
  /** Nothing: what follows must be equal. */
  | "answer"
  /** Linux' target did not advance PRgeneration, ours did: what follows must be equal but for that. */
  | "generation"
  /** Registrations, reservation or pending unit attentions: what follows cannot be compared. */
  | "state"
  /** A pending unit attention, unless both answered alike. */
  | "attention";

/** One kind of tag. */
export interface QuirkRule {
  readonly changes: QuirkChange;
  /** All answers that our target gives to steps with that tag. */
  readonly answers: readonly string[];
}

/** Every tag there is. */
export const QUIRKS = {
  // PERSISTENT RESERVE OUT
  "unreg-not-ready": { changes: "answer", answers: ["RC"] },
  "release-no-key-check": { changes: "answer", answers: ["RC"] },
  "release-mismatch-conflict": { changes: "answer", answers: ["05/26/04"] },
  "type-before-key": { changes: "answer", answers: ["RC"] },
  "scope-2600": { changes: "answer", answers: ["05/24/00"] },
  "prgen-no-unregister": { changes: "generation", answers: ["GOOD"] },
  // PTPL_A differs afterwards, which only REPORT CAPABILITIES tells
  "clear-aptpl": { changes: "answer", answers: ["GOOD"] },
  "preempt-type-checked": { changes: "state", answers: ["GOOD", "RC", "05/26/00"] },
  "allreg-preempt-holder-key": { changes: "state", answers: ["GOOD", "RC"] },
  "allreg-preempt-self": { changes: "state", answers: ["GOOD"] },
  "move-scope-bug": { changes: "state", answers: ["GOOD"] },
  "specipt-short": { changes: "answer", answers: ["05/1A/00"] },
  "specipt-first-port": { changes: "state", answers: ["GOOD"] },
  "specipt-registered-skip": { changes: "state", answers: ["GOOD"] },
  "specipt-self-dup": { changes: "state", answers: ["05/26/00"] },
  "alltgpt-mismatch": { changes: "state", answers: ["GOOD"] },
  "alltgpt-sticky": { changes: "state", answers: ["GOOD"] },
  "alltgpt-dup": { changes: "state", answers: ["RC", "GOOD"] },
  "alltgpt-rekey-one": { changes: "state", answers: ["GOOD", "RC"] },
  "alltgpt-ignore-unreg-one": { changes: "state", answers: [] },
  "alltgpt-unreg-conflict": { changes: "state", answers: [] },
  "prgen-per-registration": { changes: "state", answers: ["GOOD"] },
  "dup-flag": { changes: "state", answers: [] },
  // PERSISTENT RESERVE IN
  "alloc-short": { changes: "answer", answers: ["GOOD"] },
  "alloc-rsv-zero": { changes: "answer", answers: ["GOOD"] },
  "alloc-keys-whole": { changes: "answer", answers: ["GOOD"] },
  "alloc-full-add": { changes: "answer", answers: ["GOOD"] },
  // unit attentions
  "ua-only-first": { changes: "state", answers: ["06/2A/04"] },
  // ours refuses an unknown operation code first, too
  "ua-parse-first": { changes: "answer", answers: ["05/20/00"] },
  "ua-before-conflict": { changes: "attention", answers: ["RC", "06/2A/03", "06/2A/04", "06/2A/05"] },
  // which commands a reservation stops
  "we-nodata-unregistered": { changes: "answer", answers: ["RC", "05/20/00"] },
  "we-nodata-registered": { changes: "answer", answers: ["GOOD"] },
  "readcap-conflict": { changes: "answer", answers: ["GOOD"] },
  "modesense-registered": { changes: "answer", answers: ["RC"] },
  "startstop-conflict": { changes: "answer", answers: ["GOOD"] },
  "spc2-allreg": { changes: "answer", answers: ["GOOD"] },
  "spc2-request-sense": { changes: "answer", answers: ["GOOD"] },
  // other commands
  "startstop-immed": { changes: "answer", answers: ["GOOD"] },
  "naca-ignored": { changes: "state", answers: ["05/24/00"] },
} as const satisfies Readonly<Record<string, QuirkRule>>;

/** A tag. */
export type Quirk = keyof typeof QUIRKS;
