/** node:crypto, loaded when it is first needed: it would be a twentieth of what the library takes to start. */
import type * as crypto from "node:crypto";

/** A hash of SHA-256, of nothing yet. */
export const createSha256 = (): crypto.Hash => loaded().createHash("sha256");

/** A name that nothing else has, as a UUID. */
export const uniqueName = (): string => loaded().randomUUID();

// An import, also one by `default`, has Node load what it exports before the first line runs.
const loaded = (): typeof crypto => process.getBuiltinModule("node:crypto");
