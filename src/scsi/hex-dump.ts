/** Bytes for people, as sg3_utils prints them. */
import { toHex } from "./bytes.js";

const BYTES_PER_LINE = 16;
const HALF_LINE = 8;

/** How {@link hexLines} begins its lines. */
export type HexMargin =
  | { readonly kind: "address" }
  /** The same text before each line. */
  | { readonly kind: "text"; readonly text: string };

/** Lines of up to 16 bytes, with a wider gap after the eighth; none for no bytes. Address lines begin ` 10     `. */
export function hexLines(bytes: Uint8Array, margin: HexMargin): string[] {
  return lines(bytes).map((line, index) => {
    const before = margin.kind === "text" ? margin.text : addressOf(index);
    return `${before}${pairs(line)}`;
  });
}

/** The same with addresses and, at the right, what the bytes are in ASCII. */
export function hexAndTextLines(bytes: Uint8Array): string[] {
  const width = 3 * BYTES_PER_LINE;
  return lines(bytes).map((line, index) => `${addressOf(index)}${pairs(line).padEnd(width)}   ${ascii(line)}`.trimEnd());
}

/** The same with `margin` in place of the addresses, a wider gap, and the last line as wide as the others: as TransportIDs are printed. */
export function hexTextLines(bytes: Uint8Array, margin: string): string[] {
  const width = 3 * BYTES_PER_LINE;
  return lines(bytes).map((line) => `${margin}${pairs(line).padEnd(width)}    ${ascii(line).padEnd(BYTES_PER_LINE)}`);
}

function lines(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / BYTES_PER_LINE);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * BYTES_PER_LINE, (index + 1) * BYTES_PER_LINE));
}

function addressOf(line: number): string {
  return ` ${(line * BYTES_PER_LINE).toString(16).padStart(2, "0").padEnd(7)}`;
}

function pairs(bytes: Uint8Array): string {
  const half = (part: Uint8Array): string => [...part].map((byte) => toHex(Uint8Array.of(byte))).join(" ");
  const [left, right] = [bytes.subarray(0, HALF_LINE), bytes.subarray(HALF_LINE)];
  return right.length === 0 ? half(left) : `${half(left)}  ${half(right)}`;
}

function ascii(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
}
