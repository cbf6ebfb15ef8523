/** Memory that was freed, but is kept by libc for later (malloc_trim(3)). */

import { declareFunctions } from "../libc.js";

interface TrimFunctions {
  readonly malloc_trim: (pad: number) => number;
}

/** Returns free memory of all threads to the system, for example after the end of a thread. Does nothing if libc, such as musl, cannot. */
export function returnFreeMemory(): void {
  let functions;
  try {
    functions = declareFunctions<TrimFunctions>({ malloc_trim: "int malloc_trim(size_t pad)" });
  } catch {
    return;
  }
  functions.malloc_trim(0);
}
