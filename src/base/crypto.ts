/** node:crypto, loaded when it is first needed: it would take a twentieth of the start of the library. */
import type * as crypto from "node:crypto";
import { lazily } from "./lazily.js";

/** The SHA-256 of some bytes, or of a text in UTF-8, in hexadecimal digits. */
export const sha256 = (content: string | Uint8Array): string => loaded().hash("sha256", content);

/** A new SHA-256 hash, for what comes in pieces. */
export const createSha256 = (): crypto.Hash => loaded().createHash("sha256");

/** A unique name: a UUID. */
export const uniqueName = (): string => loaded().randomUUID();

// an import, even of `default` alone, would load all of it before the first line runs
const loaded = lazily((): typeof crypto => process.getBuiltinModule("node:crypto"));
