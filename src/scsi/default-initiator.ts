/**
 * Initiator ports that got no name from their user.
 *
 *     iqn.2026-11.org.qom-pr:m0:hd,i,0x80a1b2c3d4e5
 *     │                      │         │ └ 40 bits of the SHA-256 of the name: B, C and D of the ISID
 *     │                      │         └ T = 10b, A = 0: the format "random" (RFC 7143 11.12.5)
 *     │                      └ parts of the name, such as machine and node
 *     └ DEFAULT_INITIATOR_PREFIX
 *
 * The ISID follows from the name, so a port is the same one after a restart, and real targets name their initiators in the same form.
 */

import { sha256 } from "../base/crypto.js";
import { TransportId } from "./transport-id.js";

/** How the names of all default initiators begin. */
export const DEFAULT_INITIATOR_PREFIX = "iqn.2026-11.org.qom-pr:";

/** First byte of the ISID: T = 10b, A = 0. */
const RANDOM_FORMAT = "80";

/** Digits of the hash that fill the other five bytes. */
const HASH_DIGITS = 10;

/**
 * The default initiator port with those parts in its name. Different parts make different names: iSCSI names have neither upper case nor
 * most punctuation (RFC 3722), so such a character is written as `:` and two hexadecimal digits, or as `:u` and four.
 * @throws QomError `limit` when the name has more than the 223 bytes that RFC 7143 allows
 */
export function defaultInitiator(...parts: readonly [string, ...string[]]): TransportId {
  return portOfName(DEFAULT_INITIATOR_PREFIX + parts.map((part) => part.replaceAll(/[^a-z0-9.-]/g, escaped)).join(":"));
}

/**
 * The port with an ISID derived from the iSCSI name `name`.
 * @throws QomError when `name` is not an iSCSI name in lower case without ISID
 */
export function portOfName(name: string): TransportId {
  return TransportId.parse(`${name},i,0x${RANDOM_FORMAT}${sha256(name).slice(0, HASH_DIGITS)}`);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code > 0xff ? `:u${code.toString(16).padStart(4, "0")}` : `:${code.toString(16).padStart(2, "0")}`;
}
