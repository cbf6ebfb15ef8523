/** Memory that was freed and that libc keeps for later (malloc_trim(3)). */

import { declareFunctions } from "../libc.js";

interface TrimFunctions {
  readonly malloc_trim: (pad: number) => number;
}

/** Gives free memory of all threads back to the system, as after the end of one. Where libc has no such function, as musl, nothing happens. */
export function returnFreeMemory(): void {
  let functions;
  try {
    functions = declareFunctions<TrimFunctions>({ malloc_trim: "int malloc_trim(size_t pad)" });
  } catch {
    return;
  }
  functions.malloc_trim(0);
}
