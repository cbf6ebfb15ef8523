/**
 * Names of disks and ports as other programs print them, for users who copy them: brought into the forms of this project. What is none of
 * these forms comes back as it was.
 *
 *     disk   360000000000000000e00000000010001      multipath -ll, scsi_id: 3 and an NAA name, 2 and an EUI-64
 *            0x5000c50005b32001, wwn-0x…, scsi-3…   lsblk, /dev/disk/by-id
 *     port   20:00:00:25:b5:00:00:0f                switches, HBA tools: Fibre Channel whatever its digits
 *            0x20000025b500000f, 20000025b500000f   sysfs; NAA 1 and 2 are names of Fibre Channel alone
 *            sas.5000c50005b32001, naa.0x…, fc.20:00:…
 */

/** 3 of a WWID stands for a designator of type NAA, 2 for EUI-64 (multipath-tools, scsi_id of udev). */
const WWID = /^(?:scsi-)?(?:3([235][0-9a-f]{15}|6[0-9a-f]{31})|2([0-9a-f]{16}))$/;

/** NAA names with 0x before them. */
const HEX_WWN = /^(?:wwn-)?0x([0-9a-f]{16}|[0-9a-f]{32})$/;

/** A logical unit's name in the form `naa.…` or `eui.…`, in lower case. */
export function pastedWwn(text: string): string {
  const lower = text.toLowerCase();
  const [, naa, eui] = WWID.exec(lower) ?? [];
  if (naa !== undefined) return `naa.${naa}`;
  if (eui !== undefined) return `eui.${eui}`;
  const [, digits] = HEX_WWN.exec(lower) ?? [];
  return digits === undefined ? lower : `naa.${digits}`;
}

/** Transports with names of 8 bytes, and the prefix that stands for what users write. */
const PORT_PREFIXES: ReadonlyMap<string, string> = new Map([
  ["fc", "fc."],
  ["fcp", "fc."],
  ["naa", "naa."],
  ["sas", "naa."],
  ["sbp", "sbp."],
]);

const PAIRS = /^[0-9a-f]{2}(?::[0-9a-f]{2}){7}$/;
const DIGITS = /^(?:0x)?([0-9a-f]{16})$/;

/** First digit of names that are Fibre Channel's: NAA 1 (IEEE 48-bit) and 2 (IEEE extended). NAA 5 is used by SAS as well. */
const FC_ONLY = /^[12]/;

/** A TransportID as text, in a form that TransportId.parse knows. */
export function pastedPortName(text: string): string {
  const [, word, rest = ""] = /^(?:([a-z]+)\.)?(.*)$/s.exec(text.toLowerCase()) ?? [];
  const prefix = word === undefined ? undefined : PORT_PREFIXES.get(word);
  if (word !== undefined && prefix === undefined) return text;
  const name = PAIRS.test(rest) ? rest.replaceAll(":", "") : DIGITS.exec(rest)?.[1];
  if (word !== undefined && prefix !== undefined) return prefix + (name ?? text.slice(word.length + 1));
  if (name === undefined || !(PAIRS.test(rest) || FC_ONLY.test(name))) return text;
  return `fc.${name}`;
}

/** What helps where {@link pastedPortName} could not tell which transport has the name; undefined for other texts. */
export function portNameHint(text: string): string | undefined {
  const digits = DIGITS.exec(text.toLowerCase())?.[1];
  if (digits !== undefined) return `write 'fc.${digits}' for a port of Fibre Channel, 'sas.${digits}' for one of SAS`;
  return text.includes(",,") ? "a comma is written twice in option strings only, not in the name itself" : undefined;
}
