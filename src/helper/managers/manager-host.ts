/** The manager that the options choose, and the machine that it lives in. */

import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import type * as MachineModule from "../../machine/machine.js";
import { parseOption } from "../../options/arguments.js";
import { commaHint } from "../../options/comma-hint.js";
import type { ParsedOptions } from "../../options/value.js";
import type { PrManager } from "../../pr-manager/pr-manager.js";
import { SG_IO_MANAGER } from "./manager-type.js";

/** An object on the command line. */
interface ObjectOption {
  /** The text as it was given. */
  readonly text: string;
  readonly parsed: ParsedOptions;
}

/** A manager, and how to end it. */
export interface ManagerHost {
  readonly manager: PrManager;
  /** Ends the objects, after the commands in flight. */
  close(): Promise<void>;
}

/** Id of an object that was given none; further ones are pr1 and so on, by their place on the command line. */
const DEFAULT_ID = "pr";

/**
 * Reads the text of `--object`, by the rules of QEMU's -object.
 * @throws QomError as parseOption does, with the option named
 */
export function parseObjectOption(text: string): ObjectOption {
  return { text, parsed: named(text, () => parseOption("object", text)) };
}

/** The text that `--object help` or `--object TYPE,help` asks for; null when none does. @throws QomError `unknown-type` */
export async function objectHelp(texts: readonly string[]): Promise<string | null> {
  const asking = texts.map(parseObjectOption).find(({ parsed }) => parsed.help);
  if (asking === undefined) return null;
  const { Machine } = await loadMachine();
  return named(asking.text, () => Machine.help(["-object", asking.text]));
}

/**
 * Makes the objects, exactly one of which is a PR manager. Null when that one is pr-manager-sgio, or there are no objects: then the workers
 * do the work.
 * @param warn told, in one line, of spellings that are deprecated, and later of what the objects have to say
 * @throws QomError that names the option and what in it is wrong
 */
export async function hostManager(texts: readonly string[], warn: (line: string) => void): Promise<ManagerHost | null> {
  if (texts.length === 0) return null;
  const { Machine } = await loadMachine();
  const { addObject } = await import("../../qom/add-object.js");
  const { PrManager } = await import("../../pr-manager/pr-manager.js");
  const machine = await Machine.create([], { warn });
  try {
    const managers: PrManager[] = [];
    for (const [index, { text, parsed }] of texts.map(parseObjectOption).entries()) {
      for (const warning of parsed.warnings) warn(`--object ${printable(text)}: ${warning}`);
      const values = new Map([["id", `${DEFAULT_ID}${index}`], ...parsed.values]);
      const object = await namedAsync(text, () => addObject(machine.qom, { values, form: parsed.form }));
      if (object instanceof PrManager) managers.push(object);
    }
    const [manager, second] = managers;
    if (manager === undefined) throw new QomError("missing", "none of the objects is a PR manager; one is needed");
    if (second !== undefined) throw new QomError("conflict", "more than one of the objects is a PR manager");
    if (manager.typeName === SG_IO_MANAGER) {
      await machine.close();
      return null;
    }
    return { manager, close: () => machine.close() };
  } catch (error) {
    await machine.close();
    throw error;
  }
}

/** On demand, since a helper that needs no machine is a third smaller without it. */
function loadMachine(): Promise<typeof MachineModule> {
  return import("../../machine/machine.js");
}

function named<T>(text: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw inOption(text, error);
  }
}

async function namedAsync<T>(text: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw inOption(text, error);
  }
}

/** The error with the option in front of it. */
function inOption(text: string, error: unknown): unknown {
  if (!(error instanceof QomError)) return error;
  const { kind, message, context, cause } = error;
  const hint = commaHint(text) ?? error.hint;
  const begin = `--object ${printable(text)}: `;
  return new QomError(kind, `${begin}${message.replace(/^-object .*?: /, "")}`, {
    context,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
