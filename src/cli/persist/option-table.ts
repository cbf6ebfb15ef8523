/** The options of `qom-pr persist`: those of sg_persist (sg3_utils), with the same letters and names, and a few of its own. */
import type { ReserveInAction, ReserveOutAction } from "../../scsi/persistent-reserve.js";

/** What an option is for: the headings of the help and of docs/cli.md. */
export type OptionGroup = "PERSISTENT RESERVE IN" | "PERSISTENT RESERVE OUT" | "Parameters" | "Connection" | "Output";

/** One option. */
export interface PersistOption {
  /** The letter, if it has one. */
  readonly letter?: string;
  /** The long name, without dashes. */
  readonly name: string;
  /** What stands for its value; an option without one is a flag. */
  readonly value?: string;
  readonly group: OptionGroup;
  readonly text: string;
  /** The service action that the flag chooses. */
  readonly action?: ReserveInAction | ReserveOutAction;
  /** sg_persist does not have it. */
  readonly own?: true;
}

/** THE table of options: parser, help and docs/cli.md come from it. */
export const PERSIST_OPTIONS: readonly PersistOption[] = [
  { letter: "i", name: "in", group: "PERSISTENT RESERVE IN", text: "ask the device; the default" },
  { letter: "k", name: "read-keys", group: "PERSISTENT RESERVE IN", text: "the registered keys; the default", action: "read-keys" },
  { letter: "r", name: "read-reservation", group: "PERSISTENT RESERVE IN", text: "the reservation", action: "read-reservation" },
  { letter: "c", name: "report-capabilities", group: "PERSISTENT RESERVE IN", text: "what it supports", action: "report-capabilities" },
  {
    letter: "s",
    name: "read-full-status",
    group: "PERSISTENT RESERVE IN",
    text: "every registrant with its initiator port",
    action: "read-full-status",
  },
  { name: "read-status", group: "PERSISTENT RESERVE IN", text: "the same", action: "read-full-status" },
  {
    letter: "l",
    name: "alloc-length",
    value: "LEN",
    group: "PERSISTENT RESERVE IN",
    text: "allocation length, hexadecimal, up to 2000; with --qmp up to ffff",
  },
  {
    letter: "m",
    name: "maxlen",
    value: "LEN",
    group: "PERSISTENT RESERVE IN",
    text: "the same in decimal; 0x… or …h is hexadecimal, …k is 1024",
  },
  { letter: "o", name: "out", group: "PERSISTENT RESERVE OUT", text: "change something; every action below needs it" },
  {
    letter: "G",
    name: "register",
    group: "PERSISTENT RESERVE OUT",
    text: "register, change or remove this host's key",
    action: "register",
  },
  {
    letter: "I",
    name: "register-ignore",
    group: "PERSISTENT RESERVE OUT",
    text: "the same, whatever the present key is",
    action: "register-and-ignore-existing-key",
  },
  {
    letter: "M",
    name: "register-move",
    group: "PERSISTENT RESERVE OUT",
    text: "register another initiator port and move the reservation to it",
    action: "register-and-move",
  },
  { letter: "R", name: "reserve", group: "PERSISTENT RESERVE OUT", text: "reserve the unit", action: "reserve" },
  { letter: "L", name: "release", group: "PERSISTENT RESERVE OUT", text: "release the reservation", action: "release" },
  { letter: "C", name: "clear", group: "PERSISTENT RESERVE OUT", text: "remove the reservation and all keys", action: "clear" },
  { letter: "P", name: "preempt", group: "PERSISTENT RESERVE OUT", text: "remove the key --param-sark of others", action: "preempt" },
  {
    letter: "A",
    name: "preempt-abort",
    group: "PERSISTENT RESERVE OUT",
    text: "the same, and abort their commands",
    action: "preempt-and-abort",
  },
  {
    letter: "z",
    name: "replace-lost",
    group: "PERSISTENT RESERVE OUT",
    text: "replace a reservation that the device lost",
    action: "replace-lost-reservation",
  },
  { letter: "K", name: "param-rk", value: "KEY", group: "Parameters", text: "RESERVATION KEY, hexadecimal or text:CHARACTERS (0)" },
  { letter: "S", name: "param-sark", value: "KEY", group: "Parameters", text: "SERVICE ACTION RESERVATION KEY, likewise (0)" },
  {
    letter: "T",
    name: "prout-type",
    value: "TYPE",
    group: "Parameters",
    text: "1 Write Exclusive, 3 Exclusive Access; 5 and 6 the same, registrants only; 7 and 8, all registrants",
  },
  { letter: "Y", name: "param-alltgpt", group: "Parameters", text: "ALL_TG_PT: register at all target ports" },
  { letter: "Z", name: "param-aptpl", group: "Parameters", text: "APTPL: keep registrations and reservation through power loss" },
  { letter: "X", name: "transport-id", value: "TIDS", group: "Parameters", text: "TransportIDs of further initiator ports: see below" },
  { letter: "U", name: "unreg", group: "Parameters", text: "with --register-move: remove this host's key afterwards" },
  { name: "param-unreg", group: "Parameters", text: "the same" },
  {
    letter: "Q",
    name: "relative-target-port",
    value: "RTPI",
    group: "Parameters",
    text: "with --register-move: the other initiator's target port, hexadecimal (0)",
  },
  { letter: "d", name: "device", value: "DEVICE", group: "Connection", text: "the device, if it is not given as an argument" },
  {
    name: "manager",
    own: true,
    value: "TEXT",
    group: "Connection",
    text: "PR manager that sends the command, as in -object (pr-manager-sgio); help lists them",
  },
  { name: "object", own: true, value: "TEXT", group: "Connection", text: "an object that the manager needs; may be repeated" },
  { name: "name", own: true, value: "NAME", group: "Connection", text: "name of this host in initiator names of pr-manager-memory" },
  {
    name: "qmp",
    own: true,
    value: "PATH",
    group: "Connection",
    text: "a machine's QMP socket: DEVICE is one of its devices, by id or QOM path",
  },
  {
    name: "wait",
    own: true,
    value: "SECONDS",
    group: "Connection",
    text: "how long to wait for a state folder that another command has, up to 3600 (3)",
  },
  { letter: "n", name: "no-inquiry", group: "Connection", text: "do not send an INQUIRY first" },
  {
    letter: "y",
    name: "readonly",
    group: "Connection",
    text: "open the device read-only; twice: not even if SG_PERSIST_IN_RDONLY is set",
  },
  { name: "json", own: true, group: "Output", text: "print one JSON document" },
  {
    letter: "H",
    name: "hex",
    group: "Output",
    text: "print data of PERSISTENT RESERVE IN in hexadecimal; twice or three times: with less text around it",
  },
  { letter: "v", name: "verbose", group: "Output", text: "print CDBs; twice: parameter lists too" },
];

/** `-K, --param-rk <KEY>`, as it stands in help texts. */
export function optionFlags(
  { letter, name, value }: Pick<PersistOption, "letter" | "name" | "value">,
  showValue: (value: string) => string,
): string {
  return `${letter === undefined ? "" : `-${letter}, `}--${name}${value === undefined ? "" : ` ${showValue(value)}`}`;
}
