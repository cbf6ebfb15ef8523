/** Bytes as hexadecimal text, both ways: blanks and line breaks count for nothing. */

export function bytes(text: string): Uint8Array {
  const compact = text.replaceAll(/\s/g, "");
  if (!/^(?:[0-9a-f]{2})*$/i.test(compact)) throw new Error(`not hexadecimal: ${text}`);
  return Uint8Array.from(Buffer.from(compact, "hex"));
}

/** Lower-case digits without blanks. */
export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

/** The digits of a golden vector in the form {@link hex} gives. */
export function digits(text: string): string {
  return hex(bytes(text));
}
