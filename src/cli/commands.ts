/** THE table of the subcommands of `qom-pr`. What a subcommand needs is loaded when it is run: most of it is needed by one of them alone. */
import type { Output } from "./output.js";

/** A subcommand. */
export interface Subcommand {
  readonly name: string;
  /** The words that follow it, as they stand in help texts. */
  readonly usage: string;
  /** What it does, in a line. */
  readonly line: string;
  /**
   * Runs it; it may set the process's exit status.
   * @param argv its arguments
   */
  readonly run: (argv: readonly string[], output: Output) => Promise<void>;
}

/** See the module text. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: "run",
    usage: "[options]",
    line: "make a machine from QEMU-style options and keep it until a signal or 'quit' in a monitor ends it; --check: only make it",
    run: async (argv, output) => (await import("./run.js")).runMachine(argv, output),
  },
  {
    name: "demo",
    usage: "[options]",
    line: "two nodes of a cluster, one shared disk, a failover: no privileges, no hardware",
    run: async (argv, output) => (await import("./demo.js")).demo(argv, output),
  },
  {
    name: "persist",
    usage: "[options] DEVICE",
    line: "one PERSISTENT RESERVE command, with the options and exit statuses of sg_persist, through any PR manager",
    run: async (argv, output) => {
      const { runPersist } = await import("./persist/persist.js");
      process.exitCode = await runPersist(argv, { output, variables: process.env });
    },
  },
];
