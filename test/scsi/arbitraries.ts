/** Generators of values that several property tests need. */

import fc from "fast-check";
import { TransportId } from "#src/scsi/transport-id.js";

/** `count` lower-case hexadecimal digits. */
export function hexDigits(count: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: count / 2, maxLength: count / 2 }).map((data) => Buffer.from(data).toString("hex"));
}

/** iSCSI names of 1 to 223 bytes: the characters of iqn names, and a few of two and three bytes. */
const iscsiName = fc
  .tuple(
    fc.constantFrom("iqn.2026-11.org.example:", "eui.", "iqn.", "naa.", "x"),
    fc.array(fc.constantFrom(...Array.from("abcxyz0123456789-.:_ABCü日")), { minLength: 1, maxLength: 66 }),
  )
  .map(([prefix, rest]) => prefix + rest.join(""));

/** The text of a TransportID of any protocol, in canonical form. */
export const transportIdText: fc.Arbitrary<string> = fc.oneof(
  hexDigits(16).map((digits) => `fc.${digits}`),
  hexDigits(16).map((digits) => `naa.${digits}`),
  hexDigits(16).map((digits) => `sbp.${digits}`),
  hexDigits(32).map((digits) => `srp.${digits}`),
  hexDigits(4).map((digits) => `sop.${digits}`),
  fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(([address, port]) => `spi.${address}.${port}`),
  fc
    .tuple(iscsiName, fc.option(hexDigits(12)))
    .map(([name, isid]) => (/^(?:iqn|eui)\./.test(name) ? "" : "iscsi.") + name + (isid === null ? "" : `,i,0x${isid}`)),
);

/** A TransportID of any protocol. */
export const transportId: fc.Arbitrary<TransportId> = transportIdText.map((text) => TransportId.parse(text));

/** A reservation key. */
export const reservationKey: fc.Arbitrary<bigint> = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);

/** Any number of arbitrary bytes, most of them few. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 400 });
