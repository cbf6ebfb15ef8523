/** node:crypto, loaded when it is first needed: it would take a twentieth of the start of the library. */
import type * as crypto from "node:crypto";

/** A new SHA-256 hash. */
export const createSha256 = (): crypto.Hash => loaded().createHash("sha256");

/** A unique name: a UUID. */
export const uniqueName = (): string => loaded().randomUUID();

// an import, even of `default` alone, would load all of it before the first line runs
const loaded = (): typeof crypto => process.getBuiltinModule("node:crypto");
